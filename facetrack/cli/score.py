"""`facetrack score`: compares predicted landmarks with the truth."""

from __future__ import annotations

import argparse
from pathlib import Path

from facetrack.cli._common import add_options
from facetrack.cli._reports import write_report
from facetrack.landmarks.markup import MARKUPS

HELP = (
    "Compare predicted landmarks with the truth: CSV files of Facetrack or OpenFace, folders of "
    ".pts files, or tracks (.npz)."
)
EXAMPLES = """\
facetrack score results/clip.csv truth/clip.csv
facetrack score openface/vid.csv 300VW_Dataset/007/annot --points 49 --json vid.json
facetrack score predicted_pts lfpw_test
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("predictions", type=Path, metavar="PREDICTIONS")
    parser.add_argument("truth", type=Path, metavar="TRUTH")
    parser.add_argument("--points", type=int, choices=list(MARKUPS), default=68)
    parser.add_argument("--face", type=int, help="the face of PREDICTIONS, if it has several")
    parser.add_argument("--truth-face", type=int, help="the face of TRUTH, if it has several")
    parser.add_argument(
        "--first-pixel",
        type=int,
        choices=[0, 1],
        default=1,
        help="coordinate of the first pixel's centre in the .pts files of PREDICTIONS (default: 1)",
    )
    add_options(parser, "--json")
    add_options(parser, "--plot", help="cumulative error curve")


def run(args: argparse.Namespace) -> int:
    """Print the score."""
    from facetrack.evaluation.plots import plot_cumulative
    from facetrack.evaluation.score import load_landmarks, score
    from facetrack.evaluation.score_report import score_details, score_table

    report = score(
        load_landmarks(args.predictions, first_pixel=args.first_pixel, face=args.face),
        load_landmarks(args.truth, face=args.truth_face),
        markup=args.points,
    )
    print(score_table(report))
    if args.plot:
        name = args.predictions.name
        plot_cumulative(args.plot, {name: report.errors}, title=f"against {args.truth.name}")
    write_report(
        args, model="", n=report.summary.n, summary=report.summary, details=score_details(report)
    )
    return 0
