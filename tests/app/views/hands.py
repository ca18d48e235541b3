"""What a person does at the annotate view."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PyQt5.QtCore import QPoint
from PyQt5.QtWidgets import QAction
from pytestqt.qtbot import QtBot

from facetrack_app.services.annotator import Annotator
from facetrack_app.views.exchange import Exchange
from facetrack_app.views.main_window import MainWindow
from tests.app.views import gestures

N = 30  # frames of the clip
PATIENCE = 60_000  # ms


class Hands:
    """Mouse and keys at a window with a tracked clip."""

    def __init__(self, window: MainWindow, qtbot: QtBot) -> None:
        self.window, self.qtbot, self.canvas = window, qtbot, window.annotate.canvas

    @property
    def annotator(self) -> Annotator:
        """What the gestures act on."""
        annotator = self.window.annotate.annotator
        assert annotator is not None
        return annotator

    @property
    def exchange(self) -> Exchange:
        """What imports and exports."""
        return next(p for p in self.window.annotate.parts if isinstance(p, Exchange))

    def until(self, reached: Callable[[], bool]) -> None:
        """Let Qt work until something is so."""
        self.qtbot.waitUntil(reached, timeout=PATIENCE)

    def go(self, frame: int) -> None:
        """Go to a frame and wait for its picture."""
        self.window.annotate.moves.go(frame)
        self.until(lambda: self.annotator.shown == frame)

    def key(self, name: str) -> None:
        """Ask for an action as its key does."""
        action = self.window.findChild(QAction, name)
        assert action.isEnabled(), name
        action.trigger()

    def new_person(self) -> None:
        """Put a new person into the middle of the picture."""
        self.key("new_person")
        self.key("new_person")

    def at(self, x: float, y: float) -> QPoint:
        """Give the place on the screen of a pixel of the frame."""
        found = self.canvas.to_screen(np.array([x, y]))
        return QPoint(*np.rint(found).astype(int).tolist())

    def place(self, point: int) -> QPoint:
        """Give the place of a point on the screen."""
        editor = self.annotator.editor
        assert editor is not None
        x, y = self.canvas.to_screen(editor.points[point]).tolist()
        return QPoint(round(x), round(y))

    def drag(self, point: int, by: QPoint, keys: int = 0) -> None:
        """Drag a point with the left button."""
        gestures.drag(self.canvas, self.place(point), by, keys=keys)
