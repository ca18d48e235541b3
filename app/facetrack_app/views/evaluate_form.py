# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be measured: paths, faces, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtGui import QDragEnterEvent, QDropEvent
from PyQt5.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QWidget,
)

from facetrack.evaluation.errors import NORMALISATIONS
from facetrack.landmarks.markup import MARKUPS
from facetrack_app.model.measuring import Side, Wish, faces_in
from facetrack_app.services.posting import Post, run_beside
from facetrack_app.views.widgets import choice, filled, later

_WAIT: Final = 300  # ms after the last key until a file is looked into


class Chooser(QWidget):
    """A path and, where its file holds several faces, which one is meant."""

    changed = pyqtSignal()

    def __init__(self, name: str, hint: str, post: Post) -> None:
        super().__init__()
        self._post = post
        self.field = QLineEdit()
        self.field.setAccessibleName(name)
        self.field.setPlaceholderText(hint)
        tip = "The file holds several faces: which one is measured?"
        self.face = choice(f"face of {name}", tip=tip)
        self.face.hide()
        button = QPushButton("...")
        button.setFixedWidth(36)
        button.setAccessibleName(f"choose {name}")
        button.setToolTip(f"Choose a file or a folder: {name}.")
        menu = QMenu(button)
        menu.addAction("File...", self._choose_file)
        menu.addAction("Folder...", self._choose_folder)
        button.setMenu(menu)
        filled(QHBoxLayout(self), (self.field, 1), self.face, button, margins=(0, 0, 0, 0))
        self._looking = later(self, self._look)
        self._looking.setInterval(_WAIT)
        self.field.textChanged.connect(self._rewritten)
        self.field.setAcceptDrops(False)  # it would take the address as text
        self.setAcceptDrops(True)
        self.face.activated.connect(lambda: self.changed.emit())

    @property
    def side(self) -> Side | None:
        """What was chosen; None: nothing."""
        text = self.field.text().strip()
        face = self.face.currentData() if self.face.count() else None
        return Side(Path(text).expanduser(), face) if text else None

    def stop(self) -> None:
        """Look into no file any more."""
        self._looking.stop()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take a file or a folder."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Choose what was dropped."""
        urls = [url for url in event.mimeData().urls() if url.isLocalFile()]
        self.field.setText(urls[0].toLocalFile())

    def _rewritten(self) -> None:
        self.face.clear()
        self.face.hide()
        self._looking.start()
        self.changed.emit()

    def _look(self) -> None:
        """List the faces of the file, if there are several."""
        side = self.side
        if side is None or side.path.suffix.lower() != ".csv" or not side.path.is_file():
            return
        run_beside(
            lambda: faces_in(side.path),
            self._post,
            lambda faces: self._offer(side.path, faces),
            lambda message: None,  # measuring says what is wrong with the file
        )

    def _offer(self, path: Path, faces: list[int]) -> None:
        now = self.side
        if now is None or now.path != path or len(faces) < 2:
            return
        self.face.addItem("which face?", None)
        for face in faces:
            self.face.addItem(f"face {face}", face)
        self.face.show()

    def _choose_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Choose", self.field.text(), "(*.csv *.npz)")
        if path:
            self.field.setText(path)

    def _choose_folder(self) -> None:
        if path := QFileDialog.getExistingDirectory(self, "Choose", self.field.text()):
            self.field.setText(path)


class EvaluateForm(QWidget):
    """Everything that decides about the results."""

    changed = pyqtSignal()

    def __init__(self, buttons: dict[str, QPushButton], post: Post) -> None:
        super().__init__()
        kinds = "CSV, .npz or a folder of .pts; for 300-VW the folder of folders"
        self.predictions = Chooser("predictions", kinds, post)
        self.rival = Chooser("other predictions", "to compare with; may be empty", post)
        self.truth = Chooser("truth", kinds, post)
        self.markup = choice(
            "number of points", ((f"{count} points", count) for count in MARKUPS),
            "Which points count: 51 and 49 without the jaw.",
        )  # fmt: skip
        self.by = choice(
            "what errors are divided by", ((f"% of {name}", name) for name in NORMALISATIONS),
            "Errors are divided by the distance of these, in the truth.",
        )  # fmt: skip
        self.first_pixel = choice(
            "coordinate of the first pixel", ((f"first pixel {first}", first) for first in (1, 0)),
            "In .pts files of predictions; 300-W counts from 1.",
        )  # fmt: skip
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("Predictions", self.predictions)
        form.addRow("Compare with", self.rival)
        form.addRow("Truth", self.truth)
        choices = (self.markup, self.by, self.first_pixel)
        for box in choices:
            box.activated.connect(lambda: self.changed.emit())
        names = ("run_evaluation", "save_report", "save_errors")
        for label, widgets in (("Errors", choices), ("", [buttons[name] for name in names])):
            form.addRow(label, filled(QHBoxLayout(), *widgets, None))
        for chooser in (self.predictions, self.rival, self.truth):
            chooser.changed.connect(self.changed)

    @property
    def wish(self) -> Wish | None:
        """What is to be measured; None as long as predictions or truth lack."""
        predictions, rival, truth = self.predictions.side, self.rival.side, self.truth.side
        if predictions is None or truth is None:
            return None
        both = (predictions, rival) if rival is not None else (predictions,)
        how = self.markup.currentData(), self.by.currentData(), self.first_pixel.currentData()
        return Wish(both, truth, *how)

    def stop(self) -> None:
        """Look into no file any more."""
        for chooser in (self.predictions, self.rival, self.truth):
            chooser.stop()
