# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies behind and beside the lines of live charts: intervals, what is unknown, influences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyqtgraph
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QBrush, QColor, QPainter, QPainterPath, QPen
from PyQt5.QtWidgets import QGraphicsPathItem, QStyleOptionGraphicsItem, QWidget

from facetrack.reading import Spec
from facetrack_app.model.influence import region
from facetrack_app.model.strip import Strip

_BEHIND: Final = -10.0  # below lines and events
_THICK: Final = 0.35  # of a bar, up and down from its middle
WIDTH: Final = 120  # px of influences
_USUAL: Final = 0.25  # of its range that an influence seldom leaves; the scale grows beyond it

Floats = npt.NDArray[np.float64]
Shape = tuple[Floats, Floats]


class Area(QGraphicsPathItem):
    """Filled shapes in the units of a plot: one item, however many there are and how often."""

    def __init__(self, plot: pyqtgraph.PlotItem, brush: QBrush) -> None:
        super().__init__()
        self.setPen(QPen(Qt.NoPen))
        self.setBrush(brush)
        self.setZValue(_BEHIND)
        plot.addItem(self, ignoreBounds=True)

    def fill(self, shapes: Iterable[Shape]) -> None:
        """Show other shapes, each the x and y of its corners."""
        corners = [np.stack(shape) for shape in shapes]
        if not corners:
            self.setPath(QPainterPath())
            return
        joined = np.ones(sum(c.shape[1] for c in corners), np.int32)
        joined[np.cumsum([c.shape[1] for c in corners]) - 1] = 0
        self.setPath(pyqtgraph.arrayToQPath(*np.concatenate(corners, axis=1), connect=joined))

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Fill; a hatch is one of pixels, whatever the units of the plot are."""
        brush = QBrush(self.brush())
        brush.setTransform(painter.worldTransform().inverted()[0])
        painter.fillPath(self.path(), brush)


def between(x: Floats, low: Floats, high: Floats) -> Iterator[Shape]:
    """Give the shapes between two lines, which have gaps where one of them is NaN."""
    known = np.isfinite(low) & np.isfinite(high)
    edges = np.flatnonzero(np.diff(known.astype(np.int8), prepend=0, append=0))
    for a, b in edges.reshape(-1, 2).tolist():
        yield np.append(x[a:b], x[a:b][::-1]), np.append(low[a:b], high[a:b][::-1])


def box(left: float, right: float, low: float, high: float) -> Shape:
    """Give a shape of four corners."""
    return np.array([left, right, right, left]), np.array([low, low, high, high])


class Influences:
    """What raises and lowers a value at present: a bar for each of its parts, with its sign."""

    def __init__(
        self, plot: pyqtgraph.PlotItem, parts: Sequence[Spec], text: QColor, colour: QColor
    ) -> None:
        self._plot, self._parts = plot, parts
        self._usual = _USUAL * max(spec.range[1] for spec in parts)
        self._reach = 0.0
        plot.setYRange(-0.5, len(parts) - 0.5, padding=0)
        plot.invertY()
        plot.setMouseEnabled(False, False)
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.setMaximumWidth(WIDTH)
        plot.setTitle("influence", color=text, size="9pt")
        plot.setToolTip("\n".join(spec.meaning for spec in parts))
        for side in ("left", "bottom"):
            plot.getAxis(side).setTextPen(text)
        plot.getAxis("left").setTicks([[(i, region(spec)) for i, spec in enumerate(parts)]])
        self.bars = Area(plot, QBrush(colour))
        plot.addItem(pyqtgraph.InfiniteLine(0, pen=pyqtgraph.mkPen(text)), ignoreBounds=True)
        self.draw(Strip())

    def draw(self, strip: Strip) -> None:
        """Show what is known now."""
        now = np.array([strip.current(spec.name).value for spec in self._parts])
        known = np.flatnonzero(np.isfinite(now)).tolist()
        self.bars.fill(box(0.0, float(now[i]), i - _THICK, i + _THICK) for i in known)
        reach = float(np.abs(now[known]).max(initial=self._usual))
        if reach != self._reach:
            self._reach = reach
            self._plot.setXRange(-reach, reach, padding=0.15)  # numbers have room
            ends = [(sign * reach, f"{sign * reach:+.2g}") for sign in (-1, 1)]
            self._plot.getAxis("bottom").setTicks([[(0.0, "0"), *ends]])
