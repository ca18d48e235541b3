"""What the commands that measure have in common: progress, and the JSON file."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

if TYPE_CHECKING:
    from facetrack.evaluation.errors import ErrorSummary
    from facetrack.parallel import Map
    from facetrack.reporting.tables import Part


def shown(title: str, total: int, map_: Map = map) -> Map:
    """Give a `map` with a progress bar on the terminal."""

    def mapped(function: Any, items: Any) -> Any:
        return tqdm(map_(function, items), desc=title, total=total, disable=None, leave=False)

    return mapped


def print_tables(parts: Sequence[Part]) -> None:
    """Print what a command has measured."""
    from facetrack.reporting.tables import as_text

    print(as_text(parts))


def write_report(
    args: argparse.Namespace,
    *,
    model: str,
    n: int,
    details: Mapping[str, Any],
    summary: ErrorSummary | None = None,
    measures: Mapping[str, float] | None = None,
) -> None:
    """Write the JSON file where `--json` asks for one."""
    from facetrack.evaluation.report import summary_measures
    from facetrack.reporting.envelope import document, write_json

    if args.json is None:
        return
    content = document(
        command=args.command_line,
        model=model,
        n=n,
        details=details,
        measures=summary_measures(summary) if summary else measures,
    )
    write_json(args.json, content)
