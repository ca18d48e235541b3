# SPDX-License-Identifier: GPL-3.0-or-later
"""Of whom, what and where to record, and what came of it."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QGridLayout, QGroupBox, QLineEdit, QWidget

from facetrack_app.model.recording import KINDS
from facetrack_app.model.settings import Settings
from facetrack_app.views.widgets import choice, label


class RecordBox(QGroupBox):
    """Controls of recordings."""

    changed = pyqtSignal()

    def __init__(self, buttons: dict[str, QWidget]) -> None:
        super().__init__("Recording")
        self.subject = _field("subject", "Whose recording it is: the first part of the files' name")
        self.session = _field("session", "What is recorded, such as a visit or a task")
        self.kinds = choice("what is recorded", ((kind, kind) for kind in KINDS))
        self.kinds.activated.connect(self.changed)
        self.recorded = label()
        self.recorded.setTextFormat(Qt.PlainText)
        layout = QGridLayout(self)
        layout.setContentsMargins(8, 4, 8, 6)
        for column, field in enumerate((self.subject, self.session)):
            layout.addWidget(field, 0, column)
            field.editingFinished.connect(self.changed)
            field.returnPressed.connect(field.clearFocus)
        layout.addWidget(self.kinds, 1, 0, 1, 2)
        layout.addWidget(buttons["toggle_record"], 2, 0)
        layout.addWidget(buttons["choose_folder"], 2, 1)
        layout.addWidget(self.recorded, 3, 0, 1, 2)
        self._results = (buttons["show_recording"], buttons["annotate_recording"])
        for column, button in enumerate(self._results):
            layout.addWidget(button, 4, column)
            button.hide()

    def show_wishes(self, settings: Settings, folder: Path) -> None:
        """Show what is remembered, and where recordings go."""
        self.subject.setText(settings.subject)
        self.session.setText(settings.session)
        self.kinds.setCurrentText(settings.record_kind)
        self.recorded.setText(f"into {folder}")

    def show_result(self, sentence: str, done: bool) -> None:
        """Say what goes on, or what came of it, with the buttons for that."""
        self.recorded.setText(sentence)
        for button in self._results:
            button.setVisible(done)
        for field in (self.subject, self.session, self.kinds):
            field.setEnabled(done or not sentence)


def _field(name: str, tip: str) -> QLineEdit:
    field = QLineEdit()
    field.setPlaceholderText(name)
    field.setAccessibleName(name)
    field.setToolTip(tip)
    field.setMaxLength(60)
    return field
