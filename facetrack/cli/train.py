"""`facetrack train`: train a model from labelled pictures."""

from __future__ import annotations

import argparse
import resource
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from tqdm import tqdm

from facetrack.cli._appearance import train_appearance
from facetrack.cli._common import add_options, check_npz
from facetrack.datasets.pts_folder import LabelledImage, load_folder
from facetrack.detection.face_detector import FaceDetector
from facetrack.errors import InputError
from facetrack.evaluation.errors import summary
from facetrack.evaluation.protocols import from_detector, from_tracking_starts
from facetrack.evaluation.report import SUMMARY_HEADERS, summary_cells
from facetrack.fitting.face_model import FaceModel
from facetrack.model import save_model
from facetrack.reporting.tables import Table
from facetrack.training.methods import CommonMean, Continuous, Method, Sampled
from facetrack.training.pictures import set_aside
from facetrack.training.trainer import TrainingSettings, train_model
from facetrack.training.w300vw import (
    EVERY,
    ClipFrames,
    read_frames,
    refuse_test_folder,
    test_clips,
    training_clips,
)
from facetrack.version import installed_version

HELP = "Train a model from folders of pictures with a .pts file each."
EXAMPLES = """
facetrack train lfpw_train helen_train afw --clips ytf/train -o models/default.npz
facetrack train lfpw_train helen_train --w300vw 300VW_Dataset --every 50 -o video.npz
facetrack train my_pictures --clips my_pairs --set-aside 0.15 -o trial.npz
facetrack train lfpw_train helen_train afw --clips ytf/train --method appearance -o appearance.npz
"""
METHODS: Final[dict[str, Method]] = {
    "continuous": Continuous(),
    "common-mean": CommonMean(),
    "sdm": Sampled(),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("pictures", nargs="+", type=Path, help="folders of NAME.jpg and NAME.pts")
    parser.add_argument(
        "--clips",
        type=Path,
        help="folder of frame pairs NAME_a, NAME_b: real motion, calibration of the fit quality",
    )
    parser.add_argument(
        "--w300vw",
        nargs="+",
        metavar=("ROOT", "ID"),
        help="also the training clips of 300-VW, or those named by their numbers: labelled frames "
        "as pictures, neighbouring ones as motion. Without --clips, each fifth clip calibrates the "
        "fit quality instead of being learned from",
    )
    parser.add_argument(
        "--every",
        type=int,
        default=EVERY,
        metavar="N",
        help=f"of 300-VW, take each Nth labelled frame as a picture (default: {EVERY})",
    )
    add_options(parser, "--output", metavar=None, help="the model file, .npz")
    add_options(parser, "--name")
    parser.add_argument(
        "--method",
        choices=[*METHODS, "appearance"],
        default="continuous",
        help="what ships, a hybrid (one sampled row a frame, continuous regression around it); the "
        "papers' closed form with a common mean, and the remainder; sampled regression (SDM, K = "
        "10); `appearance` learns what tells people apart instead",
    )
    parser.add_argument(
        "--set-aside",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="keep a share of the pictures out of the training and measure the model on them",
    )
    parser.add_argument("--modes", type=int, default=60, help="non-rigid modes of the shape model")
    add_options(parser, "--terms", "--seed")
    add_options(parser, "--threads", default=2)


def run(args: argparse.Namespace) -> int:
    """Train and save."""
    if not 0 <= args.set_aside < 1:
        raise InputError(f"--set-aside is a share from 0 to below 1, got {args.set_aside}")
    for folder in args.pictures:
        refuse_test_folder(folder)
    images = [image for folder in args.pictures for image in load_folder(folder)]
    kept, aside = set_aside(images, args.set_aside)
    started = time.perf_counter(), time.process_time()
    check_npz(args.output)
    if args.clips is None and not args.w300vw:
        raise InputError("--clips is missing: a folder of frame pairs NAME_a, NAME_b")
    if args.method == "appearance":
        return _train_appearance(args, kept)
    pairs = load_folder(args.clips) if args.clips else []
    video = _read_300vw(args) if args.w300vw else ClipFrames((), (), (), 0)
    name = args.name or args.output.stem
    model = train_model(
        [*kept, *video.pictures],
        [*pairs, *video.pairs],
        name=name,
        card=_card(args, len(kept), video),
        calibration=pairs or video.calibration,
        settings=_settings(args),
        report=lambda line: tqdm.write(f"{time.perf_counter() - started[0]:6.1f} s  {line}"),
    )
    save_model(model, args.output)
    _say_cost(started)
    print(f"wrote {args.output} ({args.output.stat().st_size / 1e6:.1f} MB)")
    if aside:
        print(_measure(model, aside))
    return 0


def _train_appearance(args: argparse.Namespace, pictures: list[LabelledImage]) -> int:
    if args.w300vw:
        raise InputError("--w300vw gives frames to what tracks landmarks alone, not to appearance")
    card = _card(args, len(pictures), ClipFrames((), (), (), 0))
    train_appearance(pictures, args.clips, args.output, args.name or args.output.stem, card)
    return 0


def _read_300vw(args: argparse.Namespace) -> ClipFrames:
    """Read the training clips, and say what is taken and what is left out."""
    root, *ids = args.w300vw
    clips = training_clips(root, ids)
    video = read_frames(clips, every=args.every, calibrate=args.clips is None)
    left_out = [f"{video.unreliable} unreliable frames"] if video.unreliable else []
    if there := test_clips(Path(root)):
        left_out.append(f"{len(there)} test clips ({' '.join(there)})")
    tqdm.write(
        f"300-VW: {len(clips)} training clips, {len(video.pictures)} pictures, "
        f"{len(video.pairs) // 2} motions{'; left out: ' if left_out else ''}{', '.join(left_out)}"
    )
    return video


def _settings(args: argparse.Namespace) -> TrainingSettings:
    settings = TrainingSettings(n_modes=args.modes, seed=args.seed, threads=args.threads)
    method = METHODS[args.method]
    return replace(
        settings,
        tracking=replace(settings.tracking, method=method),
        start=replace(settings.start, method=method),
        refinement=replace(settings.refinement, method=method),
    )


def _card(args: argparse.Namespace, count: int, video: ClipFrames) -> dict[str, Any]:
    """Say how the model was made; folders by name only, not where they lay."""
    card = {
        "pictures": [folder.resolve().name for folder in args.pictures],
        "n_pictures": count,
        "clips": args.clips.resolve().name if args.clips else "",
        "method": args.method,
        "modes": args.modes,
        "seed": args.seed,
        "set_aside": args.set_aside,
        "terms": args.terms,
        "version": installed_version(),
    }
    if args.w300vw:
        clips = sorted({frame.name[:3] for frame in (*video.pictures, *video.pairs)})
        card["300-VW"] = {"clips": clips, "every": args.every, "n_pictures": len(video.pictures)}
    return card


def _say_cost(started: tuple[float, float]) -> None:
    wall, cpu = time.perf_counter() - started[0], time.process_time() - started[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    gigabytes = peak / (1e9 if sys.platform == "darwin" else 1e6)
    print(f"trained in {wall:.0f} s ({cpu:.0f} s of processor), peak memory {gigabytes:.1f} GB")


def _measure(model: FaceModel, images: list[LabelledImage]) -> str:
    """Measure a model on the pictures that were set aside."""
    started = partial(from_tracking_starts, model, images, seeds=2)
    results = {
        "tracking start, projected truth": started(projected=True),
        "tracking start, moved truth": started(projected=False),
        "detector start": from_detector(model, images, detector=FaceDetector()),
    }
    rows = [[name, *summary_cells(summary(np.ravel(p.errors())))] for name, p in results.items()]
    return Table(["set aside", *SUMMARY_HEADERS], rows).text()
