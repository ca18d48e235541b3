# SPDX-License-Identifier: GPL-3.0-or-later
"""The timeline: layers one above the other, so that none hides another."""

from __future__ import annotations

from typing import Final

import numpy as np
from PyQt5.QtCore import QPointF, QRectF, Qt, pyqtSignal
from PyQt5.QtGui import (
    QColor,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QWheelEvent,
)
from PyQt5.QtWidgets import QToolTip, QWidget

from facetrack.signals import SIGNALS
from facetrack_app.model.session import Session
from facetrack_app.model.timeline import Layers, layers, runs
from facetrack_app.services.signal_curve import Curve
from facetrack_app.views.theme import BLUE, GREEN, ORANGE, PINK, SKY, VERMILION

GUTTER: Final = 84  # px for the layers' names
ROW: Final = 17
NAMES: Final = ("human", "learned", "plain", "doubtful", "marks", "trust", "signal")
TALL: Final = ("trust", "signal")  # layers that are curves
_CURVE: Final = 26
_SHORTEST: Final = 20  # frames that are shown at least


class Timeline(QWidget):
    """Shows what is known of every frame of one person; a click goes there."""

    chosen = pyqtSignal(int)
    window_changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(ROW * (len(NAMES) - len(TALL)) + len(TALL) * _CURVE + 18)
        self.setMinimumWidth(300)
        self.setAccessibleName("timeline")
        self._session: Session | None = None
        self._person: int | None = None
        self._frame = 0
        self._first, self._stop = 0, 1
        self._pending: int | None = None  # start of a range that is being marked
        self._picture = QPixmap()  # names and layers, as long as they stay
        self._drawn: tuple[object, ...] = ()  # what the picture shows
        self.curve: Curve | None = None

    @property
    def window(self) -> tuple[int, int]:
        """The frames that are shown, up to but without the second."""
        return self._first, self._stop

    def show_curve(self, curve: Curve | None) -> None:
        """Show a signal."""
        self.curve = curve
        self.update()

    def show_session(self, session: Session | None) -> None:
        """Show another session, whole."""
        self._session = session
        self.curve = None
        self._first, self._stop = 0, max(session.n_frames if session is not None else 1, 1)
        self.refresh(None, 0)

    def refresh(self, person: int | None, frame: int, pending: int | None = None) -> None:
        """Show a person again, whose frames have changed."""
        self._person, self._frame, self._pending = person, frame, pending
        self._keep_in_view()
        self.update()

    def move_to(self, frame: int) -> None:
        """Show another place in the video."""
        self._frame = frame
        self._keep_in_view()
        self.update()

    def _keep_in_view(self) -> None:
        span = self._stop - self._first
        if self._session is not None and not self._first <= self._frame < self._stop:
            self._first = max(0, min(self._frame - span // 2, self._session.n_frames - span))
            self._stop = self._first + span
            self.window_changed.emit()

    def _x(self, frame: float) -> float:
        return GUTTER + (frame - self._first) * self._columns() / (self._stop - self._first)

    def _columns(self) -> int:
        return max(self.width() - GUTTER - 6, 1)

    def _frame_at(self, x: float) -> int:
        share = (x - GUTTER) / self._columns()
        frame = self._first + share * (self._stop - self._first)
        return int(min(max(frame, self._first), self._stop - 1))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint names, layers, curve, and the place in the video."""
        painter = QPainter(self)
        session = self._session
        revision = session.revision if session is not None else None
        shown = (
            session, revision, self._person, *self.window,
            self.width(), self.devicePixelRatioF(), self.palette().cacheKey(),
        )  # fmt: skip
        if shown != self._drawn:
            self._draw_picture(session)
            self._drawn = shown
        painter.drawPixmap(0, 0, self._picture)
        if session is None:
            return
        if self.curve is not None:
            self._paint_signal(painter, self.curve)
        self._paint_place(painter, session)

    def _draw_picture(self, session: Session | None) -> None:
        ratio = self.devicePixelRatioF()
        self._picture = QPixmap(self.size() * ratio)
        self._picture.setDevicePixelRatio(ratio)
        painter = QPainter(self._picture)
        painter.setFont(self.font())
        painter.fillRect(self.rect(), self.palette().base())
        self._paint_names(painter)
        if session is not None and self._person in session.people:
            first, stop = self.window
            summary = session.summary(self._person)
            marks = session.spans, session.excluded()
            self._paint_layers(painter, layers(summary, *marks, first, stop, self._columns()))
        painter.end()

    def _paint_names(self, painter: QPainter) -> None:
        painter.setPen(self.palette().windowText().color())
        top = 0
        for name in NAMES:
            height = _CURVE if name in TALL else ROW
            box = QRectF(4, top, GUTTER - 10, height)
            painter.setPen(self.palette().windowText().color())
            painter.drawText(box, Qt.AlignVCenter | Qt.AlignRight, name)
            top += height
            painter.setPen(self.palette().mid().color())
            painter.drawLine(GUTTER, top, self.width(), top)

    def _paint_layers(self, painter: QPainter, shown: Layers) -> None:
        for row, (mask, colour) in enumerate(
            ((None, None), (shown.learned, GREEN), (shown.plain, SKY), (shown.doubtful, VERMILION))
        ):
            for first, stop in runs(mask) if mask is not None else ():
                box = QRectF(GUTTER + first, row * ROW + 3, max(stop - first, 1.5), ROW - 5)
                painter.fillRect(box, colour)
        half = (ROW - 4) / 2  # events above, excluded ranges below: neither hides the other
        marks = ((shown.events, PINK, 0.0), (shown.excluded, QColor(128, 128, 128), half))
        for mask, colour, below in marks:
            for first, stop in runs(mask):
                top = 4 * ROW + 2 + below
                painter.fillRect(QRectF(GUTTER + first, top, max(stop - first, 2.0), half), colour)
        self._paint_diamonds(painter, shown)
        self._paint_curve(painter, shown)

    def _paint_diamonds(self, painter: QPainter, shown: Layers) -> None:
        painter.setRenderHint(QPainter.Antialiasing)
        painter.setPen(QPen(BLUE, 1))
        painter.setBrush(self.palette().highlight())
        last = -10
        for column in np.flatnonzero(shown.human).tolist():
            if column - last < 2:  # more would lie on each other
                continue
            last = column
            x, y, r = GUTTER + column + 0.5, ROW / 2, 4.5
            painter.drawPolygon(
                QPolygonF(
                    [QPointF(x, y - r), QPointF(x + r, y), QPointF(x, y + r), QPointF(x - r, y)]
                )
            )
        painter.setRenderHint(QPainter.Antialiasing, False)

    def _paint_curve(self, painter: QPainter, shown: Layers) -> None:
        bottom = 5 * ROW + _CURVE
        painter.setPen(QPen(ORANGE, 1))
        for first, stop in runs(np.isfinite(shown.trust)):
            heights = bottom - 2 - shown.trust[first:stop] * (_CURVE - 4)
            places = [QPointF(GUTTER + first + i, h) for i, h in enumerate(heights.tolist())]
            painter.drawPolyline(QPolygonF(places))

    def _paint_signal(self, painter: QPainter, curve: Curve) -> None:
        low, high = SIGNALS[curve.wish.name].range
        known = curve.values[np.isfinite(curve.values)]
        if not known.size:
            return
        # The part of the range that occurs, so that small motions are seen.
        low, high = max(low, float(known.min())), min(high, float(known.max()))
        bottom = 5 * ROW + 2 * _CURVE
        scale = (_CURVE - 6) / max(high - low, 1e-9)
        painter.setPen(QPen(SKY, 1))
        for first, stop in runs(np.isfinite(curve.values)):
            heights = bottom - 3 - (np.clip(curve.values[first:stop], low, high) - low) * scale
            xs = [self._x(frame + 0.5) for frame in curve.frames[first:stop].tolist()]
            places = zip(xs, heights.tolist(), strict=True)
            painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in places]))

    def _paint_place(self, painter: QPainter, session: Session) -> None:
        bottom = self.height() - 18
        if session.tracked < session.n_frames:
            x = self._x(session.tracked)
            painter.fillRect(QRectF(x, 0, self.width() - x, bottom), QColor(128, 128, 128, 40))
        if self._pending is not None:
            left, right = sorted((self._x(self._pending), self._x(self._frame)))
            painter.fillRect(QRectF(left, 0, right - left + 1, bottom), QColor(204, 121, 167, 90))
        painter.setPen(QPen(self.palette().windowText().color(), 1.4))
        x = self._x(self._frame + 0.5)
        painter.drawLine(QPointF(x, 0), QPointF(x, bottom + 4))
        painter.drawText(
            QRectF(GUTTER, bottom, self._columns(), 18), Qt.AlignLeft, f"{self._first + 1}"
        )
        painter.drawText(
            QRectF(GUTTER, bottom, self._columns(), 18), Qt.AlignRight, f"{self._stop}"
        )

    def zoom_by(self, notches: float, here: int | None = None) -> None:
        """Zoom in time around a frame, or around the one that is shown."""
        if self._session is None:
            return
        here = here if here is not None else self._frame
        span = (self._stop - self._first) * 0.8**notches
        span = round(min(max(span, _SHORTEST), self._session.n_frames))
        share = (here - self._first) / (self._stop - self._first)
        self._first = max(0, min(round(here - share * span), self._session.n_frames - span))
        self._stop = self._first + span
        self.window_changed.emit()
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom in time around the pointer."""
        self.zoom_by(event.angleDelta().y() / 120, self._frame_at(event.position().x()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to a frame."""
        if self._session is not None and event.button() == Qt.LeftButton:
            self.chosen.emit(self._frame_at(event.x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Scrub."""
        if self._session is not None and event.buttons() & Qt.LeftButton:
            frame = self._frame_at(event.x())
            self.chosen.emit(frame)
            QToolTip.showText(event.globalPos(), f"frame {frame + 1}", self)
