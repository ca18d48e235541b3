"""Options that name the peers to run beside a model, shared by `evaluate` and benchmarks."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from facetrack.errors import InputError, MissingDependencyError

if TYPE_CHECKING:  # dlib loads when a run needs it
    from facetrack.evaluation.peers import Peer


def add_peer_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare which peers run in this process."""
    parser.add_argument("--peers", action="store_true", help="run the peers that are installed")
    parser.add_argument("--ert", type=Path, metavar="FILE", help="dlib's trees, trained by us")
    parser.add_argument(
        "--peers-dir", type=Path, metavar="DIR", help="folder with pfld_68.onnx and rfb_320.onnx"
    )


def add_prediction_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare which programs were run elsewhere."""
    parser.add_argument(
        "--predictions",
        action="append",
        default=[],
        metavar="NAME=DIR",
        help="what the program NAME predicted elsewhere, in files named after the pictures or "
        "videos; may be repeated",
    )


def named_folders(args: argparse.Namespace) -> dict[str, Path]:
    """Read the values of `--predictions`."""
    folders = {}
    for text in args.predictions:
        name, equals, folder = text.partition("=")
        if not (name and equals and folder):
            raise InputError(f"--predictions takes NAME=DIR, got {text!r}")
        folders[name] = Path(folder).absolute()  # also for workers that start elsewhere
    return folders


def peer_makers(args: argparse.Namespace) -> tuple[list[Callable[[], Peer]], list[str]]:
    """Find which peers can run."""
    from facetrack.evaluation.peers import ErtPeer, PfldPeer, public_ert

    makers: list[Callable[[], Peer]] = []
    skipped = []
    if args.ert:
        note = "dlib's trainer on our training images"
        makers.append(partial(ErtPeer, args.ert, name="dlib ERT (fair)", note=note))
    if args.peers_dir:
        makers.append(partial(PfldPeer, args.peers_dir))
    if args.peers:
        try:
            public_ert()
            makers.append(public_ert)
        except MissingDependencyError as error:
            skipped.append(f"dlib ERT (public): {error}")
        skipped += _not_asked_for(args)
    return makers, skipped


def _not_asked_for(args: argparse.Namespace) -> list[str]:
    """Name the peers that need an option that was not given."""
    reasons = []
    if not args.ert:
        reasons.append("dlib ERT (fair): no --ert FILE, which python -m benchmarks fair_ert makes")
    if not args.peers_dir:
        reasons.append("PFLD: no --peers-dir DIR with its ONNX files")
    elsewhere = {text.partition("=")[0].lower() for text in getattr(args, "predictions", ())}
    if "opencv lbf" not in elsewhere:
        reasons.append(
            "OpenCV LBF: it needs opencv-contrib, which excludes our OpenCV, and a model file; "
            "score what it predicts elsewhere with --predictions 'OpenCV LBF=DIR'"
        )
    if "mediapipe" not in elsewhere and not getattr(args, "mediapipe", None):
        reasons.append(
            "MediaPipe: it runs elsewhere, see python -m benchmarks mediapipe_predictions"
        )
    return reasons
