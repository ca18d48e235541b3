# SPDX-License-Identifier: GPL-3.0-or-later
"""Several videos tracked one after the other, beside everything else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import (
    QCheckBox,
    QDialog,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QProgressBar,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from facetrack_app.model.queue import Order, Queued, Stage
from facetrack_app.model.settings import Settings
from facetrack_app.services.track_queue import TrackQueue
from facetrack_app.views.widgets import filled, label, push, table

HINT = (
    "Tracked one after the other, with the files and the ledger of <i>facetrack track</i>. What "
    "is stopped continues at the next start. A double click opens a video in Annotate."
)


class QueueDialog(QDialog):
    """The queue with its progress; closing it does not end the tracking."""

    def __init__(
        self,
        queue: TrackQueue,
        settings: Settings,
        open_video: Callable[[Path], object],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Track several videos")
        self.resize(760, 420)
        self._queue, self._settings, self._open = queue, settings, open_video
        self._inputs: list[str] = []
        self.table = table("videos to track", ("Video", "Progress", "What came of it"))
        self.output = QLineEdit()
        self.overlay = QCheckBox("also write videos with the landmarks")
        self.overlay.setToolTip("NAME.overlay.mp4 beside the tables.")
        self.rate = QDoubleSpinBox()
        self.rate.setRange(0, 10_000)
        self.rate.setSpecialValueText("as they say, else 25")  # at 0
        self.rate.setAccessibleName("frames a second of raw streams")
        self.rate.setToolTip("Files such as .h264 do not say when their frames were taken.")
        self.summary = label()
        self._buttons = {
            name: push(text, tip, do)
            for name, text, tip, do in (
                ("files", "Add videos...", "Choose video files.", self._add_files),
                ("folder", "Add folder...", "All videos of a folder.", self._add_folder),
                ("clear", "Clear", "Empty the list; no file is deleted.", self.clear),
                ("start", "Start", "Track what is in the list, or continue.", self.start),
                ("stop", "Stop", "End after the frame at hand; Start continues.", queue.cancel),
                ("place", "...", "Choose the folder for the results.", self._choose_output),
            )
        }
        self._lay_out()
        queue.changed.connect(self.refresh)
        self.refresh()

    def _lay_out(self) -> None:
        self.table.setColumnWidth(0, 240)
        self.table.setColumnWidth(1, 110)
        self.table.horizontalHeader().setSectionResizeMode(2, QHeaderView.Stretch)
        self.table.cellDoubleClicked.connect(lambda row, column: self._open_row(row))
        self.output.setAccessibleName("folder for the results")
        self.output.textChanged.connect(self.refresh)
        form, buttons = QFormLayout(), self._buttons
        form.addRow("Results in", filled(QHBoxLayout(), (self.output, 1), buttons["place"]))
        form.addRow("Frames a second of raw streams", self.rate)
        form.addRow("", self.overlay)
        lists = (buttons[name] for name in ("files", "folder", "clear"))
        row = filled(QHBoxLayout(), *lists, None, buttons["start"], buttons["stop"])
        filled(QVBoxLayout(self), label(text=HINT), (self.table, 1), form, self.summary, row)

    def add(self, paths: Sequence[Path]) -> None:
        """Put videos and folders into the list; the first one says where results go."""
        if self._queue.running:
            self.summary.setText("Stop first: a queue that runs is not changed.")
            return
        self._inputs += [str(path) for path in paths if str(path) not in self._inputs]
        if paths and not self.output.text():
            self.output.setText(str(paths[0].parent / "facetrack-results"))
        self._queue.queue.videos = []
        self.refresh()

    def clear(self) -> None:
        """Empty the list."""
        self._inputs = []
        self._queue.queue.videos, self._queue.queue.troubles = [], []
        self.refresh()

    def start(self) -> None:
        """Track what is in the list."""
        order = Order(
            tuple(self._inputs), self.output.text(), self._settings.model,
            self._settings.max_faces, self.overlay.isChecked(), self.rate.value() or None,
        )  # fmt: skip
        self._queue.start(order)

    def refresh(self) -> None:
        """Show how far it is."""
        queue = self._queue.queue
        videos = queue.videos or [Queued(source) for source in self._inputs]
        self.table.setRowCount(len(videos))
        for row, video in enumerate(videos):
            self._show_row(row, video)
        words = [queue.summary] if queue.videos else []
        self.summary.setText("\n".join([*words, *queue.troubles]))
        running = self._queue.running
        ready = bool(self._inputs) and bool(self.output.text()) and not running
        for name, works in (("start", ready), ("stop", running)):
            self._buttons[name].setEnabled(works)
        for name in ("files", "folder", "clear", "place"):
            self._buttons[name].setEnabled(not running)

    def _show_row(self, row: int, video: Queued) -> None:
        bar = self.table.cellWidget(row, 1)
        if bar is None:
            bar = QProgressBar()
            self.table.setCellWidget(row, 1, bar)
            for column in (0, 2):
                self.table.setItem(row, column, QTableWidgetItem())
        bar.setRange(0, 0 if video.stage == Stage.TRACKING and not video.total else 100)
        bar.setValue(round(100 * video.share))
        for column, text, tip in (
            (0, Path(video.source).name, video.source),
            (2, video.words, video.words),
        ):
            self.table.item(row, column).setText(text)
            self.table.item(row, column).setToolTip(tip)
            self.table.item(row, column).setData(Qt.UserRole, video.source)

    def _open_row(self, row: int) -> None:
        self._open(Path(self.table.item(row, 0).data(Qt.UserRole)))

    def _add_files(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Add videos")
        self.add([Path(path) for path in paths])

    def _add_folder(self) -> None:
        if path := QFileDialog.getExistingDirectory(self, "Add all videos of a folder"):
            self.add([Path(path)])

    def _choose_output(self) -> None:
        title, now = "Folder for the results", self.output.text()
        if path := QFileDialog.getExistingDirectory(self, title, now):
            self.output.setText(path)
