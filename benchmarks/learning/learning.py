"""What a few corrected frames teach, beside simpler means; or what a tracker learns by itself.

    python -m benchmarks learning VIDEOS --reference PFLD --corrections 1,3,8 --plot learning.png
    python -m benchmarks learning clip.mp4 --truth clip.npz --corrections 1,3
    python -m benchmarks learning --people helen_test lfpw_test
    python -m benchmarks learning VIDEOS --adapt --every 1 --frames 0

A few frames of each clip are corrected with its reference track, it is tracked again, and the error
of the other frames is compared with that of tracking without corrections.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from benchmarks.command import make_parser
from benchmarks.learning.learners import learners
from benchmarks.learning.report import learning_details, learning_table, ratio_curves
from benchmarks.learning.rivals import rivals
from benchmarks.learning.self_learning import adapting_details, adapting_table, study_adapting
from benchmarks.learning.teaching import give_examples
from benchmarks.showing import show
from facetrack.cli._cluster import add_cluster_arguments, cluster_map, make_absolute
from facetrack.cli._reports import shown
from facetrack.datasets.pts_folder import load_folder
from facetrack.errors import InputError
from facetrack.evaluation.clips import Clip, clip_with_truth, find_clip, find_clips
from facetrack.evaluation.footage import Spread
from facetrack.evaluation.people import synthetic_people
from facetrack.fitting.face_model import FaceModel
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.model import load_model
from facetrack.reporting.plots import plot_curves
from facetrack.tracking.tracker import Tracker

SKIPPED = "CoTracker3: needs torch and its weights; score its tracks with `facetrack score`"


def main() -> int:
    """Measure and show."""
    parser = make_parser(__doc__)
    parser.add_argument(
        "inputs",
        type=Path,
        nargs="*",
        metavar="INPUT",
        help="videos, or folders of videos, with a track beside each (NAME.mp4 with NAME.npz)",
    )
    parser.add_argument(
        "--people",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="also ten synthetic people with exact truth, made from these labelled pictures",
    )
    parser.add_argument(
        "--truth",
        type=Path,
        metavar="TRACK",
        help="of a single video: a table, a .pts folder or a track, wherever it lies",
    )
    parser.add_argument(
        "--reference",
        metavar="NAME",
        help="whose points are the person's, where a track holds several: 'PFLD' or 'dlib ERT' "
        "(default: the first)",
    )
    parser.add_argument(
        "--corrections",
        type=correction_counts,
        default=(1, 3, 8),
        metavar="N,...",
        help="numbers of corrected frames; 0 is no correction, which is always shown "
        "(default: 1,3,8)",
    )
    parser.add_argument(
        "--adapt",
        action="store_true",
        help="instead: no corrections; compare tracking with and without learning from own tracks",
    )
    parser.add_argument("--every", type=int, default=2, help="process every Nth frame (default: 2)")
    parser.add_argument(
        "--frames", type=int, default=120, help="process at most so many; 0: all (default: 120)"
    )
    add_cluster_arguments(parser, "clips")
    parser.add_argument("--model", metavar="NAME", help="a model's name or file")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="error against corrections")
    args = parser.parse_args()
    make_absolute(args)
    model = load_model(args.model)
    clips = clips_of(args, model.shape_model)
    return (_adapt if args.adapt else _teach)(args, model, clips)


def correction_counts(text: str) -> tuple[int, ...]:
    """Read numbers of corrections, separated by commas; 0 is the row that is always there."""
    try:
        numbers = sorted({int(word) for word in text.split(",")})
    except ValueError:
        numbers = [-1]
    counts = tuple(number for number in numbers if number > 0)
    if numbers[0] < 0 or not counts:
        raise argparse.ArgumentTypeError(f"need numbers of frames such as 0,1,3,8, got {text!r}")
    return counts


def clips_of(args: argparse.Namespace, shape_model: ShapeModel) -> list[Clip]:
    """Find the clips that `inputs`, `truth` and `people` ask for."""
    if args.truth is not None:
        if len(args.inputs) != 1 or args.inputs[0].is_dir():
            raise InputError("--truth belongs to a single video")
        clips = [clip_with_truth(args.inputs[0], args.truth)]
    else:
        found = [find_clips(p) if p.is_dir() else [find_clip(p)] for p in args.inputs]
        clips = [clip for clips in found for clip in clips]
    if args.people:
        pictures = [picture for folder in args.people for picture in load_folder(folder)]
        clips += synthetic_people(pictures, shape_model)
    if not clips:
        raise InputError("name a video, a folder of videos, or --people with labelled pictures")
    return clips


def _teach(args: argparse.Namespace, model: FaceModel, clips: list[Clip]) -> int:
    """Compare what is made of corrections."""
    with cluster_map(args) as map_:
        examples = give_examples(
            partial(Tracker, model, max_faces=1),
            [*rivals(model.shape_model), *learners(model)],
            clips,
            counts=args.corrections,
            reference=args.reference,
            every=args.every,
            most=args.frames or None,
            map_=shown("clips", len(clips), map_),
        )
    if not examples:
        raise InputError("no clip has enough frames whose reference can be trusted")
    details = {**learning_details(examples), "skipped": [SKIPPED]}
    if args.plot:
        plot_curves(
            args.plot,
            ratio_curves(examples, Spread.CLIP),
            title=f"{len(clips)} clips, corrections spread over each",
            labels=("corrected frames", "error after / before, median over clips"),
        )
    show(learning_table(details), args.json, n=len(clips), model=model.name, details=details)
    return 0


def _adapt(args: argparse.Namespace, model: FaceModel, clips: list[Clip]) -> int:
    """Compare tracking with and without learning from own tracks."""
    with cluster_map(args) as map_:
        adapted = study_adapting(
            partial(_adapting_tracker, model),
            model.shape_model,
            clips,
            reference=args.reference,
            every=args.every,
            most=args.frames or None,
            map_=shown("clips", len(clips), map_),
        )
    if not adapted:
        raise InputError("no clip has enough frames whose reference can be trusted")
    details = adapting_details(adapted)
    show(adapting_table(details), args.json, n=len(adapted), model=model.name, details=details)
    return 0


def _adapting_tracker(model: FaceModel, adapt: bool) -> Tracker:
    return Tracker(model, adapt=adapt)
