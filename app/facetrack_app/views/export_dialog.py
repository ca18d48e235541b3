# SPDX-License-Identifier: GPL-3.0-or-later
"""Exporting several sessions in several formats at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import (
    QCheckBox,
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from facetrack_app.model.exporting import EXPORTS
from facetrack_app.model.wording import counted
from facetrack_app.services.exporting_many import (
    Exported,
    Opened,
    Order,
    export_many,
    find_sessions,
)
from facetrack_app.services.posting import Post, run_beside
from facetrack_app.views.widgets import filled, push

# What was learned of a person is personal data: it is exported one by one.
KINDS: Final = {kind: form for kind, form in EXPORTS.items() if kind != "person"}


class ExportDialog(QDialog):
    """Sessions, formats, a folder; closing it does not end what is being written."""

    def __init__(
        self,
        model: Any,
        opened: Callable[[int], Mapping[Path, Opened]],
        post: Post,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export several")
        self.resize(720, 560)
        self._model, self._opened, self._post = model, opened, post
        self._stop: threading.Event | None = None  # of what is being written
        self.sessions = QListWidget()
        self.sessions.setAccessibleName("sessions to export")
        self.kinds = {kind: QCheckBox(form.name) for kind, form in KINDS.items()}
        self.kinds["csv"].setChecked(True)
        self.target = QLineEdit()
        self.target.setAccessibleName("folder for the exports")
        self.replace = QCheckBox("replace files that are there")
        self.progress = QProgressBar()
        self.progress.setAccessibleName("progress of the export")
        self.report = QPlainTextEdit()
        self.report.setReadOnly(True)
        self.report.setAccessibleName("what came of it")
        self._add = push("Add a folder...", "All sessions in it and below.", self._ask_folder)
        self._place = push("...", "Choose where the files go.", self._ask_target)
        self._start = push("Export", "Write the files beside the window.", self.start)
        self._cancel = push("Cancel", "End after the file at hand.", self.cancel)
        self._lay_out()
        self._refresh()

    def _lay_out(self) -> None:
        grid = QGridLayout()
        for place, box in enumerate(self.kinds.values()):
            grid.addWidget(box, place // 2, place % 2)
            box.toggled.connect(self._refresh)
        filled(
            QVBoxLayout(self),
            QLabel("Sessions of videos and pictures that were opened before:"),
            (self.sessions, 2),
            filled(QHBoxLayout(), self._add, None),
            grid,
            filled(QHBoxLayout(), QLabel("Into"), (self.target, 1), self._place),
            self.replace,
            self.progress,
            (self.report, 1),
            filled(QHBoxLayout(), None, self._start, self._cancel),
        )
        self.target.textChanged.connect(self._refresh)
        self.sessions.itemChanged.connect(self._refresh)

    def offer(self, paths: Sequence[Path]) -> None:
        """List the sessions of videos, or in folders, besides those that are listed."""
        listed = {self.sessions.item(i).data(Qt.UserRole) for i in range(self.sessions.count())}
        for folder in find_sessions(paths):
            if str(folder) not in listed:
                item = QListWidgetItem(folder.name, self.sessions)
                item.setToolTip(str(folder))
                item.setData(Qt.UserRole, str(folder))
                item.setCheckState(Qt.Checked)

    @property
    def order(self) -> Order:
        """What is chosen."""
        items = [self.sessions.item(i) for i in range(self.sessions.count())]
        return Order(
            tuple(Path(i.data(Qt.UserRole)) for i in items if i.checkState() == Qt.Checked),
            tuple(kind for kind, box in self.kinds.items() if box.isChecked()),
            Path(self.target.text()),
            self.replace.isChecked(),
        )

    def start(self) -> None:
        """Write what is chosen, beside the window."""
        order, stop = self.order, threading.Event()
        self._stop = stop
        opened = self._opened(len(order.kinds))
        self.report.clear()
        self._refresh()
        run_beside(
            lambda: export_many(order, self._model, opened, self._tell, stop.is_set),
            self._post,
            self._show,
            lambda message: self._show(Exported(failed=[message])),
            lasting=True,
        )

    def cancel(self) -> None:
        """End after the file that is being written."""
        if self._stop is not None:
            self._stop.set()

    @property
    def busy(self) -> bool:
        """Whether something is being written."""
        return self._stop is not None

    def _tell(self, what: str, share: float) -> None:
        self._post(lambda: self._show_progress(what, share))

    def _show_progress(self, what: str, share: float) -> None:
        self.progress.setFormat(what)
        self.progress.setValue(round(100 * share))

    def _show(self, came: Exported) -> None:
        self._stop = None
        words = [f"{counted(len(came.written), 'export')} written"]
        words += [f"{len(came.failed)} failed"] if came.failed else []
        words += ["cancelled"] if came.cancelled else []
        self._show_progress(", ".join(words), 0.0 if came.cancelled else 1.0)
        self.report.setPlainText("\n".join([*came.failed, *came.written]))
        self._refresh()

    def _refresh(self) -> None:
        order = self.order
        ready = bool(order.sessions and order.kinds and self.target.text().strip())
        self._start.setEnabled(ready and not self.busy)
        self._cancel.setEnabled(self.busy)

    def _ask_folder(self) -> None:
        if path := QFileDialog.getExistingDirectory(self, "Sessions in a folder and below"):
            self.offer([Path(path)])

    def _ask_target(self) -> None:
        title, now = "Folder for the exports", self.target.text()
        if path := QFileDialog.getExistingDirectory(self, title, now):
            self.target.setText(path)
