"""Every key of the table of actions, pressed for real; what has the focus keeps its own keys."""

from __future__ import annotations

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QKeySequence
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QAbstractScrollArea, QAction, QApplication, QComboBox, QWidget
from pytestqt.qtbot import QtBot

from facetrack_app.model.actions import ACTIONS, ANNOTATE, EVALUATE, LIVE, WINDOW, keys_of
from facetrack_app.views.main_window import MainWindow


def press(widget: QWidget, key: str) -> None:
    code = QKeySequence(key)[0]
    modifiers = code & int(Qt.KeyboardModifierMask)
    QTest.keyClick(widget, Qt.Key(code & ~int(Qt.KeyboardModifierMask)),
                   Qt.KeyboardModifiers(modifiers))  # fmt: skip


def test_every_key_does_what_the_sheet_says(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
    asked: list[str] = []
    for action in ACTIONS:
        made = window.findChild(QAction, action.id)
        made.triggered.disconnect()
        made.triggered.connect(lambda _=False, name=action.id: asked.append(name))
    for place, view in enumerate((LIVE, ANNOTATE, EVALUATE)):
        window.tabs.setCurrentIndex(place)
        for action in ACTIONS:
            window.findChild(QAction, action.id).setEnabled(action.view in (view, WINDOW))
            if action.view not in (view, WINDOW):
                continue
            for key in keys_of(action, {}):
                asked.clear()
                window.view.setFocus()
                press(QApplication.focusWidget() or window, key)
                assert asked == [action.id], (view, key)


def test_space_presses_the_button_that_has_the_focus(window: MainWindow, qtbot: QtBot) -> None:
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
    mirror = window.live.panel.mirror
    mirror.setFocus()
    qtbot.waitUntil(mirror.hasFocus)
    before = mirror.isChecked()
    press(mirror, "Space")
    assert mirror.isChecked() != before
    assert not window.live.running


def test_whatever_takes_the_focus_has_a_name(window: MainWindow) -> None:
    for place in range(3):
        window.tabs.setCurrentIndex(place)
        for widget in window.view.findChildren(QWidget):
            if widget.focusPolicy() == Qt.NoFocus or not widget.isVisible():
                continue
            if isinstance(widget.parent(), (QComboBox, QAbstractScrollArea)):
                continue  # a part of something that has a name
            named = widget.accessibleName() or getattr(widget, "text", str)()
            assert named, (window.shown, type(widget).__name__, widget.objectName())
