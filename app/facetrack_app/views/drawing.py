# SPDX-License-Identifier: GPL-3.0-or-later
"""Drawing faces with QPainter: contours, and points whose shape and colour say the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

from facetrack.face import N_POINTS, Source
from facetrack.landmarks.markup import REGIONS
from facetrack.video.overlay import CLOSED
from facetrack_app.model.handles import GRAB, Handle, handles_of
from facetrack_app.model.rows import known_points
from facetrack_app.views import theme

SURE: Final = 0.9  # confidence from which a point is drawn as sure
UNSURE: Final = 0.6  # and below which as doubtful
LABEL_GROUND: Final = QColor(20, 20, 20)
_RADIUS: Final = 3.2  # px of the screen
_HANDLE: Final = 5.0
_CELLS: Final = 64  # of heat, across and down
_SPREAD: Final = 0.08  # of the face: deviation of heat around a point
_OPAQUE: Final = 0.75  # where it is hottest

Points = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DrawnFace:
    """A face as it is to be drawn."""

    points: Points  # px of the frame, (68, 2); NaN where absent
    colour: QColor  # of the contours
    source: npt.NDArray[np.uint8] | None = None  # `Source` of each point; None: contours alone
    confidence: npt.NDArray[np.float64] | None = None
    selected: int | None = None
    visible: tuple[int, ...] = tuple(range(N_POINTS))  # the mark-up in use
    label: str = ""  # written above the face
    ghost: bool = False  # dashed: the shape before
    handled: bool = False  # has handles: it can be scaled and turned as a whole


@dataclass(frozen=True, slots=True, eq=False)
class Heat:
    """Where on a face something was seen."""

    points: Points  # px of the frame, (68, 2); NaN where absent
    weights: npt.NDArray[np.float64]  # (68,), 0 or more


@dataclass(frozen=True, slots=True)
class Mark:
    """How points of one kind look, and what the legend says."""

    name: str
    colour: QColor
    draw: Callable[[QPainter, QPointF, float], None]
    filled: bool = True


def _circle(painter: QPainter, centre: QPointF, r: float) -> None:
    painter.drawEllipse(centre, r, r)


def _diamond(painter: QPainter, c: QPointF, r: float) -> None:
    r *= 1.35
    corners = ((0, -r), (r, 0), (0, r), (-r, 0))
    painter.drawPolygon(QPolygonF([QPointF(c.x() + x, c.y() + y) for x, y in corners]))


def _triangle(painter: QPainter, c: QPointF, r: float) -> None:
    corners = ((0, -1.3 * r), (1.2 * r, r), (-1.2 * r, r))
    painter.drawPolygon(QPolygonF([QPointF(c.x() + x, c.y() + y) for x, y in corners]))


def _cross(painter: QPainter, c: QPointF, r: float) -> None:
    painter.drawLine(QPointF(c.x() - r, c.y() - r), QPointF(c.x() + r, c.y() + r))
    painter.drawLine(QPointF(c.x() - r, c.y() + r), QPointF(c.x() + r, c.y() - r))


def _square(painter: QPainter, c: QPointF, r: float) -> None:
    painter.drawRect(QRectF(c.x() - r, c.y() - r, 2 * r, 2 * r))


MARKS: Final = {
    "human": Mark("corrected by a person", QColor("#ffffff"), _diamond),
    "sure": Mark("sure", theme.GREEN, _circle),
    "fair": Mark("fair", theme.YELLOW, _triangle),
    "doubtful": Mark("doubtful", theme.VERMILION, _cross, filled=False),
    "unsaid": Mark("no confidence known", theme.SKY, _circle),
    "hidden": Mark("hidden, guessed", theme.PINK, _square, filled=False),
}


def mark_of(source: int, confidence: float) -> str:
    """Choose how a point is drawn: the name of its mark."""
    if source == Source.CORRECTED:
        return "human"
    if source == Source.OCCLUDED:
        return "hidden"
    if not np.isfinite(confidence):
        return "unsaid"
    return "sure" if confidence >= SURE else "fair" if confidence >= UNSURE else "doubtful"


def draw_face(
    painter: QPainter, face: DrawnFace, to_screen: Callable[[Points], Points], scale: float
) -> None:
    """Draw a face."""
    shown = to_screen(face.points)
    known = known_points(shown)
    _draw_contours(painter, face, shown, known)
    _write_label(painter, face, shown[known])
    if face.handled and known.any():
        _draw_handles(painter, shown)
    if face.source is None:
        return
    confidence = face.confidence if face.confidence is not None else np.full(N_POINTS, np.nan)
    radius = _RADIUS * scale
    for point in face.visible:
        if known[point]:
            centre = QPointF(*shown[point].tolist())
            mark = MARKS[mark_of(int(face.source[point]), float(confidence[point]))]
            draw_mark(painter, mark, centre, radius)
            if point == face.selected:
                painter.setPen(QPen(QColor("#ffffff"), 1.6))
                painter.setBrush(Qt.NoBrush)
                painter.drawEllipse(centre, 2.6 * radius, 2.6 * radius)


def draw_heat(painter: QPainter, heat: Heat, to_screen: Callable[[Points], Points]) -> None:
    """Draw heat around points; what is cold is left as it is."""
    shown = to_screen(heat.points)
    known = known_points(shown) & (heat.weights > 0)
    if not known.any():
        return
    low, high = (end(shown[known_points(shown)], axis=0) for end in (np.min, np.max))
    size = float((high - low).max())
    corner, side = (low + high - 1.4 * size) / 2, 1.4 * size
    places = (np.arange(_CELLS) + 0.5) * side / _CELLS
    across, down = (
        np.exp(-0.5 * ((corner[i] + places[:, None] - shown[known, i]) / (_SPREAD * size)) ** 2)
        for i in (0, 1)
    )
    field = (down * heat.weights[known]) @ across.T
    shares = (255 * field / field.max()).astype(np.uint8)
    colours = cv2.applyColorMap(shares, cv2.COLORMAP_INFERNO)
    pixels = np.dstack([colours, (_OPAQUE * shares).astype(np.uint8)])
    image = QImage(pixels.data, _CELLS, _CELLS, 4 * _CELLS, QImage.Format_ARGB32)
    painter.setRenderHint(QPainter.SmoothPixmapTransform)
    painter.drawImage(QRectF(*corner.tolist(), side, side), image)


def draw_mark(painter: QPainter, mark: Mark, centre: QPointF, radius: float) -> None:
    """Draw one point: dark rim first, so that it shows on any ground."""
    painter.setPen(QPen(QColor(0, 0, 0, 190), 1.0 if mark.filled else 3.6))
    painter.setBrush(mark.colour if mark.filled else Qt.NoBrush)
    mark.draw(painter, centre, radius)
    if not mark.filled:
        painter.setPen(QPen(mark.colour, 1.8))
        mark.draw(painter, centre, radius)


def _draw_contours(
    painter: QPainter, face: DrawnFace, shown: Points, known: npt.NDArray[np.bool_]
) -> None:
    visible = set(face.visible)
    pens = [QPen(face.colour, 1.3, Qt.DashLine if face.ghost else Qt.SolidLine)]
    if not face.ghost:
        pens.insert(0, QPen(QColor(0, 0, 0, 120), 2.6))
    painter.setBrush(Qt.NoBrush)
    for pen in pens:
        painter.setPen(pen)
        for region, members in REGIONS.items():
            run = [i for i in members if i in visible and known[i]]
            if region in CLOSED and len(run) == len(members):
                run.append(members[0])
            painter.drawPolyline(QPolygonF([QPointF(*shown[i].tolist()) for i in run]))


def draw_box(painter: QPainter, box: QRectF) -> None:
    """Draw a dashed box that shows on any ground."""
    painter.setBrush(Qt.NoBrush)
    for pen in (QPen(QColor(0, 0, 0, 160), 2.6), QPen(QColor("#ffffff"), 1.2, Qt.DashLine)):
        painter.setPen(pen)
        painter.drawRect(box)


def _draw_handles(painter: QPainter, shown: Points) -> None:
    places = [(handle, QPointF(*at)) for handle, at in handles_of(shown, GRAB)]
    corners = [at for handle, at in places if handle is Handle.SCALE]
    box = QRectF(corners[0], corners[2])
    draw_box(painter, box)
    for handle, at in places:
        if handle is Handle.TURN:
            painter.drawLine(QPointF(at.x(), box.top()), at)
        mark = Mark("", QColor("#ffffff"), _square if handle is Handle.SCALE else _circle)
        draw_mark(painter, mark, at, _HANDLE)


def _write_label(painter: QPainter, face: DrawnFace, shown: Points) -> None:
    if not face.label or not len(shown):
        return
    left, top = shown.min(axis=0).tolist()
    box = painter.fontMetrics().boundingRect(face.label).adjusted(-5, -3, 5, 3)
    box.moveBottomLeft(QPointF(left, max(top - 8, box.height())).toPoint())
    painter.fillRect(box, LABEL_GROUND)
    painter.setPen(face.colour)
    painter.drawText(box, Qt.AlignCenter, face.label)
