"""`facetrack report`: numbers per minute of tracked videos, as a page, CSV and JSON."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from facetrack.cli._common import add_options, complain
from facetrack.errors import FacetrackError, FormatError, InputError

if TYPE_CHECKING:
    from facetrack.corpus.task import Outputs
    from facetrack.summary.report import Recording, Report
    from facetrack.summary.spans import Span

    Reader = Callable[[], Recording]

HELP = (
    "Sum up tracked videos: for every person what could be assessed, events per minute, values and "
    "curves, in one HTML file that needs nothing else, and the same numbers as CSV and "
    "JSON beside it. Exit status 1 if a video shows no face or cannot be read."
)
EXAMPLES = """\
facetrack report results/clip.csv -o clip.html
facetrack report results -o report.html
facetrack report clip.mp4.facetrack -o clip.html
facetrack report results/clip.csv -o clip.html --interval rest=0-30 --interval stimulus=30-60
facetrack report results -o report.html --intervals protocol.csv --csv numbers.csv
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="NAME.csv or NAME.signals.csv of a tracked video, a folder of results, or a session "
        "of the application",
    )
    add_options(parser, "--output", metavar="FILE.html", help="the page")
    parser.add_argument(
        "--interval",
        action="append",
        default=[],
        metavar="NAME=START-STOP",
        help="compare this stretch, in seconds, with the others that are named; repeatable",
    )
    parser.add_argument(
        "--intervals",
        type=Path,
        metavar="FILE.csv",
        help="the same from a table with the columns name, start, stop",
    )
    for kind in ("csv", "json"):
        parser.add_argument(
            f"--{kind}",
            type=Path,
            metavar="FILE",
            help=f"where the numbers go as {kind.upper()} (default: beside the page)",
        )


def run(args: argparse.Namespace) -> int:
    """Write the report; print its files."""
    from facetrack.corpus.results import find_results, reader_elsewhere
    from facetrack.formats.atomic import write_text
    from facetrack.reporting.envelope import document, write_json
    from facetrack.summary.report import Report

    csv_path, json_path = _targets(args)
    report = Report(_spans(args))
    elsewhere = {name: reader_elsewhere(Path(name)) for name in args.inputs}
    sessions = {name: reader for name, reader in elsewhere.items() if reader is not None}
    results = [name for name in args.inputs if name not in sessions]
    found, errors = find_results(results) if results else ({}, [])
    messages = [str(error) for error in errors]
    for message in messages:
        complain(message)
    n, failed = _collect(report, sessions | _readers(found))
    if n:
        write_text(args.output, report.html())
        write_text(csv_path, report.csv())
        content = document(command=args.command_line, model="", n=n, details=report.details)
        write_json(json_path, content)
        print(f"{args.output}, {csv_path}, {json_path}")
    return 1 if failed or messages else 0


def _readers(found: dict[str, Outputs]) -> dict[str, Reader]:
    from facetrack.corpus.results import read_results

    return {
        str(outputs.path("signals")): partial(read_results, outputs, title)
        for title, outputs in found.items()
    }


def _collect(report: Report, readers: dict[str, Reader]) -> tuple[int, int]:
    """Read all recordings; return how many are in the report, and how many are no success."""
    n = failed = 0
    for place, read in tqdm(readers.items(), "videos", disable=None, leave=False):
        try:
            recording = read()
            has_people = report.add(recording)
        except FacetrackError as error:
            failed += 1
            base = place.removesuffix(".signals.csv")
            complain(str(error) if base in str(error) else f"{place}: {error}")
            continue
        n += 1
        if not has_people:
            failed += 1
            complain(f"{place}: no face was found in this video")
        else:
            _check_spans(report, recording.table.timestamp.max(), place)
    return n, failed


def _check_spans(report: Report, end: float, place: str) -> None:
    for span in report.spans:
        if span.start > end:
            complain(f"{place}: the interval {span.name!r} begins at "
                      f"{span.start:g} s, after the video's end at {end:.1f} s")  # fmt: skip


def _targets(args: argparse.Namespace) -> tuple[Path, Path]:
    """Choose the other files; none may take the place of something else."""
    from facetrack.formats.textfile import first_line
    from facetrack.reporting.envelope import read_report
    from facetrack.summary.details import HEADER

    if args.output.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"{args.output}: the page's name must end in .html")
    csv_path: Path = args.csv or args.output.with_suffix(".csv")
    json_path: Path = args.json or args.output.with_suffix(".json")
    if len({args.output, csv_path, json_path}) < 3:
        raise InputError("page, CSV and JSON need names of their own")
    if csv_path.exists() and not first_line(csv_path).startswith(",".join(HEADER[:2])):
        raise InputError(f"{csv_path}: is there and no report; choose another name with --csv")
    if json_path.exists():
        try:
            read_report(json_path)
        except FormatError as error:
            raise InputError(
                f"{json_path}: is there and no report; choose another name with --json"
            ) from error
    return csv_path, json_path


def _spans(args: argparse.Namespace) -> list[Span]:
    from facetrack.summary.spans import parse_span, read_spans, unlike

    listed = read_spans(args.intervals) if args.intervals is not None else []
    return unlike([*listed, *map(parse_span, args.interval)])
