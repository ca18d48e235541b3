"""Evaluations as JSON files and plain-text tables."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from facetrack.evaluation.errors import ErrorSummary
from facetrack.formats.atomic import write_text
from facetrack.version import installed_version


def document(
    *, command: str, model: str, summary: ErrorSummary | None, n: int, details: Mapping[str, Any]
) -> dict[str, Any]:
    """Build what every JSON report holds.

    Parameters
    ----------
    command : str
        The command line that made it.
    model : str
        Name of the model; empty where none was used.
    summary : ErrorSummary or None
        The main landmark errors, if the command measures any.
    n : int
        Number of faces, frames or clips measured.
    details : mapping
        Whatever else was measured; arrays and numbers of numpy are allowed.

    Returns
    -------
    dict
        `command`, `version`, `model`, `n`; with landmark errors `mean`, `median` (% of the
        outer-eye distance), `found`, `auc08`, `over08` (fractions of 1); then the details.
    """
    head = {"command": command, "version": installed_version(), "model": model, "n": n}
    errors = {} if summary is None else {k: v for k, v in asdict(summary).items() if k != "n"}
    return {**head, **errors, "details": dict(details)}


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a report; numbers that are not finite become null.

    Parameters
    ----------
    path : Path
        The file.
    content : mapping
        From `document`.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    write_text(path, json.dumps(_plain(content), indent=2, allow_nan=False) + "\n")


def _plain(value: Any) -> Any:
    """Turn numpy's types into Python's; six digits are more than any measure here holds."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value


def table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Lay out a plain-text table.

    Parameters
    ----------
    headers : sequence of str
        One per column.
    rows : sequence of sequence
        Cells; floats get three significant digits after the point or fewer, NaN a dash.

    Returns
    -------
    str
        Lines without trailing blanks; the first and the last column are left-aligned when they
        hold words.
    """
    cells = [[_cell(c) for c in row] for row in rows]
    words = [any(isinstance(row[k], str) for row in rows) for k in range(len(headers))]
    widths = [max(len(r[k]) for r in [list(headers), *cells]) for k in range(len(headers))]
    lines = [list(headers), ["-" * w for w in widths], *cells]
    return "\n".join(
        "  ".join(
            c.ljust(w) if left else c.rjust(w)
            for c, w, left in zip(line, widths, words, strict=True)
        ).rstrip()
        for line in lines
    )


def _cell(value: object) -> str:
    if isinstance(value, float | np.floating):
        return f"{value:.3f}" if math.isfinite(value) else "-"
    return str(value)


SUMMARY_HEADERS = ("found %", "mean %", "median %", "AUC 8 %", "over 8 %")


def summary_cells(summary: ErrorSummary) -> tuple[str, ...]:
    """Write a summary as cells for a person: everything in % but the area.

    Parameters
    ----------
    summary : ErrorSummary

    Returns
    -------
    tuple of str
        In the order of `SUMMARY_HEADERS`.
    """

    def number(value: float, digits: int) -> str:
        return f"{value:.{digits}f}" if math.isfinite(value) else "-"

    return (
        number(100 * summary.found, 1),
        number(summary.mean, 2),
        number(summary.median, 2),
        number(summary.auc08, 3),
        number(100 * summary.over08, 1),
    )
