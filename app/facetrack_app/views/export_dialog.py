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
    QPushButton,
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

# What was learned of a person is personal data: it is exported one by one.
KINDS: Final = {kind: form for kind, form in EXPORTS.items() if kind != "person"}


class ExportDialog(QDialog):
    """Sessions, formats, a folder; closing it does not end what is being written."""

    def __init__(
        self,
        model: Any,
        opened: Callable[[int], Mapping[Path, Opened]],
        post: Post,
        parent: QWidget | None = None,
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
        self._add = self._button(
            "Add a folder...", "All sessions in it and below.", self._ask_folder
        )
        self._place = self._button("...", "Choose where the files go.", self._ask_target)
        self._start = self._button("Export", "Write the files beside the window.", self.start)
        self._cancel = self._button("Cancel", "End after the file at hand.", self.cancel)
        self._lay_out()
        self._refresh()

    def _button(self, text: str, tip: str, do: Callable[[], object]) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.setAutoDefault(False)
        button.clicked.connect(lambda: do())
        return button

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel("Sessions of videos and pictures that were opened before:"))
        layout.addWidget(self.sessions, 2)
        layout.addWidget(self._add, 0, Qt.AlignLeft)
        grid = QGridLayout()
        for place, box in enumerate(self.kinds.values()):
            grid.addWidget(box, place // 2, place % 2)
            box.toggled.connect(self._refresh)
        layout.addLayout(grid)
        row = QHBoxLayout()
        row.addWidget(QLabel("Into"))
        row.addWidget(self.target, 1)
        row.addWidget(self._place)
        layout.addLayout(row)
        layout.addWidget(self.replace)
        layout.addWidget(self.progress)
        layout.addWidget(self.report, 1)
        last = QHBoxLayout()
        last.addStretch(1)
        last.addWidget(self._start)
        last.addWidget(self._cancel)
        layout.addLayout(last)
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
        path = QFileDialog.getExistingDirectory(self, "Sessions in a folder and below")
        if path:
            self.offer([Path(path)])

    def _ask_target(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Folder for the exports", self.target.text())
        if path:
            self.target.setText(path)
