# SPDX-License-Identifier: GPL-3.0-or-later
"""Menus, buttons and shortcuts out of the one table of actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PyQt5.QtCore import QEvent, QObject, Qt
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QAbstractButton, QAction, QMainWindow, QMenu, QPushButton, QWidget

from facetrack_app.model.actions import ACTIONS, MENUS, SEPARATED, WINDOW, Action, keys_of

_BUTTON_TEXTS = {
    "step_back": "◀", "step_on": "▶", "play": "Play", "previous_doubtful": "◀ doubtful",
    "next_doubtful": "doubtful ▶", "rename_person": "Rename", "new_person": "New",
    "delete_person": "Delete", "merge_people": "Merge", "split_person": "Split here",
    "accept": "Accept", "uncorrect": "Remove", "toggle_occluded": "Hidden", "mark_absent": "Absent",
    "toggle_tracking": "Stop",
    "track_back": "Track back", "track_on": "Track on", "toggle_run": "Start",
    "toggle_adapt": "Adapt", "forget_person": "Forget", "toggle_record": "Record",
    "show_notes": "Notes", "run_evaluation": "Measure", "save_report": "Save report",
    "save_errors": "Save CSV",
    "choose_folder": "Folder...", "show_recording": "Open folder",
    "annotate_recording": "Open in Annotate",
}  # fmt: skip


class SpacePresses(QObject):
    """Lets Space press the button that has the focus, although it is a shortcut elsewhere."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        for button in window.findChildren(QAbstractButton):
            button.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep Space from the shortcuts."""
        if event.type() == QEvent.ShortcutOverride and event.key() == Qt.Key_Space:
            event.accept()
            return True
        return False


class ActionBar:
    """Makes Qt's actions, once, and keeps them in step with what is shown."""

    def __init__(
        self, window: QMainWindow, perform: Callable[[Action], None], keys: Mapping[str, str]
    ) -> None:
        self._actions: dict[str, QAction] = {}
        self.recent = QMenu("Open recent", window)  # what was opened before
        self.recent.setToolTipsVisible(True)
        menus = {name: window.menuBar().addMenu(text) for name, text in MENUS.items()}
        for menu in menus.values():
            menu.setToolTipsVisible(True)
        for action in ACTIONS:
            made = QAction(action.text, window)
            made.setObjectName(action.id)
            made.setCheckable(bool(action.checked[0]))
            made.triggered.connect(lambda _=False, action=action: perform(action))
            menu = menus[action.menu]
            if action.id in SEPARATED and not menu.isEmpty():
                menu.addSeparator()
            menu.addAction(made)
            if action.id == "open_folder":
                menu.addMenu(self.recent)
            self._actions[action.id] = made
        self.buttons: dict[str, QPushButton] = {
            name: self._button(name, text) for name, text in _BUTTON_TEXTS.items()
        }
        self.set_keys(keys)

    def _button(self, name: str, text: str) -> QPushButton:
        action = self._actions[name]
        button = QPushButton(text)
        button.setFocusPolicy(Qt.TabFocus)  # keys belong to the picture
        button.setAccessibleName(action.text())
        button.clicked.connect(action.trigger)
        action.changed.connect(lambda: button.setEnabled(action.isEnabled()))
        return button

    def set_keys(self, changed: Mapping[str, str]) -> None:
        """Use other shortcuts."""
        for action in ACTIONS:
            made = self._actions[action.id]
            keys = keys_of(action, changed)
            made.setShortcuts([QKeySequence(key) for key in keys])
            shown = f" ({keys[0]})" if keys else ""
            tip = f"{action.text}{shown}" + (f": {action.tip}" if action.tip else "")
            made.setToolTip(tip)
            if action.id in self.buttons:
                self.buttons[action.id].setToolTip(tip)

    def refresh(self, shown: str, view: QWidget) -> None:
        """Enable what works in the view that is shown; only its keys are live."""
        for action in ACTIONS:
            works = action.view in (shown, WINDOW)
            if works and action.needs:
                works = bool(getattr(view, action.needs))
            made, (name, value) = self._actions[action.id], action.checked
            made.setEnabled(works)
            if name:
                made.setChecked(action.view == shown and getattr(view, name) == value)
