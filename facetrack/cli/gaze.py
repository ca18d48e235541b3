"""`facetrack gaze`: gaze in degrees, after a person has looked at known places."""

from __future__ import annotations

import argparse
from pathlib import Path

from facetrack.errors import InputError

HELP = (
    "Turn the gaze of a tracked video into degrees. The person looks at three known places or more "
    "for a second each, head still; a table says when, and at which angles. Angles are those of "
    "the eyes in the head: x to the person's left, y up."
)
EXAMPLES = """\
facetrack track clip.mp4 -o results --signals expression
facetrack gaze results/clip.signals.csv --looks looks.csv -o clip.gaze.csv
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("table", type=Path, metavar="NAME.signals.csv", help="with gaze_x, gaze_y")
    parser.add_argument(
        "--looks",
        type=Path,
        required=True,
        metavar="FILE.csv",
        help="columns start, stop (seconds), x, y (degrees); four looks or more also say how far "
        "the angles can be trusted",
    )
    parser.add_argument("--face", type=int, metavar="ID", help="whose looks (default: the only)")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.csv")


def run(args: argparse.Namespace) -> int:
    """Calibrate, write the angles, say how well the looks agree."""
    from facetrack.formats.atomic import atomic_path
    from facetrack.formats.signals_csv import SignalWriter, read_signals
    from facetrack.summary.gaze import calibrate, read_looks

    if args.output.resolve() in (args.table.resolve(), args.looks.resolve()):
        raise InputError(f"{args.output} would be written over; choose another name for -o")
    table = read_signals(args.table)
    calibration = calibrate(table, read_looks(args.looks), args.face)
    with atomic_path(args.output) as path, SignalWriter(path, calibration.specs) as writer:
        writer.write(calibration.rows(table))
    print(f"{args.output}: face {calibration.face}, {calibration.model}")
    return 0
