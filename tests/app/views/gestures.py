"""Gestures of the mouse: `QTest.mouseMove` only moves the cursor, which no widget notices."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtWidgets import QApplication, QWidget


def press(widget: QWidget, at: QPoint, button: int = Qt.LeftButton, keys: int = 0) -> None:
    """Press a button of the mouse."""
    _send(widget, QEvent.MouseButtonPress, at, button, button, keys)


def move(widget: QWidget, to: QPoint, button: int = Qt.LeftButton, keys: int = 0) -> None:
    """Move the mouse with a button held."""
    _send(widget, QEvent.MouseMove, to, Qt.NoButton, button, keys)


def release(widget: QWidget, at: QPoint, button: int = Qt.LeftButton, keys: int = 0) -> None:
    """Let the button go."""
    _send(widget, QEvent.MouseButtonRelease, at, button, Qt.NoButton, keys)


def drag(
    widget: QWidget, start: QPoint, by: QPoint, button: int = Qt.LeftButton, keys: int = 0
) -> None:
    """Drag in three steps."""
    press(widget, start, button, keys)
    for share in (0.3, 0.7, 1.0):
        move(widget, start + by * share, button, keys)
    release(widget, start + by, button, keys)


def _send(
    widget: QWidget, kind: QEvent.Type, at: QPoint, button: int, buttons: int, keys: int
) -> None:
    event = QMouseEvent(
        kind, QPointF(at), QPointF(widget.mapToGlobal(at)), Qt.MouseButton(button),
        Qt.MouseButtons(buttons), Qt.KeyboardModifiers(keys),
    )  # fmt: skip
    QApplication.sendEvent(widget, event)
