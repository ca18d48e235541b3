# SPDX-License-Identifier: GPL-3.0-or-later
"""The evaluate view's plots: cumulative errors, and whether stated confidence comes true."""

from __future__ import annotations

from typing import Final

import pyqtgraph
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QColor, QPen
from PyQt5.QtWidgets import QHBoxLayout, QWidget

from facetrack_app.model.measuring import Measured
from facetrack_app.views.theme import BLUE, MARK, ORANGE, readable
from facetrack_app.views.widgets import filled

_LINES: Final = ((BLUE, Qt.SolidLine, "o"), (ORANGE, Qt.DashLine, "t"))


class EvaluatePlots(QWidget):
    """Both plots, with a curve for each of the predictions."""

    def __init__(self) -> None:
        super().__init__()
        self.curves = pyqtgraph.PlotWidget()
        self.curves.setAccessibleName("cumulative error curve")
        self.reliability = pyqtgraph.PlotWidget()
        self.reliability.setAccessibleName("reliability of confidence")
        self._legend = self.curves.addLegend(offset=(-8, -8))
        filled(QHBoxLayout(self), self.curves, self.reliability, margins=(0, 0, 0, 0))
        for plot in (self.curves, self.reliability):
            plot.setMinimumSize(160, 190)
            plot.setMouseEnabled(False, False)
            plot.hideButtons()
            plot.setFocusPolicy(Qt.NoFocus)
            plot.showGrid(True, True, 0.25)

    def dress(self) -> None:
        """Take the colours of the present theme."""
        text = self.palette().windowText().color()
        for plot in (self.curves, self.reliability):
            plot.setBackground(self.palette().base().color())
            for side in ("left", "bottom"):
                plot.getAxis(side).setTextPen(text)
        self._legend.setLabelTextColor(text)
        self._name_axes("outer eye corners")

    def _name_axes(self, by: str) -> None:
        text = self.palette().windowText().color().name()
        labels = (
            (self.curves, f"error, % of {by}", "frames with less, %"),
            (self.reliability, "predicted confidence", "share within 5 %"),
        )
        for plot, below, beside in labels:
            plot.setLabel("bottom", below, color=text)
            plot.setLabel("left", beside, color=text)

    def show_measured(self, measured: Measured) -> None:
        """Draw what was found."""
        self._name_axes(measured.wish.by)
        self.curves.clear()
        self.curves.setRange(xRange=(0, 8), yRange=(0, 100), padding=0.02)
        self.reliability.clear()
        self.reliability.setRange(xRange=(0, 1), yRange=(0, 1), padding=0.02)
        grey = readable(QColor("#808080"), self.palette().base().color(), MARK)
        self.reliability.plot([0, 1], [0, 1], pen=pyqtgraph.mkPen(grey, style=Qt.DotLine))
        said = []
        for system, (colour, style, symbol) in zip(measured.systems, _LINES, strict=False):
            seen = readable(colour, self.palette().base().color(), MARK)
            pen: QPen = pyqtgraph.mkPen(seen, width=2, style=style)
            self.curves.plot(*measured.curve(system), pen=pen, name=system.name)
            found = system.reliability
            if found is None:
                continue
            said.append(f"{found.error:.3f}")
            there = found.counts > 0
            self.reliability.plot(
                found.predicted[there], found.observed[there],
                pen=pen, symbol=symbol, symbolBrush=seen, symbolPen=seen,
            )  # fmt: skip
        text = self.palette().windowText().color()
        title = f"calibration error {', '.join(said)}" if said else "no confidence is stated"
        self.reliability.setTitle(title, color=text, size="9pt")
