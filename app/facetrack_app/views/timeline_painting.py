# SPDX-License-Identifier: GPL-3.0-or-later
"""Paints the timeline's rows: names, layers, events, curves."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from PyQt5.QtCore import QLineF, QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QFont, QPainter, QPalette, QPen, QPolygonF

from facetrack_app.model.curves import Curve
from facetrack_app.model.readings import Values
from facetrack_app.model.timeline import Layers, runs
from facetrack_app.model.wording import named_with
from facetrack_app.views.theme import (
    BLUE,
    GREEN,
    MARK,
    ORANGE,
    PINK,
    SKY,
    VERMILION,
    hatch,
    readable,
    soft,
)
from facetrack_app.views.timeline_rows import (
    CURVE,
    FOOT,
    GUTTER,
    LANE,
    LAYER,
    LAYERS,
    SCALE,
    TRUST,
    Axis,
    Placed,
    Rows,
)

_GREY: Final = QColor(128, 128, 128)
_FITTING: Final = 6  # characters of such a number
_SMALL: Final = 0.8  # of the font: names of events, numbers of scales


class Painting:
    """Paints one picture of the timeline."""

    def __init__(self, painter: QPainter, palette: QPalette, rows: Rows, axis: Axis) -> None:
        self._painter, self._palette, self._rows, self._axis = painter, palette, rows, axis
        self._ink = palette.windowText().color()
        self._ground = palette.base().color()
        self._small = QFont(painter.font())
        self._small.setPointSizeF(_SMALL * self._small.pointSizeF())

    def _seen(self, colour: QColor) -> QColor:
        """Give a colour as it stands out from the ground."""
        return readable(colour, self._ground, MARK)

    def names(self, curves: Sequence[Curve]) -> None:
        """Write the rows' names and draw the lines between them."""
        rows = self._rows
        for place, name in enumerate(LAYERS):
            self._name(name, place * LAYER, LAYER)
            self._line((place + 1) * LAYER)
        self._name("trust", rows.trust, TRUST)
        self._line(rows.trust + TRUST)
        self._name("events", rows.events, LANE * rows.lanes)
        self._line(rows.lane(rows.lanes))
        for place, curve in enumerate(curves):
            self._curve_name(curve, rows.curve(place))

    def _name(self, name: str, top: float, height: float, right: float = GUTTER) -> None:
        painter = self._painter
        box = QRectF(2, top, right - 8, height)
        painter.setPen(self._ink)
        short = painter.fontMetrics().elidedText(name, Qt.ElideRight, int(box.width()))
        painter.drawText(box, Qt.AlignVCenter | Qt.AlignRight, short)

    def _line(self, y: float) -> None:
        self._painter.setPen(self._palette.mid().color())
        self._painter.drawLine(QLineF(GUTTER, y, GUTTER + self._axis.columns, y))

    def _curve_name(self, curve: Curve, top: float) -> None:
        """Write a signal's name, its unit and model below, and the ends of its scale beside."""
        painter, font, spec = self._painter, self._painter.font(), curve.spec
        painter.setFont(self._small)
        name = spec.name.replace("_", " ")
        below = ", ".join(filter(None, (spec.unit if spec.unit != "1" else "", spec.model)))
        if below:
            self._name(below, top + CURVE / 2 - 2, CURVE / 2, GUTTER - SCALE)
            self._name(name, top + 2, CURVE / 2, GUTTER - SCALE)
        else:
            self._name(name, top, CURVE, GUTTER - SCALE)
        box = QRectF(GUTTER - SCALE, top + 1, SCALE - 4, CURVE - 2)
        sides = (Qt.AlignBottom, Qt.AlignTop)
        painter.setPen(self._ink)
        for value, side in zip(curve.scale or (), sides, strict=False):
            painter.drawText(box, side | Qt.AlignRight, number_of_scale(value))
        painter.setFont(font)
        self._line(top + CURVE)

    def layers(self, shown: Layers) -> None:
        """Paint where people and tracker said something, doubt, marks and trust."""
        painter = self._painter
        below = ((shown.learned, GREEN), (shown.plain, SKY), (shown.doubtful, VERMILION))
        for row, (mask, colour) in enumerate(below, start=1):
            seen = self._seen(colour)
            for first, stop in runs(mask):
                box = QRectF(GUTTER + first, row * LAYER + 3, max(stop - first, 1.5), LAYER - 5)
                painter.fillRect(box, seen)
        half = (LAYER - 4) / 2  # events above, excluded ranges below: neither hides the other
        for mask, colour, down in ((shown.events, PINK, 0.0), (shown.excluded, _GREY, half)):
            seen, top = self._seen(colour), 4 * LAYER + 2 + down
            for first, stop in runs(mask):
                painter.fillRect(QRectF(GUTTER + first, top, max(stop - first, 2.0), half), seen)
        self._diamonds(shown)
        painter.setPen(QPen(self._seen(ORANGE), 1))
        bottom = self._rows.trust + TRUST
        for first, stop in runs(np.isfinite(shown.trust)):
            heights = bottom - 2 - shown.trust[first:stop] * (TRUST - 4)
            places = [QPointF(GUTTER + first + i, h) for i, h in enumerate(heights.tolist())]
            painter.drawPolyline(QPolygonF(places))

    def _diamonds(self, shown: Layers) -> None:
        painter = self._painter
        painter.setRenderHint(QPainter.Antialiasing)
        painter.setPen(QPen(self._seen(BLUE), 1))
        painter.setBrush(self._palette.highlight())
        last = -10
        for column in np.flatnonzero(shown.human).tolist():
            if column - last < 4:  # less than half of one would be seen of the next
                continue
            last = column
            x, y, r = GUTTER + column + 0.5, LAYER / 2, 4.5
            painter.drawPolygon(
                QPolygonF(
                    [QPointF(x, y - r), QPointF(x + r, y), QPointF(x, y + r), QPointF(x - r, y)]
                )
            )
        painter.setRenderHint(QPainter.Antialiasing, False)

    def events(self, placed: Sequence[Placed]) -> None:
        """Paint events with their names: a machine's as outlines, a person's filled."""
        painter, font = self._painter, self._painter.font()
        painter.setFont(self._small)
        right = float(GUTTER + self._axis.columns)
        free = [right] * self._rows.lanes  # up to where a name may be written
        seen = self._seen(ORANGE)
        for one in reversed(placed):
            box = event_box(one, self._rows, self._axis)
            painter.setPen(QPen(seen, 1))
            painter.setBrush(seen if one.judged.human else Qt.NoBrush)
            painter.drawRect(box)
            self._event_name(one, box, free[one.lane])
            free[one.lane] = box.left() - 2
        painter.setFont(font)
        painter.setBrush(Qt.NoBrush)

    def _event_name(self, one: Placed, box: QRectF, free: float) -> None:
        """Write the name inside of the event, or behind it where there is room for it."""
        painter, name = self._painter, one.judged.event.text or one.judged.event.name
        for words in dict.fromkeys((named_with(name, one.judged.model), name)):
            width = painter.fontMetrics().horizontalAdvance(words) + 4
            inside = width <= box.width() - 2
            left = box.left() + 2 if inside else box.right() + 2
            if inside or left + width <= free:
                painter.setPen(QColor(0, 0, 0) if inside and one.judged.human else self._ink)
                place = QRectF(left, box.top(), width, box.height())
                painter.drawText(place, Qt.AlignVCenter | Qt.AlignLeft, words)
                return

    def curve(self, curve: Curve, place: int) -> None:
        """Paint a signal: of each column all that occurs, hatched where nothing can be said."""
        top, count = self._rows.curve(place), len(curve.least)
        step = (curve.stop - curve.first) / max(count, 1)
        edges = [self._axis.x(curve.first + i * step) for i in range(count + 1)]
        for first, stop in runs(curve.unassessable):
            box = QRectF(edges[first], top + 1, max(edges[stop] - edges[first], 2.0), CURVE - 2)
            self._painter.fillRect(box, hatch(self._ground))
        if curve.scale is None:
            return
        low, high = curve.scale
        per_value = (CURVE - 6) / (high - low)

        def height(values: Values) -> list[float]:
            return (top + CURVE - 3 - (values - low) * per_value).tolist()

        ground = self._ground
        if curve.spec.interval:
            ground = soft(SKY, ground)
            for first, stop in runs(np.isfinite(curve.low) & np.isfinite(curve.high)):
                self._band(edges[first : stop + 1], height(curve.high[first:stop]),
                           height(curve.low[first:stop]), ground)  # fmt: skip
        self._painter.setPen(QPen(readable(SKY, ground, MARK), 1))
        xs = [(left + right) / 2 for left, right in pairwise(edges)]
        for first, stop in runs(np.isfinite(curve.least)):
            tops, feet = height(curve.most[first:stop]), height(curve.least[first:stop])
            self._run(xs[first:stop], tops, feet)

    def _band(
        self, edges: Sequence[float], tops: Sequence[float], feet: Sequence[float], colour: QColor
    ) -> None:
        """Paint columns between the ends of intervals, in one piece."""
        corners = [
            QPointF(x, y)
            for ys, way in ((tops, 1), (feet, -1))
            for left, right, y in list(zip(edges, edges[1:], ys, strict=False))[::way]
            for x in (left, right)[::way]
        ]
        self._painter.setPen(Qt.NoPen)
        self._painter.setBrush(colour)
        self._painter.drawPolygon(QPolygonF(corners))
        self._painter.setBrush(Qt.NoBrush)

    def axis(self, ticks: Sequence[tuple[int, str]], frames: str) -> None:
        """Write moments below the rows, and beside them which frames are shown."""
        painter, font, top = self._painter, self._painter.font(), self._rows.bottom
        painter.setFont(self._small)
        self._name(frames, top, FOOT)
        for frame, words in ticks:
            x, width = self._axis.x(frame + 0.5), painter.fontMetrics().horizontalAdvance(words)
            painter.drawLine(QLineF(x, top, x, top + 3))
            left = min(max(x - width / 2, GUTTER), GUTTER + self._axis.columns - width)
            painter.drawText(QPointF(left, top + FOOT - 4), words)
        painter.setFont(font)

    def _run(self, xs: Sequence[float], tops: Sequence[float], feet: Sequence[float]) -> None:
        """Paint columns that follow each other: there and back between their ends."""
        if len(xs) == 1:  # a frame alone between two gaps is a dash
            self._painter.drawLine(QLineF(xs[0] - 1, tops[0], xs[0] + 1, feet[0]))
            return
        places: list[QPointF] = []
        for x, top, foot in zip(xs, tops, feet, strict=True):
            up = not places or abs(places[-1].y() - top) <= abs(places[-1].y() - foot)
            ends = (top, foot) if up else (foot, top)
            places += [QPointF(x, y) for y in (ends if top != foot else ends[:1])]
        self._painter.drawPolyline(QPolygonF(places))


def moving_values(
    painter: QPainter, curves: Sequence[Curve], rows: Rows, axis: Axis, frame: int
) -> None:
    """Write the values of a frame beside its line, each in its curve."""
    small, x = QFont(painter.font()), axis.x(frame + 0.5)
    small.setPointSizeF(_SMALL * small.pointSizeF())
    painter.save()
    painter.setFont(small)
    for place, curve in enumerate(curves):
        words = curve.at(frame)
        if words:
            width = painter.fontMetrics().horizontalAdvance(words) + 6
            right = x + 2 + width <= GUTTER + axis.columns
            box = QRectF(x + 2 if right else x - 2 - width, rows.curve(place) + 10, width, 14)
            painter.fillRect(box, painter.device().palette().toolTipBase())
            painter.drawText(box, Qt.AlignCenter, words)
    painter.restore()


def event_box(one: Placed, rows: Rows, axis: Axis) -> QRectF:
    """Give where an event lies."""
    left, right = axis.x(one.first), axis.x(one.stop)
    left, right = max(left, GUTTER - 3.0), min(right, GUTTER + axis.columns + 3.0)
    return QRectF(left, rows.lane(one.lane) + 1, max(right - left - 1, 2.0), LANE - 4)


def number_of_scale(value: float) -> str:
    """Write a number with as many digits as the room beside a curve holds, its sign first."""
    texts = [f"{value:.{digits}g}" for digits in (3, 2, 1)]
    return next((text for text in texts if len(text) <= _FITTING), texts[-1])
