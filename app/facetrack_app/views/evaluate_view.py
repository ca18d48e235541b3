# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluate: predictions against the truth, and a look at the worst frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partialmethod
from pathlib import Path
from typing import Final

import numpy as np
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QColor
from PyQt5.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from facetrack.errors import FacetrackError
from facetrack.formats.picture import read_bgr
from facetrack.opening import open_seekable
from facetrack.video.frame import Image
from facetrack.video.square import AS_STORED, Stretch, stretch_of
from facetrack_app.model.measuring import HEADERS, Measured, Worst, measure
from facetrack_app.model.measuring_report import save_csv, save_html
from facetrack_app.model.observable import Observable, Voice
from facetrack_app.model.pairing import picture_of
from facetrack_app.model.wording import counted
from facetrack_app.services.posting import run_beside
from facetrack_app.views.asking import ask_where
from facetrack_app.views.bridge import Poster
from facetrack_app.views.canvas import Canvas
from facetrack_app.views.drawing import DrawnFace
from facetrack_app.views.evaluate_form import EvaluateForm
from facetrack_app.views.evaluate_plots import EvaluatePlots
from facetrack_app.views.room import Scrolled
from facetrack_app.views.theme import GREEN, SKY, TEXT, VERMILION, readable
from facetrack_app.views.widgets import filled, label, table

HINT: Final = "Choose predictions and truth, then measure. A click on a worst frame shows it here."
_ROWS: Final = 6  # of the table of measures; more are scrolled to
_TRUTH: Final = GREEN
_PREDICTED: Final = (VERMILION, SKY)
Save = Callable[[Path, Measured], None]


class EvaluateView(QWidget):
    """The evaluate view. Its methods named as in the table of actions do these."""

    def __init__(self, poster: Poster, buttons: dict[str, QPushButton]) -> None:
        super().__init__()
        self.said = Voice()
        self.changed: Observable[[]] = Observable()
        self._poster = poster
        self.measured: Measured | None = None
        self.form = EvaluateForm(buttons, poster.post)
        self.stop = self.form.stop  # begins nothing any more
        self.heading = label("what was measured")
        self.heading.hide()
        self.table = table("measures", HEADERS)
        self.worst = table("worst frames", ("where", "frame", "error %"))
        self.legend = QLabel()
        self.legend.setAccessibleName("colours in the picture")
        self.canvas = Canvas(HINT)
        self.plots = EvaluatePlots()
        self._lay_out()
        self.form.changed.connect(self._compare)

    def _lay_out(self) -> None:
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeToContents)
        _fit_height(self.table)
        self.worst.horizontalHeader().setSectionResizeMode(QHeaderView.Stretch)
        self.worst.horizontalHeader().setTextElideMode(Qt.ElideMiddle)
        self.worst.itemSelectionChanged.connect(self._show_worst)
        left, pictures = QWidget(), QWidget()
        above = self.form, self.heading, self.table
        filled(QVBoxLayout(left), *above, (self.plots, 1), margins=(8, 6, 4, 4))
        filled(QVBoxLayout(pictures), self.legend, (self.canvas, 1), margins=(0, 2, 0, 0))
        right = QSplitter(Qt.Vertical)
        right.setObjectName("worst frames")
        right.addWidget(pictures)
        right.addWidget(self.worst)
        right.setSizes([400, 220])
        whole = QSplitter(Qt.Horizontal)
        whole.setObjectName("evaluate")
        whole.setChildrenCollapsible(False)
        whole.addWidget(Scrolled(left))
        whole.addWidget(right)
        whole.setStretchFactor(0, 3)
        whole.setStretchFactor(1, 2)
        whole.setSizes([760, 500])
        filled(QHBoxLayout(self), whole, margins=(0, 0, 0, 0))
        self.style_plots()

    def style_plots(self) -> None:
        """Dress the plots and the legend in the colours of the present theme."""
        self.plots.dress()
        if self.measured is not None:
            self.plots.show_measured(self.measured)
        names = self.measured.wish.names if self.measured is not None else ("predicted",)
        ground = self.palette().window().color()
        words = [("truth", _TRUTH), *zip(names, _PREDICTED, strict=False)]
        self.legend.setText(
            "&nbsp;&nbsp;".join(
                f"<b style='color:{readable(colour, ground, TEXT).name()}'>— {name}</b>"
                for name, colour in words
            )
        )

    # What can be asked for

    @property
    def parts(self) -> tuple[object, ...]:
        """Who does what can be asked for here."""
        return (self,)

    @property
    def stale(self) -> bool:
        """Whether what is shown was measured of something else than is chosen now."""
        return self.measured is not None and self.measured.wish != self.form.wish

    @property
    def has_report(self) -> bool:
        """Whether what is chosen was measured."""
        return self.measured is not None and not self.stale

    def run_evaluation(self) -> None:
        """Measure beside the window."""
        wish = self.form.wish
        if wish is None:
            self.said("choose predictions and truth first", True, "measure")
            return
        self.said("measuring ...", False, "measure")
        run_beside(
            lambda: measure(wish),
            self._poster.post,
            self.show_measured,
            lambda message: self.said(message, True, "measure"),
        )

    def _ask(self, title: str, suffix: str, save: Save) -> None:
        """Ask for a name, and write there."""
        if self.measured is not None:
            folder = self.measured.wish.predictions[0].path.parent
            path = ask_where(self, title, folder / f"evaluation{suffix}", suffix)
            if path is not None:
                self.save_to(path, save)

    save_report = partialmethod(_ask, "Save report", ".html", save_html)
    save_errors = partialmethod(_ask, "Save errors", ".csv", save_csv)

    def save_to(self, path: Path, save: Save = save_html) -> None:
        """Write HTML and PNG, or the error of every frame."""
        if self.measured is None:
            return
        files = f"{path} and {path.with_suffix('.png').name}" if save is save_html else str(path)
        try:
            save(path, self.measured)
        except FacetrackError as error:
            self.said(str(error), True, "save")
        else:
            self.said(f"saved: {files}", False, "save")

    # What is shown

    def _compare(self) -> None:
        """Fade what was measured of something else than is chosen now."""
        for widget in (self.table, self.worst, self.plots):
            widget.setEnabled(not self.stale)
        self._show_heading()
        self.changed()

    def _show_heading(self) -> None:
        self.heading.setVisible(self.measured is not None)
        if self.measured is None:
            return
        wish = self.measured.wish
        what = f"{' and '.join(wish.names)} against {wish.truth.path.name}"
        if self.stale:
            self.heading.setText(
                f"These results are of {what}, not of what is chosen now: measure again."
            )
        else:
            frames = counted(self.measured.n_frames, "labelled frame")
            self.heading.setText(f"{what}: {frames}, {self.measured.when:%Y-%m-%d %H:%M}")
        self.heading.setToolTip("\n".join(str(side.path) for side in wish.sides))

    def show_measured(self, measured: Measured) -> None:
        """Show what was found."""
        self.measured = measured
        _fill(self.table, measured.rows())
        _fit_height(self.table)
        self.worst.setColumnCount(2 + len(measured.systems))
        errors = [f"{name} %" for name in measured.wish.names]
        self.worst.setHorizontalHeaderLabels(["where", "frame", *errors])
        cells = [(w.pair.name, w.frame, *map(_percent, w.errors)) for w in measured.worst]
        _fill(self.worst, cells)
        self.style_plots()
        notes = "; ".join(measured.warnings)
        news = f"{counted(measured.n_frames, 'frame')} measured"
        self.said(notes or news, bool(notes), "measure")
        if measured.worst:
            self.worst.selectRow(0)
        self._compare()

    def _show_worst(self) -> None:
        row = self.worst.currentRow()
        if self.measured is None or not 0 <= row < len(self.measured.worst):
            return
        worst = self.measured.worst[row]
        run_beside(
            lambda: _picture(worst),
            self._poster.post,
            lambda shown: self._show_picture(*shown, worst),
            lambda message: self.said(message, True, "picture"),
        )

    def _show_picture(self, image: Image | None, stretch: Stretch, worst: Worst) -> None:
        chosen = self.worst.currentRow()
        if self.measured is None or self.measured.worst[chosen : chosen + 1] != (worst,):
            return  # meanwhile another one was chosen
        self.said("", False, "picture")
        if image is None:
            self.canvas.hint = "the picture of this frame does not lie beside the truth"
        self.canvas.set_frame(image)
        self.canvas.zoom_to(stretch.square(worst.truth))
        drawn: list[tuple[np.ndarray, QColor]] = [(worst.truth, _TRUTH)]
        drawn += zip(worst.predicted, _PREDICTED, strict=False)
        self.canvas.set_faces(
            [DrawnFace(stretch.square(points), colour) for points, colour in drawn]
        )


def _fill(table: QTableWidget, rows: Sequence[Sequence[str]]) -> None:
    table.setRowCount(len(rows))
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            table.setItem(i, j, QTableWidgetItem(cell))


def _fit_height(table: QTableWidget) -> None:
    """Make a table as high as its rows, up to a few."""
    rows = min(table.rowCount(), _ROWS) * table.verticalHeader().defaultSectionSize()
    bar = table.horizontalScrollBar().sizeHint().height()
    table.setFixedHeight(table.horizontalHeader().sizeHint().height() + rows + bar + 4)


def _percent(error: float) -> str:
    return f"{error:.2f}" if np.isfinite(error) else "not found"


def _picture(worst: Worst) -> tuple[Image | None, Stretch]:
    """Look at a frame in square pixels, and give how the tables' points become those."""
    found = picture_of(worst.pair, worst.key)
    if found is None:
        return None, AS_STORED
    path, frame = found
    if frame is None:
        return read_bgr(path), AS_STORED
    with closing(open_seekable(path)) as video:
        return video.frame(frame).square.image, stretch_of(video.pixel_aspect)
