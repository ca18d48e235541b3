"""`facetrack evaluate`: measures a model on labelled pictures and on videos."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facetrack.cli._cluster import add_cluster_arguments, cluster_map, make_absolute
from facetrack.cli._common import A_MODEL, add_options, model_of
from facetrack.cli._confidence import add_confidence_arguments, evaluate_confidence
from facetrack.cli._events import add_event_arguments, evaluate_events
from facetrack.cli._peers import (
    add_peer_arguments,
    add_prediction_arguments,
    named_folders,
    peer_makers,
)
from facetrack.cli._reports import print_tables, shown, write_report
from facetrack.errors import InputError
from facetrack.landmarks.markup import MARKUPS

if TYPE_CHECKING:  # the libraries behind these load when a run needs them
    from facetrack.datasets.pts_folder import LabelledImage
    from facetrack.evaluation.predictions import Predictions
    from facetrack.parallel import Map

HELP = "Measure a model on labelled pictures or on videos, beside its peers on the same data."
EXAMPLES = """\
facetrack evaluate landmarks lfpw_test --json lfpw.json --plot lfpw.png
facetrack evaluate landmarks lfpw_test --motions ytf/test
facetrack evaluate landmarks lfpw_test --start detect --peers --ert ert.dat --peers-dir peers
facetrack evaluate 300vw 300VW_Dataset --category 1 --points 49
facetrack evaluate 300vw 300VW_Dataset --adapt --peers --peers-dir peers --work runs --workers 4
facetrack evaluate video videos --smoothing 0.5 --workers 4 --json videos.json
facetrack evaluate confidence lfpw_test helen_test --people helen_test --plot reliability.png
facetrack evaluate events clips --labels blinks.csv --workers 2 --json blinks.json
facetrack evaluate events videos --channels peer.npz eyeBlinkLeft,eyeBlinkRight
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the kinds of measurement."""
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True)
    landmarks = kinds.add_parser("landmarks", help="a folder of pictures with .pts files")
    _add_landmark_arguments(landmarks)
    w300vw = kinds.add_parser("300vw", help="the videos of 300-VW")
    _add_300vw_arguments(w300vw)
    video = kinds.add_parser("video", help="videos with tracks (.npz) beside them")
    video.add_argument("folder", type=Path, metavar="DIR", help="NAME.mp4 with NAME.npz")
    add_peer_arguments(video)
    add_prediction_arguments(video)
    confidence = kinds.add_parser(
        "confidence", help="whether the points' confidence comes true, on pictures and on videos"
    )
    add_confidence_arguments(confidence)
    events = kinds.add_parser("events", help="whether blinks and other events are found")
    add_event_arguments(events)
    for kind in (w300vw, video):
        kind.add_argument(
            "--smoothing", type=float, default=0.0, help="0 (none, default) to 1 (strong)"
        )
    add_cluster_arguments(landmarks, "pictures")
    for kind in (w300vw, video, events):
        add_cluster_arguments(kind, "videos")
    add_cluster_arguments(confidence, "pictures and videos")
    for kind in (landmarks, w300vw, video, confidence, events):
        add_options(kind, "--model", help=A_MODEL)
        add_options(kind, "--json")


def _add_landmark_arguments(landmarks: argparse.ArgumentParser) -> None:
    landmarks.add_argument("folder", type=Path, metavar="DIR", help="pictures with .pts files")
    landmarks.add_argument(
        "--start",
        choices=["track", "detect"],
        default="track",
        help="start fits from the moved truth, projected on the shape model and not, or from "
        "the face detector (default: track)",
    )
    landmarks.add_argument(
        "--motions",
        type=Path,
        metavar="DIR",
        help="also start where faces were before real motions: those between the frames NAME_a and "
        "NAME_b of DIR, which training must not have seen",
    )
    add_options(landmarks, "--seeds", "--plot")
    _add_points(landmarks, list(MARKUPS))
    add_peer_arguments(landmarks)
    add_prediction_arguments(landmarks)
    landmarks.add_argument(
        "--convention",
        nargs=3,
        action="append",
        default=[],
        metavar=("NAME", "PREDICTIONS", "TRUTH"),
        help="learn how the mark-up of program NAME differs from ours on a quarter of a folder of "
        "training pictures, and add rows with its predictions corrected; may be repeated",
    )
    landmarks.add_argument(
        "--own-convention",
        type=Path,
        metavar="DIR",
        help="the same for our model and --peers: how the mark-up of each differs from that of "
        "DIR's training pictures",
    )


def _add_300vw_arguments(w300vw: argparse.ArgumentParser) -> None:
    w300vw.add_argument(
        "root", type=Path, metavar="ROOT", help="folder with 114/vid.avi or 114/imgs, ..."
    )
    w300vw.add_argument("--category", choices=["1", "2", "3", "all"], default="all")
    w300vw.add_argument(
        "--start",
        choices=["detect", "label"],
        default="detect",
        help="follow the face that the detector finds best, as the protocol does, or, of the faces "
        "it finds, the labelled one (default: detect)",
    )
    w300vw.add_argument(
        "--adapt", action="store_true", help="also track while learning from own tracks (iCCR)"
    )
    text = "keeps the track of every finished clip; an interrupted run continues from there"
    add_options(w300vw, "--work", help=text)
    add_peer_arguments(w300vw)
    _add_points(w300vw, [68, 49])
    add_options(w300vw, "--plot")


def _add_points(parser: argparse.ArgumentParser, choices: list[int]) -> None:
    parser.add_argument(
        "--points",
        type=int,
        choices=choices,
        default=68,
        help="points that count: 51 leaves out the jaw, 49 also the inner mouth corners",
    )


def run(args: argparse.Namespace) -> int:
    """Evaluate and print a table; write the JSON file and the plot where asked."""
    make_absolute(args)
    kinds = {
        "landmarks": _landmarks,
        "300vw": _300vw,
        "video": _video,
        "confidence": evaluate_confidence,
        "events": evaluate_events,
    }
    return kinds[args.kind](args)


def _landmarks(args: argparse.Namespace) -> int:
    from facetrack.datasets.pts_folder import load_folder
    from facetrack.evaluation.landmarks import (
        curves,
        landmark_details,
        landmark_report,
        landmark_table,
        with_learned_conventions,
    )
    from facetrack.evaluation.plots import plot_cumulative
    from facetrack.evaluation.protocols import from_peer

    model = model_of(args)
    images = load_folder(args.folder)
    with cluster_map(args) as map_:
        predictions = _own_predictions(args, model, images, map_)
        teaching = load_folder(args.own_convention) if args.own_convention else []
        if teaching:
            examples = _own_predictions(args, model, teaching, map_)
            for ours, example in zip(tuple(predictions), examples, strict=True):
                predictions += with_learned_conventions(ours, [example])
    makers, skipped = peer_makers(args)
    for make_peer in makers:
        peer = make_peer()
        predictions.append(from_peer(peer, images, map_=shown(peer.name, len(images))))
        if teaching:
            example = from_peer(peer, teaching, map_=shown(peer.name, len(teaching)))
            predictions += with_learned_conventions(predictions[-1], [example])
    predictions += _predicted_elsewhere(args, images)
    report = landmark_report(
        args.folder.name, images, predictions, markup=args.points, skipped=skipped
    )
    details = landmark_details(report)
    print_tables(landmark_table(details, images=len(images)))
    if args.plot:
        plot_cumulative(args.plot, curves(report), title=f"{report.data}, {report.markup} points")
    main = report.rows[0].summary
    write_report(args, model=model.name, n=main.n, summary=main, details=details)
    return 0


def _own_predictions(
    args: argparse.Namespace, model: Any, images: Sequence[LabelledImage], map_: Map
) -> list[Predictions]:
    """Run our model: the fair protocol first, the one with the truth's help second."""
    from facetrack.datasets.pts_folder import load_folder
    from facetrack.evaluation.protocols import from_detector, from_real_motion, from_tracking_starts

    if args.start == "detect":
        from facetrack.detection.face_detector import FaceDetector

        door = shown("detector start", len(images), map_)
        return [from_detector(model, images, detector=FaceDetector(), map_=door)]
    found = [
        from_tracking_starts(
            model,
            images,
            seeds=args.seeds,
            projected=kind == "projected",
            map_=shown(f"{kind} truth", len(images), map_),
        )
        for kind in ("projected", "moved")
    ]
    if args.motions:
        door = shown("real motion", len(images), map_)
        clips = load_folder(args.motions)
        found.append(from_real_motion(model, images, clips, seeds=args.seeds, map_=door))
    return found


def _predicted_elsewhere(
    args: argparse.Namespace, images: Sequence[LabelledImage]
) -> list[Predictions]:
    from facetrack.datasets.pts_folder import load_folder
    from facetrack.evaluation.landmarks import with_learned_conventions
    from facetrack.evaluation.protocols import from_folder

    stored = {n: from_folder(n, f, images) for n, f in named_folders(args).items()}
    rows = list(stored.values())
    examples: dict[str, list[Predictions]] = {}
    for name, predicted, truth in args.convention:
        if name not in stored:
            raise InputError(f"--convention {name} needs --predictions {name}=DIR as well")
        example = from_folder(name, Path(predicted), load_folder(truth))
        examples.setdefault(name, []).append(example)
    for name, parts in examples.items():
        rows += with_learned_conventions(stored[name], parts)
    return rows


def _300vw(args: argparse.Namespace) -> int:
    import numpy as np

    from facetrack.datasets.w300vw import load, missing_clips
    from facetrack.evaluation.plots import plot_cumulative
    from facetrack.evaluation.w300vw import ALL, evaluate_300vw
    from facetrack.evaluation.w300vw_report import w300vw_details, w300vw_table
    from facetrack.evaluation.w300vw_systems import STARTS

    clips = load(args.root, category=args.category)
    systems, skipped = _300vw_systems(args)
    with cluster_map(args) as map_:
        report = evaluate_300vw(
            systems,
            clips,
            missing=missing_clips(args.root, category=args.category),
            markup=args.points,
            work=args.work,
            map_=shown("tracks of clips", len(clips) * len(systems), map_),
        )
    details = w300vw_details(report, start=STARTS[args.start], skipped=skipped)
    print_tables(w300vw_table(details))
    if args.plot:
        curves = {
            f"{system.name}, category {c}": np.concatenate(
                [clip.errors for clip in system.clips if clip.category == c]
            )
            for system in report.systems
            for c in system.categories
            if c != ALL
        }
        plot_cumulative(args.plot, curves, title=f"300-VW, {report.markup} points")
    ours = report.systems[0]
    pooled = ours.categories[ALL]
    write_report(args, model=ours.name, n=pooled.n, summary=pooled, details=details)
    return 0


def _300vw_systems(args: argparse.Namespace) -> tuple[list[Any], list[str]]:
    """Make the systems that are asked for, ours first, and say which peers cannot run."""
    from facetrack.corpus.fingerprint import fingerprint
    from facetrack.evaluation.w300vw_systems import peer_system, tracker_system
    from facetrack.version import installed_version

    model, make = _tracker(args)
    settings = f"facetrack {installed_version()}"
    ours = f"{settings}, smoothing {args.smoothing:g}"
    if args.work:
        ours += f", model {fingerprint(model)}"
    systems = [tracker_system(model.name, make, start=args.start, settings=ours)]
    if args.adapt:
        learning = partial(make, adapt=True)
        name = f"{model.name}, adapting"
        systems.append(tracker_system(name, learning, start=args.start, settings=ours))
    makers, skipped = peer_makers(args)
    systems += [peer_system(peer, start=args.start, settings=settings) for peer in makers]
    return systems, skipped


def _video(args: argparse.Namespace) -> int:
    from facetrack.evaluation.clips import find_clips, still_clip
    from facetrack.evaluation.errors import summary
    from facetrack.evaluation.video import evaluate_clips
    from facetrack.evaluation.video_report import video_details, video_table

    model, make_tracker = _tracker(args)
    makers, skipped = peer_makers(args)
    clips = [*find_clips(args.folder), still_clip(model.shape_model)]
    with cluster_map(args) as map_:
        report = evaluate_clips(
            make_tracker,
            clips,
            peers=makers,
            predictions=named_folders(args),
            map_=shown("clips", len(clips), map_),
        )
    details = {**video_details(report), "skipped": skipped}
    print_tables(video_table(details))
    ours = next(iter(report.pooled.values()))
    errors = summary(next(iter(ours.errors.values())))
    write_report(args, model=model.name, n=errors.n, summary=errors, details=details)
    return 0


def _tracker(args: argparse.Namespace) -> tuple[Any, Callable[..., Any]]:
    from facetrack.tracking.tracker import Tracker

    model = model_of(args)
    return model, partial(Tracker, model, max_faces=1, smoothing=args.smoothing)
