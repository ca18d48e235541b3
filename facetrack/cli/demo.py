"""`facetrack demo`: tracks a synthetic clip whose truth is known and shows what comes out."""

from __future__ import annotations

import argparse
from pathlib import Path

from facetrack.cli._common import A_MODEL, add_options, model_of

HELP = (
    "Track the demo clip, a moving and talking head rendered from a portrait, without a display: "
    "writes a video with the landmarks drawn in, the table and a plot, and prints the error "
    "against the clip's exact truth."
)
EXAMPLES = """\
facetrack demo
facetrack demo -o somewhere --model my_model.npz
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    where, text = Path("output") / "demo", "folder for the results (default: %(default)s)"
    add_options(parser, "--output", required=False, default=where, metavar="DIR", help=text)
    add_options(parser, "--model", help=A_MODEL)


def run(args: argparse.Namespace) -> int:
    """Track the clip; print where the results lie and how good they are."""
    from facetrack.cli._progress import FrameBar, prepare
    from facetrack.corpus.demo import run_demo

    model = model_of(args)
    prepare()
    with FrameBar() as bar:
        demo = run_demo(args.output, model, progress=bar)
    outputs, errors = demo.recorded.task.outputs, demo.errors
    print(f"overlay video  {outputs.path('overlay')}")
    print(f"table (CSV)    {outputs.path('csv')}")
    print(f"plot           {demo.plot}")
    print(
        f"error          mean {errors.mean:.2f} %, median {errors.median:.2f} % of the outer-eye "
        f"distance; {100 * errors.over08:.1f} % of {errors.n} frames over 8 % or lost"
    )
    print(f"tracking       {demo.recorded.tracked_per_second:.0f} frames per second")
    print(f"ledger         {demo.recorded.ledger.summary()}")
    return 0
