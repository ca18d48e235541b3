# SPDX-License-Identifier: GPL-3.0-or-later
"""Live strip charts: one line for each signal that was chosen, and the events beside it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import count
from math import ceil, isfinite, isnan, log2, log10, nan
from typing import Final

import numpy as np
import pyqtgraph
from PyQt5.QtCore import QEvent, QPointF, Qt, QTimer
from PyQt5.QtGui import QBrush, QColor, QFont, QFontMetricsF
from PyQt5.QtWidgets import QVBoxLayout, QWidget

from facetrack.formats.table import NO_FACE
from facetrack.reading import HUMAN, EventRecord, Reading, Spec
from facetrack.signals import signals
from facetrack.signals.registry import owner
from facetrack.signals.rest import Restable
from facetrack_app.model.influence import parts_of
from facetrack_app.model.live import Heard
from facetrack_app.model.marking import LiveMarks
from facetrack_app.model.strip import Curve, Strip
from facetrack_app.views.chart_areas import WIDTH, Area, Influences, between, box
from facetrack_app.views.theme import MARK, PEOPLE, hatch, readable, soft
from facetrack_app.views.widgets import filled

SECONDS: Final = 10.0
_PER_SECOND: Final = 15
_ANGLE: Final = 50.0  # degrees within which heads move; beyond them the scale grows
_THINNEST: Final = 3  # px of a moment
_MARGIN: Final = 52  # px beside a title, most of them of the scale
_UNKNOWN: Final = "\N{EN DASH}"


class StripCharts(QWidget):
    """Charts one beside the other; drawn at most fifteen times a second."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("live charts")
        self._graphics = pyqtgraph.GraphicsLayoutWidget()
        self._graphics.setFocusPolicy(Qt.NoFocus)  # there is nothing to do inside
        self._graphics.scene().sigMouseMoved.connect(self._point_at)
        filled(QVBoxLayout(self), self._graphics, margins=(0, 0, 0, 0))
        self._strip = Strip()
        self.shown: dict[str, Chart] = {}
        self.influences: list[Influences] = []  # beside the charts of values that have parts
        self.marks: LiveMarks | None = None  # drawn in every chart
        self._rested = False
        self._fresh = False
        self._timer = QTimer(self)
        self._timer.setInterval(1000 // _PER_SECOND)
        self._timer.timeout.connect(self._draw)

    @property
    def names(self) -> list[str]:
        """The signals that are drawn."""
        return list(self.shown)

    def choose(self, names: list[str]) -> None:
        """Draw other signals, in the colours of the present theme."""
        text, ground = self.palette().windowText().color(), self.palette().base().color()
        self._graphics.clear()
        self._graphics.setBackground(ground)
        known, columns = signals(), self._graphics.ci.layout
        self.shown, self.influences, column = {}, [], count()
        for number, name in enumerate(name for name in names if name in known):
            colour, place = PEOPLE[number % len(PEOPLE)], next(column)
            plot = self._graphics.addPlot(row=0, col=place, axisItems={"left": Scale("left")})
            self.shown[name] = Chart(plot, known[name], text, ground, colour, self._rested)
            columns.setColumnPreferredWidth(place, 100)  # alike, however long their titles are
            if parts := parts_of(known[name]):
                place = next(column)
                plot = self._graphics.addPlot(row=0, col=place)
                colour = readable(colour, ground, MARK)
                self.influences.append(Influences(plot, parts, text, colour))
        self._redraw()

    def add(self, heard: Heard) -> None:
        """Take what the signals said with a frame."""
        self._strip.add(heard)
        self._redraw()

    def clear(self) -> None:
        """Begin anew; charts in which nothing was drawn stay as they are."""
        if isnan(self._strip.now):
            return
        self._strip.clear()
        self.choose(self.names)

    def measure_from_rest(self, on: bool) -> None:
        """Begin anew, with values that are measured from a face at rest, or no longer are."""
        if on != self._rested:
            self._rested = on
            self._strip.clear()
            self.choose(self.names)

    def leaveEvent(self, event: QEvent) -> None:
        """Show the present values alone again."""
        self._point_at(QPointF(-1, -1))
        super().leaveEvent(event)

    def _point_at(self, place: QPointF) -> None:
        for chart in self.shown.values():
            chart.point_at(place)
        self._redraw()

    def _redraw(self) -> None:
        self._fresh = True
        if not self._timer.isActive():
            self._timer.start()

    def _draw(self) -> None:
        if not self._fresh:
            self._timer.stop()
            return
        self._fresh = False
        if isnan(self._strip.now):
            return
        now = self._strip.now
        marked = self.marks.shown(now, SECONDS) if self.marks is not None else []
        records = [EventRecord(NO_FACE, event, source=HUMAN) for event in marked]
        for chart in self.shown.values():
            chart.draw(self._strip, records, self._room)
        for influences in self.influences:
            influences.draw(self._strip)

    @property
    def _room(self) -> float:
        """Pixels that a chart's title has."""
        left = self._graphics.width() - WIDTH * len(self.influences)
        return left / len(self.shown) - _MARGIN


class Scale(pyqtgraph.AxisItem):
    """An upright axis whose numbers do not touch, however low the chart is."""

    def tickSpacing(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, float]]:
        """Leave out the levels that are too dense, and of the coarsest every other number."""
        levels = super().tickSpacing(minVal, maxVal, size)
        least = QFontMetricsF(self.font()).height() * (maxVal - minVal) / size if size > 0 else 0.0
        wide = [(step, first) for step, first in levels if step >= least]
        if wide or not levels:
            return wide
        step, first = levels[0]
        return [(step * 2 ** ceil(log2(least / step)), first)]


class Chart:
    """One signal over the last seconds."""

    def __init__(
        self,
        plot: pyqtgraph.PlotItem,
        spec: Spec,
        text: QColor,
        ground: QColor,
        colour: QColor,
        rested: bool = False,
    ) -> None:
        self._plot, self._spec, self._text = plot, spec, text
        estimator = owner(spec.name)
        self._estimator = estimator.name
        self._from = " from rest" if rested and isinstance(estimator, Restable) else ""
        self._range, self._scale = _comfortable(spec), (nan, nan)
        self._pointed: float | None = None  # seconds before now
        plot.setXRange(-SECONDS, 0, padding=0)
        plot.setMouseEnabled(False, False)
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.showGrid(y=True, alpha=0.25)
        for side in ("left", "bottom"):
            plot.getAxis(side).setTextPen(text)
        plot.getAxis("bottom").setTicks([[(-t, f"{-t} s") for t in range(2, round(SECONDS), 2)]])
        self._metrics = QFontMetricsF(_sized(plot.titleLabel.item.font(), 9, bold=True))
        self._spans: list[Span] = []
        self._cursor = pyqtgraph.InfiniteLine(pen=pyqtgraph.mkPen(text, style=Qt.DotLine))
        self._cursor.setVisible(False)
        plot.addItem(self._cursor, ignoreBounds=True)
        self.unknown = Area(plot, hatch(ground))
        self.band = None
        if spec.interval:
            ground = soft(colour, ground)
            self.band = Area(plot, QBrush(ground))
        pen = pyqtgraph.mkPen(readable(colour, ground, MARK), width=1.5)
        self._line = plot.plot(pen=pen, skipFiniteCheck=False, connect="finite")
        # Segments are handed to Qt in a `sip.array`, and sip never frees one: 9 MB an hour.
        self._line.curve.setSegmentedLineMode("off")
        self._show_scale(np.empty(0))
        self._show_title(Curve.empty(), Reading(nan), 0.0)

    @property
    def title(self) -> str:
        """Name, unit and values, as they are shown."""
        return self._plot.titleLabel.text

    @property
    def colour(self) -> QColor:
        """Colour of the line."""
        return self._line.opts["pen"].color()

    @property
    def drawn(self) -> tuple[np.ndarray, np.ndarray]:
        """Seconds before now and values of the line."""
        return self._line.getOriginalDataset()

    @property
    def named(self) -> list[str]:
        """Names of the events that are shown."""
        return [span.name for span in self._spans if span.name]

    def point_at(self, place: QPointF) -> None:
        """Take note of where the mouse is, in the scene."""
        box = self._plot.vb
        inside = box.sceneBoundingRect().contains(place)
        self._pointed = box.mapSceneToView(place).x() if inside else None

    def draw(self, strip: Strip, marked: Sequence[EventRecord], room: float) -> None:
        """Show what is known now, with a title of so many pixels."""
        curve = strip.curve(self._spec.name, SECONDS).since(strip.now)
        self._line.setData(curve.times, curve.values)
        known = np.concatenate([curve.values, curve.low, curve.high])
        self._show_scale(known[~np.isnan(known)])
        if self.band is not None:
            self.band.fill(between(curve.times, curve.low, curve.high))
        self._show_unknown(curve)
        self._show_title(curve, strip.current(self._spec.name), room)
        self._show_events([*strip.events(self._estimator, SECONDS), *marked], strip.now)

    def _show_scale(self, known: np.ndarray) -> None:
        """Show what is to be expected, and more where values go beyond it."""
        low, high = self._range
        span = float(known.min(initial=low)), float(known.max(initial=high))
        if span != self._scale:
            self._scale = span
            self._plot.setYRange(*span, padding=0.02)

    def _show_unknown(self, curve: Curve) -> None:
        """Hatch what cannot be assessed, from below the chart to above it."""
        least = _THINNEST * self._plot.vb.viewPixelSize()[0]
        low, high = self._plot.viewRange()[1]
        self.unknown.fill(
            box(start, max(stop, start + least), low, high) for start, stop, _ in curve.gaps
        )

    def _show_title(self, curve: Curve, current: Reading, room: float) -> None:
        """Say what is known now and under the mouse, and below it what is said of the model."""
        spec, shown = self._spec, {f"{self._spec.label}{self._from}: ": current}
        self._cursor.setVisible(self._pointed is not None)
        if self._pointed is not None:
            self._cursor.setValue(self._pointed)
            shown[f" | {self._pointed:.1f} s: "] = curve.at(self._pointed)
        for whole in (True, False):  # a chart that is too narrow shows no interval
            words = [
                w for before, r in shown.items() for w in (before, self._written(r, whole=whole))
            ]
            if self._metrics.horizontalAdvance("".join(words)) <= room:
                break
        *_, said = shown.values()
        reason = self._fitting(f" {said.reason}", room, "".join(words)) if said.reason else ""
        words[1::2] = (f"<b>{value}</b>" for value in words[1::2])
        title = "".join(words) + escape(reason)
        if spec.model:
            title += f"<br><i>{escape(self._fitting(spec.model, room))}</i>"
        if title != self.title:
            self._plot.setTitle(title, color=self._text, size="9pt")
            told = (spec.meaning, spec.model, said.reason)
            self._plot.setToolTip("\n".join(filter(None, told)))

    def _fitting(self, text: str, room: float, before: str = "") -> str:
        """Cut a text off that is too long for what is left behind another one."""
        room -= self._metrics.horizontalAdvance(before)
        return self._metrics.elidedText(text, Qt.ElideRight, max(int(room), 0))

    def _written(self, said: Reading, *, whole: bool) -> str:
        """Write a value; the whole of it is with its interval."""
        low, high = self._spec.range
        digits = max(0, ceil(2.5 - log10(high - low)))
        if isnan(said.value):
            return _UNKNOWN
        words = f"{said.value:.{digits}f}"
        if whole and isfinite(said.low) and isfinite(said.high):
            words += f" ({said.low:.{digits}f} to {said.high:.{digits}f})"
        return words

    def _show_events(self, records: list[EventRecord], now: float) -> None:
        while len(self._spans) < len(records):
            self._spans.append(Span(self._plot, self._text))
        ends = [-SECONDS, -SECONDS]  # of the last name in two rows: names must not overlap
        for number, span in enumerate(self._spans):
            span.show(records[number] if number < len(records) else None, now, ends)


class Span:
    """A shaded stretch with its name; used again and again."""

    def __init__(self, plot: pyqtgraph.PlotItem, text: QColor) -> None:
        self.name = ""
        shade = QColor(text)
        shade.setAlpha(50)
        self._plot = plot
        self._region = pyqtgraph.LinearRegionItem(
            movable=False, brush=shade, pen=pyqtgraph.mkPen(None)
        )
        self._label = pyqtgraph.TextItem(color=text, anchor=(0.5, 0))
        self._label.setFont(_sized(self._label.textItem.font(), 8))
        for item in (self._region, self._label):
            plot.addItem(item, ignoreBounds=True)

    def show(self, record: EventRecord | None, now: float, ends: list[float]) -> None:
        """Show an event, or nothing; its name where there is room right of others' `ends`."""
        self.name = record.event.text or record.event.name.replace("_", " ") if record else ""
        self._region.setVisible(record is not None)
        self._label.setVisible(False)
        if record is None:
            return
        if self.name != self._label.toPlainText():
            self._label.setText(self.name)
        start, stop = record.event.start - now, record.event.stop - now
        across, down = self._plot.vb.viewPixelSize()
        self._region.setRegion((start, max(stop, start + _THINNEST * across)))
        box = self._label.boundingRect()
        half = across * box.width() / 2
        middle = min(max((start + stop) / 2, half - SECONDS), -half)  # nothing is cut off
        row = next((row for row, end in enumerate(ends) if end <= middle - half), None)
        if row is not None:
            ends[row] = middle + half
            top = self._plot.viewRange()[1][1]
            self._label.setPos(middle, top - 0.85 * row * down * box.height())
            self._label.setVisible(True)


def _sized(font: QFont, points: float, *, bold: bool = False) -> QFont:
    font.setPointSizeF(points)
    font.setBold(bold)
    return font


def _comfortable(spec: Spec) -> tuple[float, float]:
    """Show the part of an angle's range in which heads move."""
    low, high = spec.range
    return (max(low, -_ANGLE), min(high, _ANGLE)) if spec.unit == "deg" else (low, high)
