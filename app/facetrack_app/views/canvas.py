# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture with its faces: zoom at the pointer, pan, and gestures handed on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

import numpy as np
from PyQt5.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PyQt5.QtWidgets import QSizePolicy, QWidget

from facetrack.video.frame import Image
from facetrack_app.model.handles import Box
from facetrack_app.model.rows import known_points
from facetrack_app.views.drawing import (
    DrawnFace,
    Heat,
    Points,
    draw_box,
    draw_face,
    draw_heat,
)

FARTHEST: Final = 40.0  # times the size at which the whole picture fits
_STEP: Final = 1.2  # of zoom for a notch of the wheel
GROUND: Final = QColor("#141517")
HINT_COLOUR: Final = QColor("#9aa0a6")


class Canvas(QWidget):
    """Shows a frame and faces on it; its signals hand gestures on, in pixels of the frame."""

    pressed = pyqtSignal(float, float, int)  # of the left button, with the keyboard's modifiers
    moved = pyqtSignal(float, float)
    released = pyqtSignal()

    def __init__(self, hint: str) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Expanding)
        self.setMinimumSize(240, 120)
        self.setFocusPolicy(Qt.StrongFocus)
        self.setMouseTracking(False)
        self.setAccessibleName("picture with the face's points")
        self.mirrored = False
        self.hint = hint
        self.painted_at = 0.0
        self._image: QImage | None = None
        self._pixels: Image | None = None  # its memory, shape (H, W, 3), BGR
        self._faces: tuple[DrawnFace, ...] = ()
        self._heat: Heat | None = None
        self._box: Box | None = None
        self._zoom, self._centre = 1.0, QPointF()
        self._panning: QPointF | None = None
        self._held = False

    def sizeHint(self) -> QSize:
        """Room for a picture."""
        return QSize(640, 300)

    def set_frame(self, image: Image | None) -> None:
        """Show a picture, shape (H, W, 3), uint8 BGR; None: the hint instead."""
        if image is None:
            self._image = self._pixels = None
        else:
            height, width = image.shape[:2]
            if self._pixels is None or self._pixels.shape[:2] != (height, width):
                self._make_image(width, height)
            assert self._pixels is not None
            # Copied into one image: the frame's own memory may be gone when Qt paints.
            np.copyto(self._pixels, image)
        self.update()

    def _make_image(self, width: int, height: int) -> None:
        self._image = QImage(width, height, QImage.Format_BGR888)
        memory = self._image.bits()
        memory.setsize(self._image.sizeInBytes())
        strides = (self._image.bytesPerLine(), 3, 1)
        self._pixels = np.ndarray((height, width, 3), np.uint8, buffer=memory, strides=strides)
        self.zoom_all()

    def set_faces(self, faces: Sequence[DrawnFace]) -> None:
        """Show faces."""
        self._faces = tuple(faces)
        self.update()

    def set_heat(self, heat: Heat | None) -> None:
        """Show where on a face something was seen."""
        self._heat = heat
        self.update()

    def set_box(self, box: Box | None) -> None:
        """Show a box that is being drawn, in pixels of the frame."""
        self._box = box
        self.update()

    @property
    def has_picture(self) -> bool:
        """Whether a picture is shown, and not the hint."""
        return self._image is not None

    @property
    def scale(self) -> float:
        """Pixels of the screen per pixel of the frame."""
        if self._image is None:
            return 1.0
        fit = min(self.width() / self._image.width(), self.height() / self._image.height())
        return self._zoom * fit

    def zoom_all(self) -> None:
        """Show the whole picture."""
        self._zoom = 1.0
        if self._image is not None:
            self._centre = QPointF(self._image.width() / 2, self._image.height() / 2)
        self.update()

    def zoom_to(self, points: Points) -> None:
        """Fill the view with a face."""
        known = points[known_points(points)]
        if self._image is None or not len(known):
            return
        low, high = known.min(axis=0), known.max(axis=0)
        width, height = (1.5 * (high - low)).tolist()
        self._centre = QPointF(*((low + high) / 2).tolist())
        self._zoom = 1.0
        self._zoom = min(
            max(min(self.width() / width, self.height() / height) / self.scale, 1.0), FARTHEST
        )
        self.update()

    def to_screen(self, points: Points) -> Points:
        """Bring points of the frame to the screen."""
        scale = self.scale
        centre = np.array([self._centre.x(), self._centre.y()])
        # A pixel's centre is at integers in the frame and at halves on the screen.
        shown: Points = (points + 0.5 - centre) * scale
        if self.mirrored:
            shown[..., 0] *= -1
        return shown + np.array([self.width() / 2, self.height() / 2])

    def to_frame(self, place: QPointF) -> tuple[float, float]:
        """Bring a place on the screen to the frame."""
        x = (place.x() - self.width() / 2) / self.scale * (-1 if self.mirrored else 1)
        y = (place.y() - self.height() / 2) / self.scale
        return x + self._centre.x() - 0.5, y + self._centre.y() - 0.5

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint picture and faces."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), GROUND)
        if self._image is None:
            painter.setPen(HINT_COLOUR)
            room = self.rect().adjusted(24, 24, -24, -24)
            painter.drawText(room, Qt.AlignCenter | Qt.TextWordWrap, self.hint)
            return
        painter.save()
        painter.translate(self.width() / 2, self.height() / 2)
        painter.scale(-self.scale if self.mirrored else self.scale, self.scale)
        painter.translate(-self._centre)
        # Magnified far, single pixels should be told apart.
        painter.setRenderHint(QPainter.SmoothPixmapTransform, self.scale < 4)
        painter.drawImage(QRectF(0, 0, self._image.width(), self._image.height()), self._image)
        painter.restore()
        painter.setRenderHint(QPainter.Antialiasing)
        if self._heat is not None:
            draw_heat(painter, self._heat, self.to_screen)
        for face in self._faces:
            draw_face(painter, face, self.to_screen, min(max(self.scale / 2, 0.8), 1.6))
        if self._box is not None:
            corners = self.to_screen(np.array(self._box).reshape(2, 2))
            draw_box(painter, QRectF(QPointF(*corners[0]), QPointF(*corners[1])))
        painter.end()
        self.painted_at = time.perf_counter()

    def zoom_by(self, notches: float, place: QPointF | None = None) -> None:
        """Zoom; what lies at a place on the screen, or in the middle, stays there."""
        if self._image is None:
            return
        place = place if place is not None else QPointF(self.width() / 2, self.height() / 2)
        before = self.to_frame(place)
        self._zoom = min(max(self._zoom * _STEP**notches, 1.0), FARTHEST)
        after = self.to_frame(place)
        self._centre += QPointF(before[0] - after[0], before[1] - after[1])
        if self._zoom == 1.0:
            self.zoom_all()
        self.update()

    def pan_by(self, dx: float, dy: float) -> None:
        """Move the picture by pixels of the screen."""
        sign = -1 if self.mirrored else 1
        self._centre -= QPointF(sign * dx, dy) / self.scale
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the pointer."""
        self.zoom_by(event.angleDelta().y() / 120, event.position())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a gesture."""
        if event.button() == Qt.MiddleButton:
            self._panning = event.localPos()
        elif event.button() == Qt.LeftButton and self._image is not None:
            self._held = True
            self.pressed.emit(*self.to_frame(event.localPos()), int(event.modifiers()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with a gesture."""
        if self._panning is not None:
            apart = event.localPos() - self._panning
            self.pan_by(apart.x(), apart.y())
            self._panning = event.localPos()
        elif self._held:
            self.moved.emit(*self.to_frame(event.localPos()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a gesture."""
        if event.button() == Qt.MiddleButton:
            self._panning = None
        elif event.button() == Qt.LeftButton:
            self._held = False
            self.released.emit()
