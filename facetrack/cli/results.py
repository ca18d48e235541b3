"""`facetrack results`: makes pages of the JSON reports of other commands."""

from __future__ import annotations

import argparse
import re
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from facetrack.errors import FormatError, InputError

if TYPE_CHECKING:
    from facetrack.reporting.tables import Part

    Lay = Callable[[Mapping[str, Any]], list[Part]]

HELP = (
    "Make a page of every JSON report: the command line that measured it, version and model, and "
    "the tables that the command printed. Of `evaluate landmarks`, `evaluate 300vw`, `evaluate "
    "video`, `evaluate confidence`, `evaluate events`, `actions compare`, `networks evaluate`, "
    "`pain evaluate`, `lips evaluate` and, from a clone, `python -m benchmarks`."
)
EXAMPLES = """\
facetrack evaluate landmarks lfpw_test --json lfpw.json
facetrack results lfpw.json
facetrack results lfpw.json video.json -o docs/results
"""
_BENCHMARK: Final = re.compile(r"python -m benchmarks (\w+)\b")
# What comes of details that lack something or hold something else.
_DAMAGE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeWarning,  # numpy's, of the mean of nothing
    StopIteration,
    TypeError,
    ValueError,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "files", type=Path, nargs="+", metavar="FILE.json", help="what --json wrote"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="where FILE.md goes (default: here)",
    )


def run(args: argparse.Namespace) -> int:
    """Write a page for every report."""
    from facetrack.formats.atomic import write_text

    if len({path.stem for path in args.files}) < len(args.files):
        raise InputError("two of the files have one name, so their pages would have, too")
    pages = {args.output / f"{path.stem}.md": _page(path) for path in args.files}
    for place, page in pages.items():
        write_text(place, page)
        print(place)
    return 0


def _page(path: Path) -> str:
    from facetrack.reporting.envelope import read_report
    from facetrack.reporting.results import results_page

    report = read_report(path)
    kind, lay_out = _layout(path, report["command"])
    try:
        with warnings.catch_warnings(action="error", category=RuntimeWarning):
            parts = lay_out(report["details"])
    except _DAMAGE as error:
        cause = f"not a whole report of `{kind}` ({error!r})"
        raise FormatError(path, cause, remedy="measure again") from error
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat()
    return results_page(report, parts, title=f"{kind}: {path.stem}", written=written)


def _layout(path: Path, command: str) -> tuple[str, Lay]:
    """Find what lays out the report of a command line."""
    from facetrack.reporting.tables import from_data

    layouts = _layouts()
    for kind, lay_out in layouts.items():
        if f"{command} ".startswith(f"facetrack {kind} "):
            return kind, lay_out
    if benchmark := _BENCHMARK.match(command):
        return benchmark[1], lambda details: from_data(details["parts"])
    raise FormatError(
        path, f"no page is made of {command!r}", remedy=f"only of {', '.join(layouts)}"
    )


def _layouts() -> dict[str, Lay]:
    from facetrack.evaluation.actions import action_table
    from facetrack.evaluation.confidence_report import confidence_table
    from facetrack.evaluation.events import event_table
    from facetrack.evaluation.expression import expression_table
    from facetrack.evaluation.landmarks import landmark_table
    from facetrack.evaluation.video_report import video_table
    from facetrack.evaluation.w300vw_report import w300vw_table
    from facetrack.pain.clips import clip_table
    from facetrack.pain.report import score_table

    return {
        "evaluate landmarks": landmark_table,
        "evaluate 300vw": w300vw_table,
        "evaluate video": video_table,
        "evaluate confidence": confidence_table,
        "evaluate events": event_table,
        "actions compare": lambda d: action_table(d["rows"]),
        "networks evaluate": expression_table,
        "pain evaluate": lambda d: clip_table(d["clips"]) if "clips" in d else score_table(d),
        "lips evaluate": _lip_parts,
    }


def _lip_parts(details: Mapping[str, Any]) -> list[Part]:
    from facetrack.evaluation.isolated_words import isolated_table
    from facetrack.evaluation.lip_alarms import alarm_table
    from facetrack.evaluation.lip_words import own_table
    from facetrack.evaluation.lips import lip_table

    if "late" in details:
        return alarm_table(details)
    if "systems" in details:
        return own_table(details)
    return isolated_table(details) if "paper" in details else lip_table(details)
