"""The numbers of one person as one picture, for slides and letters: the table, then the curves."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.image import imsave

from facetrack.reporting.plots import new_figure
from facetrack.reporting.tables import Table
from facetrack.summary.curves import WIDTH, figures
from facetrack.summary.numbers import Summary
from facetrack.summary.spans import when
from facetrack.summary.tables import comparison_table
from facetrack.summary.timeline import Timeline

_DPI: Final = 150.0
_LINE: Final = 0.145  # inches
_EDGE: Final = 0.2  # inches
_SMALL: Final = 7.0  # points
_SPACING: Final = 1.4  # of lines in a cell; fits `_LINE`
_FIRST: Final = 0.31  # shares of the width: of the rows' names,
_NUMBER: Final = 0.11  # of a number; notes take what is left
_APART: Final = 0.015  # between two cells
_PER_INCH: Final = 17.5  # letters of that size


def picture(title: str, person: Timeline, summaries: Sequence[Summary]) -> bytes:
    """Draw numbers of a person over one span, or over several beside each other, as PNG."""
    spans = [s.span for s in summaries if s.span != person.whole]
    head = [title, *(when(s.span) for s in summaries)]
    parts = [_listed(head, comparison_table(summaries)), *figures(person, spans)]
    buffer = io.BytesIO()
    imsave(buffer, np.concatenate([_pixels(part) for part in parts]), format="png", dpi=_DPI)
    return buffer.getvalue()


def _pixels(figure: Figure) -> npt.NDArray[np.uint8]:
    figure.set_dpi(_DPI)
    canvas: Any = figure.canvas
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def _listed(head: Sequence[str], table: Table) -> Figure:
    """Write lines, and a table below them."""
    noted = table.headers[-1] == "note"
    numbers = len(table.headers) - 1 - noted
    widths = [_FIRST, *[_NUMBER] * numbers]
    widths += [1 - sum(widths)] * noted
    starts = np.cumsum([0.0, *widths])
    lines = [_wrapped(text, 1.0) for text in head]
    rows = [
        [_wrapped(cell, width - _APART) for cell, width in zip(row, widths, strict=True)]
        for row in ([*table.headers], *table.cells)
    ]
    inside, wide = WIDTH - 2 * _EDGE, WIDTH
    heights = [*map(_lines, lines), *(max(map(_lines, row)) for row in rows)]
    tall = sum(heights) * _LINE + 2 * _EDGE
    figure = new_figure(wide, tall)
    figure.set_layout_engine("none")
    tops = 1 - (_EDGE + _LINE * np.cumsum([0, *heights])) / tall
    blocks: list[list[tuple[float, str, str]]] = [[(0.0, text, "left")] for text in lines]
    for row in rows:
        places = [("right", starts[k + 1] - _APART) if 0 < k <= numbers else ("left", starts[k])
                  for k in range(len(row))]  # fmt: skip
        blocks.append([(x, text, side) for (side, x), text in zip(places, row, strict=True)])
    for number, (block, top) in enumerate(zip(blocks, tops, strict=False)):
        for x, text, side in block:
            figure.text((_EDGE + x * inside) / wide, top, text, ha=side, va="top",
                        fontsize=_SMALL, linespacing=_SPACING, parse_math=False,
                        fontweight="bold" if number in (0, len(lines)) else "normal")  # fmt: skip
    return figure


def _wrapped(text: str, share: float) -> str:
    """Break a text into lines of a share of the width."""
    return textwrap.fill(text, max(round(share * (WIDTH - 2 * _EDGE) * _PER_INCH), 8))


def _lines(text: str) -> int:
    return text.count("\n") + 1
