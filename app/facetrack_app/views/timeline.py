# SPDX-License-Identifier: GPL-3.0-or-later
"""The timeline: rows one above the other, so that none hides another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PyQt5.QtCore import QEvent, QPointF, QRectF, Qt, pyqtSignal
from PyQt5.QtGui import (
    QColor,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PyQt5.QtWidgets import QToolTip, QWidget

from facetrack_app.model.curves import Curve
from facetrack_app.model.judged import Judged, cues_in_words, event_in_words
from facetrack_app.model.readings import value_in_words
from facetrack_app.model.session import Session
from facetrack_app.model.timeline import lanes, layers, time_ticks
from facetrack_app.views.timeline_painting import Painting, event_box, moving_values
from facetrack_app.views.timeline_rows import FOOT, GUTTER, LANES, Axis, Placed, Rows
from facetrack_app.views.widgets import later

_SHORTEST: Final = 20  # frames that are shown at least
_MARGIN: Final = 6
_GRAB: Final = 4  # px around the end of an event in which it can be dragged
_ROUNDING: Final = 1e-6  # seconds
_WIDE: Final = 10  # px of an event whose ends can be told apart
_TICK: Final = 90  # px between two moments of the axis, about


@dataclass(slots=True)
class _Drag:
    """The end of an event on its way."""

    judged: Judged
    first: int
    last: int
    by_stop: bool
    x: float  # where it was taken hold of
    moved: bool = False

    def to(self, frame: int) -> None:
        """Move the end to a frame; both ends may meet, not pass each other."""
        if self.by_stop:
            self.last = max(frame, self.first)
        else:
            self.first = min(frame, self.last)


class Timeline(QWidget):
    """Shows what is known of every frame of one person; a click goes there.

    A press on an event chooses it; one on its end drags that.
    """

    chosen = pyqtSignal(int)
    window_changed = pyqtSignal()
    hovered = pyqtSignal(object)  # the Judged below the pointer, or None
    event_chosen = pyqtSignal(object)  # a Judged
    event_moved = pyqtSignal(object, int, int)  # a Judged, its new first and last frame

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumWidth(300)
        self.setMouseTracking(True)
        self.setAccessibleName("timeline")
        self._session: Session | None = None
        self._person: int | None = None
        self._frame = 0
        self._times = np.empty(0)
        self._first, self._stop = 0, 1
        self._pending: int | None = None  # start of a range that is being marked
        self._selected: Judged | None = None
        self._dragged: _Drag | None = None
        self._picture = QPixmap()  # names and rows, as long as they stay
        self._drawn: tuple[object, ...] = ()  # what the picture shows
        self._behind = later(self, self._catch_up)  # runs while the picture is of before an edit
        self.placed: list[Placed] = []  # the person's events
        self.rows = Rows()
        self.curves: Sequence[Curve] = ()
        self._divide()

    @property
    def window(self) -> tuple[int, int]:
        """The frames that are shown, up to but without the second."""
        return self._first, self._stop

    @property
    def columns(self) -> int:
        """Columns of pixels in which frames are shown."""
        return max(self.width() - GUTTER - _MARGIN, 1)

    @property
    def axis(self) -> Axis:
        """Where frames lie."""
        return Axis(self._first, self._stop, self.columns)

    def show_curves(self, curves: Sequence[Curve]) -> None:
        """Show signals."""
        self.curves = curves
        self._divide()
        self.update()

    def show_session(self, session: Session | None, times: npt.ArrayLike = ()) -> None:
        """Show another session, whole; `times` are the seconds of all frames of its video."""
        self._session, self.curves, self.placed = session, (), []
        self._times = np.asarray(times, dtype=np.float64)
        self._first, self._stop = 0, max(session.n_frames if session is not None else 1, 1)
        self._dragged = None
        self.refresh(None, 0)

    def refresh(
        self,
        person: int | None,
        frame: int,
        pending: int | None = None,
        selected: Judged | None = None,
    ) -> None:
        """Show a person again, whose frames or events have changed."""
        self._person, self._frame, self._pending = person, frame, pending
        self._selected = selected
        self._keep_in_view()
        self._place_events()
        self.update()

    def _place_events(self) -> None:
        session, events, times = self._session, list[Judged](), np.empty(0)
        if session is not None and self._person is not None and self._person in session.people:
            events, times = session.events(self._person), session.times()
        spans = [(judged.event.start, judged.event.stop) for judged in events]
        ends = np.array(spans).reshape(-1, 2) + np.array([-_ROUNDING, _ROUNDING])
        frames = np.searchsorted(times, ends).tolist()
        self.placed = [
            Placed(judged, lane, first, max(stop, first + 1))  # the last frame belongs to it
            for judged, lane, (first, stop) in zip(events, lanes(spans, LANES), frames, strict=True)
        ]
        self._divide()

    def _divide(self) -> None:
        used = max((one.lane + 1 for one in self.placed), default=1)
        self.rows = Rows(used, len(self.curves))
        self.setFixedHeight(self.rows.bottom + FOOT)

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

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the rows, and above them what moves: the place in the video, a drag."""
        painter = QPainter(self)
        session = self._session
        shown = (
            session, session.revision if session is not None else None, self._person, *self.window,
            self.curves, self.rows, self.width(), self.devicePixelRatioF(),
            self.palette().cacheKey(),
        )  # fmt: skip
        if shown != self._drawn:
            if (self._drawn[:1], self._drawn[2:]) == (shown[:1], shown[2:]):
                self._behind.start()  # an edit: the face that it moves is drawn first
            else:
                self._draw_picture(session)
                self._drawn = shown
        painter.drawPixmap(0, 0, self._picture)
        if session is not None:
            self._paint_selected(painter)
            self._paint_place(painter, session)

    def _catch_up(self) -> None:
        self._drawn = ()
        self.update()

    def _draw_picture(self, session: Session | None) -> None:
        ratio = self.devicePixelRatioF()
        self._picture = QPixmap(self.size() * ratio)
        self._picture.setDevicePixelRatio(ratio)
        painter = QPainter(self._picture)
        painter.setFont(self.font())
        painter.fillRect(self.rect(), self.palette().base())
        painting = Painting(painter, self.palette(), self.rows, self.axis)
        painting.names(self.curves)
        first, stop = self.window
        if session is not None and self._person in session.people:
            marks = session.spans, session.excluded()
            shown = layers(session.summary(self._person), *marks, first, stop, self.columns)
            painting.layers(shown)
            painting.events(self._shown_events())
            for place, curve in enumerate(self.curves):
                painting.curve(curve, place)
        if session is not None:
            zero, most = session.time_zero, self.columns // _TICK
            frames = f"{'pictures' if session.stills else 'frames'} {first + 1} - {stop}"
            painting.axis(time_ticks(self._times, zero, first, stop, most), frames)
        painter.end()

    def _shown_events(self) -> list[Placed]:
        """Give the events that lie in the window."""
        first, stop = self.window
        return [one for one in self.placed if one.first < stop and one.stop > first]

    def _paint_selected(self, painter: QPainter) -> None:
        for one in self.placed:
            if one.judged == self._selected:
                box = event_box(one, self.rows, self.axis)
                if self._dragged is not None:
                    box.setLeft(self.axis.x(self._dragged.first))
                    box.setRight(self.axis.x(self._dragged.last + 1))
                painter.setPen(QPen(self.palette().windowText().color(), 2))
                painter.drawRect(box)

    def _paint_place(self, painter: QPainter, session: Session) -> None:
        bottom, x_of = self.rows.bottom, self.axis.x
        if session.tracked < session.n_frames:
            x = max(x_of(session.tracked), GUTTER)
            painter.fillRect(QRectF(x, 0, self.width() - x, bottom), QColor(128, 128, 128, 40))
        if self._pending is not None:
            left, right = sorted((x_of(self._pending), x_of(self._frame)))
            painter.fillRect(QRectF(left, 0, right - left + 1, bottom), QColor(204, 121, 167, 90))
        painter.setPen(QPen(self.palette().windowText().color(), 1.4))
        x = x_of(self._frame + 0.5)
        painter.drawLine(QPointF(x, 0), QPointF(x, bottom + 4))
        moving_values(painter, self.curves, self.rows, self.axis, self._frame)

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

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Ask for curves of as many columns."""
        if event.size().width() != event.oldSize().width():
            self.window_changed.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom in time around the pointer."""
        self.zoom_by(event.angleDelta().y() / 120, self.axis.frame(event.position().x()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose an event, take hold of its end, and go to a frame."""
        if self._session is None or event.button() != Qt.LeftButton:
            return
        found = self._event_at(event.x(), event.y())
        if found is not None:
            judged, by_stop = found
            self.event_chosen.emit(judged)
            if by_stop is not None:
                ends = self._session.frames_of(judged.event.start, judged.event.stop)
                self._dragged = _Drag(judged, *ends, by_stop, event.x())
        self.chosen.emit(self.axis.frame(event.x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Scrub or drag the end of an event; without a button, say what lies there."""
        if self._session is None:
            return
        frame, drag = self.axis.frame(event.x()), self._dragged
        if drag is not None and (drag.moved or abs(event.x() - drag.x) >= _GRAB):
            drag.moved = True
            drag.to(frame)
        if event.buttons() & Qt.LeftButton:
            self.chosen.emit(frame)
        found = self._event_at(event.x(), event.y())
        self.hovered.emit(found[0] if found is not None else None)
        on_end = drag is not None or (found is not None and found[1] is not None)
        self.setCursor(Qt.SizeHorCursor if on_end else Qt.ArrowCursor)
        QToolTip.showText(event.globalPos(), self._words(event, frame), self)

    def leaveEvent(self, event: QEvent) -> None:
        """Hover over nothing any more."""
        self.hovered.emit(None)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let the end of an event go."""
        drag, self._dragged = self._dragged, None
        if drag is not None and drag.moved:
            self.event_moved.emit(drag.judged, drag.first, drag.last)

    def _event_at(self, x: float, y: float) -> tuple[Judged, bool | None] | None:
        """Find the event at a place, and whether it is its start (False) or its stop (True)."""
        lane = self.rows.lane_at(y)
        near = [one for one in self._shown_events() if one.lane == lane]
        for one in near:
            box = event_box(one, self.rows, self.axis)
            if box.left() - _GRAB <= x <= box.right() + _GRAB:
                by_stop = abs(x - box.right()) <= abs(x - box.left())
                end = box.right() if by_stop else box.left()
                there = GUTTER <= end <= GUTTER + self.columns  # not cut off by the window
                grabbed = there and abs(x - end) <= _GRAB and box.width() >= _WIDE
                return one.judged, by_stop if grabbed else None
        return None

    def _words(self, event: QMouseEvent, frame: int) -> str:
        """Say what lies under the pointer."""
        session, words = self._session, [f"frame {frame + 1}"]
        assert session is not None
        found = self._event_at(event.x(), event.y())
        if found is not None:
            words += filter(None, (event_in_words(found[0]), cues_in_words(found[0])))
        place = self.rows.curve_at(event.y())
        if place is not None and self._person is not None:
            spec = self.curves[place].spec
            value = value_in_words(session.store, self._person, spec, frame)
            words.append(f"{spec.name.replace('_', ' ')}: {value}")
            words += filter(None, (spec.meaning, spec.model))
        return "\n".join(words)
