# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings, the sheet of keys, models with their terms, and about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from html import escape
from importlib.resources import files
from typing import Final

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QKeySequenceEdit,
    QLabel,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

import facetrack
from facetrack_app.model.actions import ACTIONS, conflicts, keys_of
from facetrack_app.model.settings import THEMES, Settings
from facetrack_app.views.widgets import filled, label

LICENCES = (
    ("Facetrack's library", "Apache-2.0"),
    ("This application", "GPL-3.0-or-later, because of PyQt5"),
    ("PyQt5", "GPL-3.0"), ("Qt 5", "LGPL-3.0"), ("pyqtgraph", "MIT"), ("numpy", "BSD-3-Clause"),
    ("scipy", "BSD-3-Clause"), ("numba", "BSD-2-Clause"), ("scikit-image", "BSD-3-Clause"),
    ("opencv-python-headless", "Apache-2.0, with FFmpeg under LGPL-2.1"),
    ("dlib", "Boost"), ("PyAV", "BSD-3-Clause; its wheel's FFmpeg holds x264, GPL"),
    ("matplotlib", "Matplotlib's own, like PSF"), ("tqdm", "MPL-2.0 and MIT"),
    ("Pillow", "MIT-CMU"),
)  # fmt: skip


def read(title: str, text: str, parent: QWidget, *, markdown: bool = False) -> None:
    """Show a page to read, HTML or Markdown, until it is closed."""
    dialog = QDialog(parent)
    dialog.setWindowTitle(title)
    dialog.resize(720, 560)
    page = QTextBrowser()
    page.setOpenExternalLinks(True)
    page.setMarkdown(text) if markdown else page.setHtml(text)
    buttons = QDialogButtonBox(QDialogButtonBox.Close)
    buttons.rejected.connect(dialog.reject)
    filled(QVBoxLayout(dialog), page, buttons)
    dialog.exec()


def about_html() -> str:
    """Write what this is and under which terms."""
    rows = "".join(f"<tr><td>{n}&nbsp;&nbsp;</td><td>{terms}</td></tr>" for n, terms in LICENCES)
    return (
        f"<h2>Facetrack {facetrack.__version__}</h2>"
        "<p>A face tracker that a person can teach. Works on this machine alone: nothing is "
        "uploaded, nothing is measured, only the files you ask for are kept.</p>"
        "<p>Faces are personal data. A session and what was learned of a person belong to that "
        "person's data, too: delete the session's folder to delete both.</p>"
        f"<h3>Licences</h3><table>{rows}</table>"
    )


def notes_html(video: str, notes: list[str]) -> str:
    """List what is to be known of a video."""
    lines = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f"<h3>{escape(video)}</h3><ul>{lines}</ul>" if notes else "<p>There are no notes.</p>"


FIRST_KEYS: Final = (
    "open_video", "show_queue", "next_doubtful", "accept", "toggle_occluded", "reach_point",
    "reach_region", "reach_shape", "undo", "play", "step_back", "step_on", "toggle_run", "freeze",
    "show_keys",
)  # fmt: skip


def first_steps(changed: Mapping[str, str]) -> str:
    """Write what to do first, and the keys that matter most, as Markdown."""
    text = files("facetrack_app").joinpath("first_steps.md").read_text(encoding="utf-8")
    by_id = {action.id: action for action in ACTIONS}
    keys = [(by_id[name], keys_of(by_id[name], changed)) for name in FIRST_KEYS]
    rows = [f"| {action.text} | {', '.join(k)} |" for action, k in keys if k]
    return "\n".join([text, "## Keys", "", "| | Key |", "|---|---|", *rows, ""])


def models_text() -> str:
    """Write the cards of the models that are installed."""
    folder = files("facetrack.models")
    cards = [f.read_text(encoding="utf-8") for f in folder.iterdir() if f.name.endswith(".md")]
    return "\n\n---\n\n".join(cards) or "No model is installed."


class KeysSheet(QDialog):
    """All keys on one sheet; a click on one changes it."""

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.resize(760, 620)
        self.changed = dict(settings.keys)
        self.table = QTableWidget(len(ACTIONS), 4)
        self.table.setHorizontalHeaderLabels(["Action", "Where", "Keys", "Change to"])
        self.table.verticalHeader().hide()
        self.table.setSelectionBehavior(QTableWidget.SelectRows)
        self.table.setSelectionMode(QTableWidget.SingleSelection)
        self.table.setAccessibleName("keys")
        for row, action in enumerate(ACTIONS):
            where = "everywhere" if action.view == "window" else action.view
            keys = ", ".join(keys_of(action, self.changed))
            for column, text in enumerate((action.text, where, keys)):
                item = QTableWidgetItem(text)
                item.setFlags(Qt.ItemIsEnabled | Qt.ItemIsSelectable)
                item.setToolTip(action.tip)
                self.table.setItem(row, column, item)
            edit = QKeySequenceEdit()
            edit.setAccessibleName(f"key for {action.text}")
            edit.editingFinished.connect(lambda row=row, edit=edit: self._change(row, edit))
            self.table.setCellWidget(row, 3, edit)
        for column, width in enumerate((280, 100, 150, 170)):
            self.table.setColumnWidth(column, width)
        self.trouble = label()
        buttons = QDialogButtonBox(QDialogButtonBox.Ok | QDialogButtonBox.Cancel)
        standard = buttons.addButton("Standard keys", QDialogButtonBox.ResetRole)
        standard.clicked.connect(self._standard)
        clear = buttons.addButton("No key", QDialogButtonBox.ActionRole)
        clear.setToolTip("Take the key of the chosen line away.")
        clear.clicked.connect(self._clear)
        self.accept_button = buttons.button(QDialogButtonBox.Ok)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        filled(QVBoxLayout(self), self.table, self.trouble, buttons)
        self._check()

    def _change(self, row: int, edit: QKeySequenceEdit) -> None:
        first = edit.keySequence()[0] if edit.keySequence().count() else 0
        if first:  # several keys one after the other would be ambiguous with the first one
            key = QKeySequence(first).toString(QKeySequence.PortableText)
            self.changed[ACTIONS[row].id] = key
            self.table.item(row, 2).setText(key)
            self._check()

    def _clear(self) -> None:
        row = self.table.currentRow()
        if row >= 0:
            self.changed[ACTIONS[row].id] = ""
            self.table.item(row, 2).setText("")
            self._check()

    def _standard(self) -> None:
        self.changed = {}
        for row, action in enumerate(ACTIONS):
            self.table.item(row, 2).setText(", ".join(action.keys))
        self._check()

    def _check(self) -> None:
        found = conflicts(self.changed)
        self.trouble.setText("One key for two things: " + "; ".join(found) if found else "")
        self.accept_button.setEnabled(not found)


class SettingsDialog(QDialog):
    """Model, threads, theme."""

    def __init__(
        self, settings: Settings, models: list[str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Settings")
        self._settings = settings
        self.model = QComboBox()
        self.model.setEditable(True)
        self.model.addItems(models)
        self.model.setCurrentText(settings.model)
        self.model.setMinimumWidth(280)
        self.max_faces = QSpinBox()
        self.max_faces.setRange(1, 16)
        self.max_faces.setValue(settings.max_faces)
        self.threads = QSpinBox()
        self.threads.setRange(1, 256)
        self.threads.setValue(settings.threads)
        self.theme = QComboBox()
        self.theme.addItems(THEMES)
        self.theme.setCurrentText(settings.theme)
        form = QFormLayout(self)
        form.addRow("&Model (name or file)", self.model)
        form.addRow("&People tracked at most", self.max_faces)
        form.addRow("Th&reads", self.threads)
        form.addRow("&Theme", self.theme)
        note = QLabel("Model and threads count from the next start on, people from the next video.")
        form.addRow(note)
        buttons = QDialogButtonBox(QDialogButtonBox.Ok | QDialogButtonBox.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        form.addRow(buttons)

    def chosen(self) -> Settings:
        """Give the settings as they were changed."""
        return replace(
            self._settings,
            model=self.model.currentText().strip() or "default",
            max_faces=self.max_faces.value(),
            threads=self.threads.value(),
            theme=self.theme.currentText(),
        )
