"""`facetrack pain`: the facial expression of pain; makes people who show it, without patients."""

from __future__ import annotations

import argparse
from pathlib import Path

from facetrack.cli._cluster import add_cluster_arguments, cluster_map, make_absolute
from facetrack.cli._reports import shown

HELP = (
    "Make a corpus of synthetic people who show expressions of pain, in the layout of the "
    "UNBC-McMaster archive."
)
EXAMPLES = """\
facetrack pain synthesize corpus --subjects 4 --sequences 2
facetrack pain synthesize corpus --portraits helen_train lfpw_train --subjects 16 --workers 2
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of what can be done."""
    kinds = parser.add_subparsers(dest="kind", metavar="ACTION", required=True)
    make = kinds.add_parser("synthesize", help="make a corpus of synthetic people")
    make.add_argument(
        "output",
        type=Path,
        metavar="OUT",
        help="its folder; one that was interrupted is gone on with, and may get more subjects",
    )
    make.add_argument(
        "--subjects", type=int, default=16, metavar="N", help="(default: %(default)s)"
    )
    make.add_argument(
        "--sequences", type=int, default=6, metavar="N", help="of each (default: %(default)s)"
    )
    make.add_argument(
        "--frames",
        type=int,
        default=90,
        metavar="N",
        help="of each sequence (default: %(default)s)",
    )
    make.add_argument("--fps", type=float, default=15.0, help="(default: %(default)s)")
    make.add_argument(
        "--portraits",
        nargs="+",
        type=Path,
        default=[],
        metavar="DIR",
        help="folders of NAME.jpg and NAME.pts; near-neutral faces that no network was trained on "
        "are taken (default: all subjects are made of the one portrait that ships)",
    )
    make.add_argument("--seed", type=int, default=0)
    make.add_argument("--model", metavar="NAME", help="the tracker's model: a name or file")
    add_cluster_arguments(make, "sequences")


def run(args: argparse.Namespace) -> int:
    """Do it."""
    return {"synthesize": _synthesize}[args.kind](args)


def _synthesize(args: argparse.Namespace) -> int:
    from facetrack.datasets.portraits import load_portraits
    from facetrack.model import load_model
    from facetrack.pain.synthesis import Plan, synthesize

    make_absolute(args)
    model = load_model(args.model)
    portraits = load_portraits(args.portraits, model.shape_model.mean_3d)
    plan = Plan(args.subjects, args.sequences, args.frames, args.seed, args.fps)
    with cluster_map(args) as map_:
        door = shown("sequences", plan.subjects * plan.sequences, map_)
        description = synthesize(args.output, plan, portraits, model, door)
    print(f"{plan.subjects} subjects, {plan.sequences} sequences each; see {description}")
    return 0
