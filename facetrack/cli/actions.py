"""`facetrack actions`: train, evaluate and use the filter banks that name actions."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from facetrack.cli._common import add_options, needing_torch
from facetrack.cli._faces import add_face_arguments, compare, film, learn, teach
from facetrack.cli._reports import write_report
from facetrack.errors import InputError

if TYPE_CHECKING:  # torch and what stands on it load when a run needs them
    from types import ModuleType

HELP = "Train, evaluate and use discriminative filter banks that name actions."
EXAMPLES = """\
facetrack actions train --recipe kinetics400_tsn50 kinetics --init resnet50.pth --work k400
facetrack actions evaluate kinetics --work k400 --json k400.json
facetrack actions predict clip.mp4 --work k400
facetrack actions film looks --portraits afw helen_train lfpw_train --workers 4
facetrack actions learn looks --work run -o actions.npz
facetrack actions teach actions.npz lean results/clip.events.csv --videos . -o wider.npz
facetrack actions compare videos --channels blendshapes/videos.npz --json actions.json
"""
_BEST = 5  # classes that `predict` prints of a clip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of what can be done."""
    kinds = parser.add_subparsers(dest="kind", metavar="ACTION", required=True)
    train = kinds.add_parser("train", help="train a network on a folder of clips")
    train.add_argument("root", type=Path, metavar="ROOT", help="lists and clips; see the recipe")
    train.add_argument(
        "--recipe",
        required=True,
        metavar="NAME|FILE.toml",
        help="kinetics400_tsn50, kinetics400_r3d50, kinetics400_r3d152, ssv1_tsn50, ...",
    )
    train.add_argument(
        "--init",
        type=Path,
        metavar="FILE.pt",
        help="weights of an image network of the same depth, as torch saves a state dict",
    )
    add_options(train, "--seed")
    add_options(train, "--threads", default=4, help="that read clips (default: 4)")
    evaluate = kinds.add_parser("evaluate", help="test the network of a run")
    evaluate.add_argument("root", type=Path, metavar="ROOT", help="as for `train`")
    add_options(evaluate, "--json")
    predict = kinds.add_parser("predict", help="name what clips show")
    predict.add_argument("clips", nargs="+", type=Path, help="videos, or folders of frames")
    for kind in (train, evaluate, predict):
        add_options(kind, "--work", required=True, help="the folder of the run")
        kind.add_argument("--device", default="cpu", help="of torch (default: cpu)")
    add_face_arguments(kinds)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    kinds = {
        "train": _train,
        "evaluate": _evaluate,
        "predict": _predict,
        "film": film,
        "learn": learn,
        "teach": teach,
        "compare": compare,
    }
    return kinds[args.kind](args)


def _training() -> ModuleType:
    with needing_torch("action networks need"):
        from facetrack.actions.train import run as training
    return training


def _train(args: argparse.Namespace) -> int:
    _training().start(
        args.recipe,
        args.root,
        args.work,
        init=args.init,
        seed=args.seed,
        threads=args.threads,
        device=args.device,
        say=tqdm.write,
    )
    return 0


def _evaluate(args: argparse.Namespace) -> int:
    from facetrack.reporting.tables import Quantity, Table

    shown = partial(tqdm, desc="clips", disable=None, leave=False)
    found: dict[str, Any] = _training().evaluate(
        args.work, args.root, device=args.device, shown=shown
    )
    top1, top5 = (Quantity(100 * found[name], 1) for name in ("top1", "top5"))
    lacking = len(found["missing"]), len(found["broken"])
    row = [found["clips"], top1, top5, *lacking]
    print(Table(["clips", "top-1, %", "top-5, %", "missing", "not readable"], [row]).text())
    for line in found["broken"]:
        print(line)
    write_report(args, model=args.work.name, n=found["clips"], details=found)
    return 0


def _predict(args: argparse.Namespace) -> int:
    training = _training()
    network, recipe, classes = training.load_network(args.work)
    failed = 0
    found = training.predict(network, recipe, args.clips, args.device)
    for path, said in zip(args.clips, found, strict=True):
        if isinstance(said, Exception):
            failed += 1
            print(said)
            continue
        best = sorted(zip(said.tolist(), classes, strict=True), reverse=True)[:_BEST]
        print(f"{path}: {', '.join(f'{name} {share:.2f}' for share, name in best)}")
    if failed == len(args.clips):
        raise InputError("no clip could be read")
    return int(failed > 0)
