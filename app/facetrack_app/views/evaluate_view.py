# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluate: predictions against the truth, and a look at the worst frames."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pyqtgraph
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from facetrack.errors import FacetrackError
from facetrack.formats.picture import read_bgr
from facetrack.landmarks.markup import MARKUPS
from facetrack.opening import open_seekable
from facetrack.video.frame import Image
from facetrack_app.model.measuring import HEADERS, Measured, Worst, measure, picture_of, save_html
from facetrack_app.model.notice import Notice
from facetrack_app.services.posting import run_beside
from facetrack_app.views.asking import ask_where
from facetrack_app.views.bridge import Poster
from facetrack_app.views.canvas import Canvas
from facetrack_app.views.drawing import DrawnFace
from facetrack_app.views.theme import BLUE, GREEN, ORANGE, VERMILION

HINT: Final = "Choose predictions and truth, then measure. A click on a worst frame shows it here."


class EvaluateView(QWidget):
    """The evaluate view. Its methods named as in the table of actions do these."""

    def __init__(self, poster: Poster, buttons: dict[str, QPushButton]) -> None:
        super().__init__()
        self.said: Notice[[str, bool]] = Notice()
        self.changed: Notice[[]] = Notice()
        self._poster = poster
        self.measured: Measured | None = None
        self.predictions = QLineEdit()
        self.truth = QLineEdit()
        self.markup = QComboBox()
        for count in MARKUPS:
            self.markup.addItem(f"{count} points", count)
        self.markup.setAccessibleName("number of points")
        self.table = QTableWidget(0, len(HEADERS))
        self.worst = QTableWidget(0, 3)
        self.canvas = Canvas(HINT)
        self.curves = pyqtgraph.PlotWidget()
        self.reliability = pyqtgraph.PlotWidget()
        self._lay_out(buttons)

    def _lay_out(self, buttons: dict[str, QPushButton]) -> None:
        form = QFormLayout()
        form.addRow("Predictions", self._chooser(self.predictions, "predictions"))
        form.addRow("Truth", self._chooser(self.truth, "truth"))
        row = QHBoxLayout()
        for widget in (self.markup, buttons["run_evaluation"], buttons["save_report"]):
            row.addWidget(widget)
        row.addStretch(1)
        form.addRow("", row)
        self._prepare(self.table, HEADERS, "measures")
        self._prepare(self.worst, ("where", "frame", "error %"), "worst frames")
        self.worst.itemSelectionChanged.connect(self._show_worst)
        self.table.setMaximumHeight(150)
        plots = QHBoxLayout()
        plots.addWidget(self.curves)
        plots.addWidget(self.reliability)
        left = QVBoxLayout()
        left.setContentsMargins(8, 6, 4, 4)
        left.addLayout(form)
        left.addWidget(self.table)
        left.addLayout(plots, 1)
        names = (("truth", GREEN), ("predicted", VERMILION))
        words = (f"<b style='color:{colour.name()}'>— {name}</b>" for name, colour in names)
        pictures = QVBoxLayout()
        pictures.setContentsMargins(0, 2, 0, 0)
        pictures.addWidget(QLabel("&nbsp;&nbsp;" + "&nbsp;&nbsp;&nbsp;".join(words)))
        pictures.addWidget(self.canvas, 1)
        above = QWidget()
        above.setLayout(pictures)
        right = QSplitter(Qt.Vertical)
        right.addWidget(above)
        right.addWidget(self.worst)
        right.setSizes([400, 220])
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addLayout(left, 3)
        whole.addWidget(right, 2)
        self.style_plots()

    def _prepare(self, table: QTableWidget, headers: tuple[str, ...], name: str) -> None:
        table.setHorizontalHeaderLabels(headers)
        table.verticalHeader().hide()
        table.setEditTriggers(QTableWidget.NoEditTriggers)
        table.setSelectionBehavior(QTableWidget.SelectRows)
        table.horizontalHeader().setSectionResizeMode(QHeaderView.Stretch)
        table.setAccessibleName(name)

    def style_plots(self) -> None:
        """Dress the plots in the colours of the present theme."""
        text = self.palette().windowText().color()
        labels = (
            (self.curves, "error, % of the eye distance", "frames with less, %"),
            (self.reliability, "confidence said", "share within 5 %"),
        )
        for plot, below, beside in labels:
            plot.setBackground(self.palette().base().color())
            plot.setMouseEnabled(False, False)
            plot.hideButtons()
            plot.setFocusPolicy(Qt.NoFocus)
            plot.showGrid(True, True, 0.25)
            plot.setLabel("bottom", below, color=text.name())
            plot.setLabel("left", beside, color=text.name())
            for side in ("left", "bottom"):
                plot.getAxis(side).setTextPen(text)
        self.curves.setAccessibleName("cumulative error curve")
        self.reliability.setAccessibleName("reliability of confidence")

    def _chooser(self, field: QLineEdit, name: str) -> QWidget:
        field.setAccessibleName(name)
        field.setPlaceholderText("CSV, .npz or a folder of .pts; for 300-VW the folder of folders")
        button = QPushButton("...")
        button.setFixedWidth(36)
        button.setAccessibleName(f"choose {name}")
        menu = QMenu(button)
        menu.addAction("File...", lambda: self._choose_file(field))
        menu.addAction("Folder...", lambda: self._choose_folder(field))
        button.setMenu(menu)
        both = QWidget()
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(field, 1)
        row.addWidget(button)
        return both

    def _choose_file(self, field: QLineEdit) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Choose", field.text(), "(*.csv *.npz)")
        if path:
            field.setText(path)

    def _choose_folder(self, field: QLineEdit) -> None:
        path = QFileDialog.getExistingDirectory(self, "Choose", field.text())
        if path:
            field.setText(path)

    # What can be asked for

    @property
    def parts(self) -> tuple[object, ...]:
        """Who does what can be asked for here."""
        return (self,)

    @property
    def has_report(self) -> bool:
        """Whether something was measured."""
        return self.measured is not None

    def run_evaluation(self) -> None:
        """Measure beside the window."""
        predictions, truth = Path(self.predictions.text()), Path(self.truth.text())
        markup = self.markup.currentData()
        if not self.predictions.text() or not self.truth.text():
            self.said("choose predictions and truth first", True)
            return
        self.said("measuring ...", False)
        run_beside(
            lambda: measure(predictions, truth, markup=markup),
            self._poster.post,
            self.show_measured,
            lambda message: self.said(message, True),
        )

    def save_report(self) -> None:
        """Ask for a name and write HTML and PNG."""
        start = Path(self.predictions.text()).parent / "evaluation.html"
        path = ask_where(self, "Save report", start, ".html")
        if path is not None:
            self.save_to(path)

    def save_to(self, path: Path) -> None:
        """Write HTML and PNG."""
        if self.measured is None:
            return
        try:
            save_html(path, self.measured)
        except FacetrackError as error:
            self.said(str(error), True)
        else:
            self.said(f"saved: {path} and {path.with_suffix('.png').name}", False)

    # What is shown

    def show_measured(self, measured: Measured) -> None:
        """Show what was found."""
        self.measured = measured
        rows = measured.rows()
        self.table.setRowCount(len(rows))
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                self.table.setItem(i, j, QTableWidgetItem(cell))
        self.worst.setRowCount(len(measured.worst))
        for i, worst in enumerate(measured.worst):
            key = str(worst.key + 1 if isinstance(worst.key, int) else worst.key)
            error = f"{worst.error:.2f}" if np.isfinite(worst.error) else "not found"
            for j, cell in enumerate((worst.pair.name, key, error)):
                self.worst.setItem(i, j, QTableWidgetItem(cell))
        self._plot(measured)
        notes = "; ".join(measured.warnings)
        self.said(notes or f"{len(measured.all_errors)} frames measured", bool(notes))
        if measured.worst:
            self.worst.selectRow(0)
        self.changed()

    def _plot(self, measured: Measured) -> None:
        self.curves.clear()
        self.curves.plot(*measured.curve(), pen=pyqtgraph.mkPen(BLUE, width=2))
        self.curves.setRange(xRange=(0, 8), yRange=(0, 100), padding=0.02)
        self.reliability.clear()
        self.reliability.setRange(xRange=(0, 1), yRange=(0, 1), padding=0.02)
        self.reliability.plot([0, 1], [0, 1], pen=pyqtgraph.mkPen("#808080", style=Qt.DashLine))
        found = measured.reliability
        if found is None:
            self.reliability.setTitle("no confidence is stated")
            return
        there = found.counts > 0
        self.reliability.setTitle(f"calibration error {found.error:.3f}")
        self.reliability.plot(
            found.said[there], found.seen[there],
            pen=pyqtgraph.mkPen(ORANGE, width=2), symbol="o", symbolBrush=ORANGE,
        )  # fmt: skip

    def _show_worst(self) -> None:
        row = self.worst.currentRow()
        if self.measured is None or not 0 <= row < len(self.measured.worst):
            return
        worst = self.measured.worst[row]
        run_beside(
            lambda: _picture(worst),
            self._poster.post,
            lambda image: self._show_picture(image, worst),
            lambda message: self.said(message, True),
        )

    def _show_picture(self, image: Image | None, worst: Worst) -> None:
        chosen = self.worst.currentRow()
        if self.measured is None or self.measured.worst[chosen : chosen + 1] != (worst,):
            return  # meanwhile another one was chosen
        if image is None:
            self.canvas.hint = "the picture of this frame does not lie beside the truth"
        self.canvas.set_frame(image)
        self.canvas.zoom_to(worst.truth)
        self.canvas.set_faces(
            [
                DrawnFace(worst.truth, GREEN),
                DrawnFace(worst.predicted, VERMILION),
            ]
        )


def _picture(worst: Worst) -> Image | None:
    found = picture_of(worst)
    if found is None:
        return None
    path, frame = found
    if frame is None:
        return read_bgr(path)
    video = open_seekable(path)
    try:
        return video.frame(frame).image
    finally:
        video.close()
