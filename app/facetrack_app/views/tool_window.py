# SPDX-License-Identifier: GPL-3.0-or-later
"""A small window above the main one, whose shortcuts keep working in it."""

from __future__ import annotations

from typing import Final

from PyQt5.QtCore import QEvent, Qt
from PyQt5.QtWidgets import QWidget

# Of lists, boxes and buttons; Return would accept a frame that the person does not look at.
_OWN_KEYS: Final = (
    Qt.Key_Up, Qt.Key_Down, Qt.Key_Home, Qt.Key_End, Qt.Key_PageUp, Qt.Key_PageDown, Qt.Key_Tab,
    Qt.Key_Backtab, Qt.Key_Return, Qt.Key_Enter, Qt.Key_F2, Qt.Key_Delete,
)  # fmt: skip


class ToolWindow(QWidget):
    """A window of its own for an open video."""

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(parent, Qt.Tool)
        self.setWindowTitle(title)

    @property
    def typing(self) -> bool:
        """Whether something is being typed: then every key is its own."""
        return False

    def event(self, event: QEvent) -> bool:
        """Keep keys from the main window's shortcuts that mean something here."""
        if event.type() == QEvent.ShortcutOverride and (self.typing or event.key() in _OWN_KEYS):
            event.accept()
            return True
        return bool(super().event(event))
