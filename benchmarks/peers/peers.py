"""Facetrack and its peers on the same clips in one run: accuracy, jitter, time and size.

python -m benchmarks peers VIDEOS --peers --peers-dir peers --json peers.json --plot peers.png
python -m benchmarks peers VIDEOS --people helen_test lfpw_test
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from benchmarks.command import make_parser
from benchmarks.peers.comparison import compare
from benchmarks.peers.report import comparison_details, comparison_table, curves
from benchmarks.showing import show
from benchmarks.speed.timing import single_thread
from facetrack.cli._peers import (
    add_peer_arguments,
    add_prediction_arguments,
    named_folders,
    peer_makers,
)
from facetrack.cli._reports import shown
from facetrack.datasets.pts_folder import load_folder
from facetrack.evaluation.clips import find_clips, still_clip
from facetrack.evaluation.errors import summary
from facetrack.evaluation.people import synthetic_people
from facetrack.evaluation.plots import plot_panels
from facetrack.evaluation.report import summary_measures
from facetrack.formats.modelfile import find_model
from facetrack.model import load_model
from facetrack.tracking.tracker import Tracker


def main() -> int:
    """Compare and show."""
    parser = make_parser(__doc__)
    parser.add_argument(
        "folder",
        type=Path,
        metavar="FOLDER",
        help="NAME.mp4 with NAME.npz; a still clip is measured as well",
    )
    parser.add_argument(
        "--people",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="also ten synthetic people with exact truth, made from these pictures",
    )
    parser.add_argument(
        "--frames", type=int, default=300, help="frames of each clip to time (default: 300)"
    )
    parser.add_argument("--model", metavar="NAME", help="a model's name or file")
    add_peer_arguments(parser)
    add_prediction_arguments(parser)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="cumulative errors against each reference"
    )
    args = parser.parse_args()
    model = load_model(args.model)
    makers, skipped = peer_makers(args)
    clips = [*find_clips(args.folder), still_clip(model.shape_model)]
    if args.people:
        pictures = [picture for folder in args.people for picture in load_folder(folder)]
        clips += synthetic_people(pictures, model.shape_model)
    with single_thread() as threads:
        contenders = compare(
            partial(Tracker, model, max_faces=1),
            find_model(args.model).stat().st_size,
            clips,
            peers=makers,
            predictions=named_folders(args),
            frames=args.frames,
            map_=shown("clips", len(clips)),
        )
    details = {
        "systems": comparison_details(contenders),
        "clips": [clip.name for clip in clips],
        "threads": list(threads),
        "skipped": skipped,
    }
    panels = curves(contenders)
    if args.plot:
        plot_panels(args.plot, {f"against {key}": errors for key, errors in panels.items()})
    errors = summary(next(iter(contenders[0].measures.errors.values())))
    show(
        comparison_table(details),
        args.json,
        n=errors.n,
        model=model.name,
        details=details,
        measures=summary_measures(errors),
    )
    return 0
