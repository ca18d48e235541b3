"""`facetrack evaluate confidence`: whether the points' confidence comes true."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facetrack.cli._cluster import cluster_map
from facetrack.cli._common import add_options, model_of
from facetrack.cli._reports import print_tables, shown, write_report

if TYPE_CHECKING:  # the libraries behind these load when a run needs them
    from facetrack.evaluation.clips import Clip
    from facetrack.evaluation.confidence import Judged
    from facetrack.parallel import Map


def add_confidence_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what is judged, and where the diagrams go."""
    parser.add_argument(
        "folders",
        nargs="+",
        type=Path,
        metavar="DIR",
        help="pictures with .pts files, or NAME.mp4 with NAME.npz",
    )
    parser.add_argument(
        "--people",
        nargs="+",
        type=Path,
        default=[],
        metavar="PICTURES",
        help="also clips of ten synthetic people with exact truth, made from labelled pictures",
    )
    parser.add_argument(
        "--taught",
        action="store_true",
        help="also after 1, 3 and 8 corrected frames of each clip, on all others",
    )
    add_options(parser, "--seeds")
    add_options(parser, "--plot", help="reliability diagrams")


def evaluate_confidence(args: argparse.Namespace) -> int:
    """Judge the confidence of points and print a table; write the JSON file and the plot."""
    from facetrack.evaluation.confidence import with_all
    from facetrack.evaluation.confidence_report import confidence_details, confidence_table
    from facetrack.evaluation.plots import plot_reliability

    model = model_of(args)
    with cluster_map(args) as map_:
        report = [j for folder in args.folders for j in _judge(folder, args, model, map_)]
        if args.people:
            report += _judge_people(args, model, map_)
    report = with_all(report)
    details = {"rows": confidence_details(report)}
    print_tables(confidence_table(details))
    if args.plot:
        plot_reliability(args.plot, {f"{j.data}, {j.start}": j.parts() for j in report})
    write_report(args, model=model.name, n=sum(len(j.yaw) for j in report), details=details)
    return 0


def _judge(folder: Path, args: argparse.Namespace, model: Any, map_: Map) -> list[Judged]:
    """Judge the confidence on one folder, of pictures or of videos."""
    from facetrack.datasets.pts_folder import load_folder
    from facetrack.detection.face_detector import FaceDetector
    from facetrack.evaluation.clips import find_clips
    from facetrack.evaluation.confidence import judge_pictures

    name = folder.name
    if not any(folder.glob("*.pts")):
        return _judge_clips(name, find_clips(folder), args, model, map_)
    images = load_folder(folder)
    track, detect = (
        shown(f"{name}, {start}", len(images), map_) for start in ("projected truth", "detector")
    )
    return [
        judge_pictures(model, name, images, seeds=args.seeds, map_=track),
        judge_pictures(model, name, images, detector=FaceDetector(), map_=detect),
    ]


def _judge_people(args: argparse.Namespace, model: Any, map_: Map) -> list[Judged]:
    """Judge the confidence on ten synthetic people."""
    from facetrack.datasets.pts_folder import load_folder
    from facetrack.evaluation.people import synthetic_people

    pictures = [picture for folder in args.people for picture in load_folder(folder)]
    clips = synthetic_people(pictures, model.shape_model)
    return _judge_clips("ten synthetic people", clips, args, model, map_)


def _judge_clips(
    name: str, clips: Sequence[Clip], args: argparse.Namespace, model: Any, map_: Map
) -> list[Judged]:
    """Judge the confidence on clips, and where that is asked for on clips whose person is known."""
    from facetrack.evaluation.confidence import judge_clips, judge_taught
    from facetrack.tracking.tracker import Tracker

    door = shown(name, len(clips), map_)
    found = judge_clips(partial(Tracker, model), name, clips, model.shape_model, map_=door)
    if args.taught:
        door = shown(f"{name}, taught", len(clips), map_)
        found += judge_taught(model, name, clips, map_=door)
    return found
