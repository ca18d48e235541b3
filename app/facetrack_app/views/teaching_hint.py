# SPDX-License-Identifier: GPL-3.0-or-later
"""The one thing that is not guessed: press on a wrong point and drag, and the tracker learns."""

from __future__ import annotations

from math import cos, pi, sin
from typing import Final

from PyQt5.QtCore import QEvent, QObject, QPointF, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from facetrack_app.views.canvas import GROUND
from facetrack_app.views.drawing import MARKS, draw_mark
from facetrack_app.views.widgets import filled, label

WORDS: Final = (
    "<b>Press on a wrong point and drag it to its place: the tracker learns this face.</b><br>"
    "At once, in the frames around it, and from then on. Undo takes it back."
)
TERMS: Final = (
    "<small>Free software under the GPL, version 3 or later. Models learned from data released for "
    "research, not for commercial use: see <i>Help, Models and their terms</i>.</small>"
)


class TeachingHint(QFrame):
    """Lies over the views until it is taken away, at the middle of its parent's lower half."""

    gone = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName("how to teach the tracker")
        self.setFrameShape(QFrame.StyledPanel)
        self.setAutoFillBackground(True)
        words = label(text=f"{WORDS}<br><br>{TERMS}")
        words.setMinimumWidth(300)
        self.button = QPushButton("I see")
        self.button.setToolTip("Take this hint away; Help shows it again.")
        self.button.clicked.connect(self.leave)
        last = filled(QHBoxLayout(), None, self.button)
        beside = filled(QVBoxLayout(), (words, 1), last)
        filled(QHBoxLayout(self), _Picture(), (beside, 1), margins=(12, 12, 12, 12))
        self.hide()
        parent.installEventFilter(self)

    def appear(self) -> None:
        """Lie above everything."""
        self.show()
        self._place()
        self.raise_()
        self.button.setFocus()

    def leave(self) -> None:
        """Be gone."""
        self.hide()
        self.gone.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Be gone with Esc."""
        if event.key() == Qt.Key_Escape:
            self.leave()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the middle."""
        if event.type() == QEvent.Resize and self.isVisible():
            self._place()
        return bool(super().eventFilter(watched, event))

    def _place(self) -> None:
        room = self.parentWidget().rect()
        self.resize(min(560, room.width() - 40), self.sizeHint().height())
        self.move(
            (room.width() - self.width()) // 2, round(0.7 * room.height()) - self.height() // 2
        )


class _Picture(QWidget):
    """A mouth with one wrong point, and where it is dragged."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(QSize(150, 96))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.Antialiasing)
        painter.fillRect(self.rect(), GROUND)
        centre, wide, high = QPointF(75, 34), 52.0, 20.0
        angles = [2 * pi * k / 12 for k in range(12)]
        places = [centre + QPointF(wide * cos(a), high * sin(a)) for a in angles]
        right, wrong = places[3], places[3] + QPointF(6, 28)
        painter.setPen(QPen(MARKS["sure"].colour, 1.4))
        painter.drawPolygon(QPolygonF([*places[:3], wrong, *places[4:]]))
        painter.setPen(QPen(QColor("#ffffff"), 2.0, Qt.DashLine))
        painter.drawLine(wrong, right)
        for place in (*places[:3], *places[4:]):
            draw_mark(painter, MARKS["sure"], place, 3.4)
        draw_mark(painter, MARKS["doubtful"], wrong, 5.0)
        draw_mark(painter, MARKS["human"], right, 5.0)
