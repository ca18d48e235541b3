"""Sums of landmark errors as JSON reports hold them and as tables show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Final

from facetrack.evaluation.errors import ErrorSummary
from facetrack.reporting.envelope import number
from facetrack.reporting.tables import Quantity

SUMMARY_HEADERS: Final = ("found %", "mean %", "median %", "AUC 8 %", "over 8 %")


def summary_measures(summary: ErrorSummary) -> dict[str, float]:
    """Name the main numbers of a JSON report."""
    return {name: value for name, value in asdict(summary).items() if name != "n"}


def read_summary(details: Mapping[str, Any]) -> ErrorSummary:
    """Read a summary out of a report's details."""
    return ErrorSummary(**{f.name: number(details[f.name]) for f in fields(ErrorSummary)})


def summary_cells(summary: ErrorSummary) -> tuple[str, ...]:
    """Write a summary as cells for a person: everything in % but the area."""
    s = summary
    shown = (Quantity(100 * s.found, 1), Quantity(s.mean, 2), Quantity(s.median, 2),
             Quantity(s.auc08, 3), Quantity(100 * s.over08, 1))  # fmt: skip
    return tuple(map(str, shown))
