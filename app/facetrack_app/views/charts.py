# SPDX-License-Identifier: GPL-3.0-or-later
"""Live strip charts: one line for each signal that was chosen."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import pyqtgraph
from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtWidgets import QVBoxLayout, QWidget

from facetrack.face import Face
from facetrack.signals import SIGNALS
from facetrack_app.views.theme import PEOPLE

SECONDS: Final = 10.0
_RING: Final = 1024  # samples: 10 s at 100 frames/s
_PER_SECOND: Final = 15


class Ring:
    """The last samples of one signal.

    Parameters
    ----------
    size : int
        How many are kept.
    """

    def __init__(self, size: int = _RING) -> None:
        # Written twice, half a length apart, so that the newest are always one piece of memory.
        self._values = np.full((2, 2 * size), np.nan)
        self._size, self._count = size, 0

    def add(self, time: float, value: float) -> None:
        """Take a sample."""
        place = self._count % self._size
        self._values[:, [place, place + self._size]] = [[time], [value]]
        self._count += 1

    def newest(self) -> tuple[np.ndarray, np.ndarray]:
        """Give times and values, the oldest first."""
        stop = (self._count - 1) % self._size + self._size + 1
        first = stop - min(self._count, self._size)
        return self._values[0, first:stop], self._values[1, first:stop]


class StripCharts(QWidget):
    """Charts one beside the other; drawn at most fifteen times a second."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("live charts")
        self._graphics = pyqtgraph.GraphicsLayoutWidget()
        self._graphics.setFocusPolicy(Qt.NoFocus)  # there is nothing to do inside
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._graphics)
        self._rings: dict[str, Ring] = {}
        self._lines: dict[str, pyqtgraph.PlotDataItem] = {}
        self._plots: list[pyqtgraph.PlotItem] = []
        self._fresh = False
        self._timer = QTimer(self)
        self._timer.setInterval(1000 // _PER_SECOND)
        self._timer.timeout.connect(self._draw)

    @property
    def names(self) -> list[str]:
        """The signals that are drawn."""
        return list(self._rings)

    def choose(self, names: list[str]) -> None:
        """Draw other signals, in the colours of the present theme."""
        text, ground = self.palette().windowText().color(), self.palette().base().color()
        self._graphics.clear()
        self._graphics.setBackground(ground)
        known = [name for name in names if name in SIGNALS]
        self._rings = {name: Ring() for name in known}
        self._lines, self._plots = {}, []
        for number, name in enumerate(known):
            signal = SIGNALS[name]
            plot = self._graphics.addPlot(row=0, col=number)
            unit = "" if signal.unit == "1" else f" ({signal.unit})"
            plot.setTitle(name.replace("_", " ") + unit, color=text, size="9pt")
            plot.setYRange(*_comfortable(signal.range), padding=0.02)
            plot.setXRange(-SECONDS, 0, padding=0)
            plot.setMouseEnabled(False, False)
            plot.setMenuEnabled(False)
            plot.hideButtons()
            plot.showGrid(y=True, alpha=0.25)
            for side in ("left", "bottom"):
                plot.getAxis(side).setTextPen(text)
            pen = pyqtgraph.mkPen(PEOPLE[number % len(PEOPLE)], width=1.5)
            line = plot.plot(pen=pen, skipFiniteCheck=False, connect="finite")
            # Segments are handed to Qt in a `sip.array`, and sip never frees one: 9 MB an hour.
            line.curve.setSegmentedLineMode("off")
            self._lines[name] = line
            self._plots.append(plot)

    def add(self, face: Face | None, time: float) -> None:
        """Take what a frame says; None: there is no face."""
        for name, ring in self._rings.items():
            ring.add(time, SIGNALS[name](face) if face is not None else math.nan)
        self._fresh = True
        if not self._timer.isActive():
            self._timer.start()

    def clear(self) -> None:
        """Begin anew."""
        self._timer.stop()
        self.choose(self.names)

    def _draw(self) -> None:
        if not self._fresh:
            self._timer.stop()
            return
        self._fresh = False
        for name, line in self._lines.items():
            times, values = self._rings[name].newest()
            if not len(times):
                continue
            keep = times > times[-1] - SECONDS
            line.setData(times[keep] - times[-1], values[keep])


def _comfortable(span: tuple[float, float]) -> tuple[float, float]:
    """Show the part of an angle's range in which heads move."""
    low, high = span
    return (max(low, -50.0), min(high, 50.0)) if high > 2 else span
