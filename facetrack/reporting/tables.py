"""Tables for people."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


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
