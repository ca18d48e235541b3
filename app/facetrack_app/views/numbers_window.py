# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers per minute of the chosen person, beside the window: two intervals side by side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QShowEvent
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from facetrack.errors import FacetrackError
from facetrack.reporting.tables import Table
from facetrack_app.model.numbers import KINDS, WHOLE, in_words_of_rest, intervals
from facetrack_app.services.analysing import chosen_signals
from facetrack_app.services.annotator import Annotator
from facetrack_app.services.numbers import Numbers, Wish
from facetrack_app.services.posting import Post
from facetrack_app.views.asking import ask_where
from facetrack_app.views.tool_window import ToolWindow
from facetrack_app.views.widgets import choice, filled, label, later

_ALONE: Final = "nothing"
_SOON: Final = 300  # ms after a change, and
_SPARE: Final = 3.0  # times what the last table took: tracking and correcting go first
_UNKNOWN: Final = "not assessable"
_NAMES: Final = 230  # px


class NumbersWindow(ToolWindow):
    """Shows the numbers of the chosen person."""

    def __init__(
        self, shown_frames: Callable[[], tuple[int, int]], post: Post, parent: QWidget
    ) -> None:
        super().__init__("Numbers", parent)
        self.resize(760, 440)
        self._shown_frames, self._post = shown_frames, post
        self._annotator: Annotator | None = None
        self._numbers: Numbers | None = None
        self._timer = later(self, self.ask)
        self.first, self.second = choice("interval"), choice("interval to compare with")
        self.note = label("about the numbers")
        self.table = QTableWidget()
        self.table.setAccessibleName("numbers")
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QAbstractItemView.NoEditTriggers)
        self.table.setWordWrap(True)
        self.table.verticalHeader().setMinimumSectionSize(20)
        self.saving = {suffix: QPushButton(f"Save {kind}...") for suffix, kind in KINDS.items()}
        for suffix, button in self.saving.items():
            button.setToolTip(f"Write what is shown into a {suffix} file.")
        self._lay_out()

    def _lay_out(self) -> None:
        top, below = QHBoxLayout(), QHBoxLayout()
        for words, box in (("Numbers of", self.first), ("compared with", self.second)):
            before = QLabel(words)
            before.setBuddy(box)
            filled(top, before, (box, 1))
            box.setMinimumContentsLength(14)
            box.activated.connect(self.ask)
        for suffix, button in self.saving.items():
            button.clicked.connect(lambda _=False, suffix=suffix: self._save(suffix))
            below.addWidget(button)
        below.insertStretch(0, 1)
        filled(QVBoxLayout(self), top, self.note, (self.table, 1), below, margins=(8, 8, 8, 8))

    def show_annotator(self, annotator: Annotator | None) -> None:
        """Speak of another video; None: of none."""
        if self._numbers is not None:
            self._numbers.ask(None)
        self._annotator, self._numbers = annotator, None
        self._timer.stop()
        self._fill(Table([], []))
        if annotator is None:
            self.hide()
            return
        session = annotator.session
        self._numbers = Numbers(session, self._post, self._show, self._explain)
        for box in (self.first, self.second):
            box.clear()
        session.changed.connect(lambda tables: self.changed())
        annotator.analysing.changed.connect(self.changed)
        self.changed()

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what changed while it was hidden."""
        self.ask()

    def changed(self) -> None:
        """Compute anew soon, if anyone looks."""
        if self.isVisible() and not self._timer.isActive() and self._numbers is not None:
            self._timer.start(round(max(_SOON, 1000 * _SPARE * self._numbers.took)))

    def ask(self) -> None:
        """Compute what is chosen."""
        annotator, numbers = self._annotator, self._numbers
        if annotator is None or numbers is None:
            return
        wish = self._wish(annotator)
        if wish is None:
            self._explain("no person is tracked yet")
        else:
            numbers.ask(wish)

    def _wish(self, annotator: Annotator) -> Wish | None:
        """Offer the intervals that there are; give what is chosen of them."""
        if annotator.person not in annotator.session.people:
            return None
        known = intervals(annotator.session, annotator.person, self._shown_frames())
        _offer(self.first, list(known), WHOLE)
        _offer(self.second, [_ALONE, *known], _ALONE)
        names = (self.first.currentText(), self.second.currentText())
        return Wish(annotator.person, tuple(known[name] for name in names if name in known))

    def _show(self, table: Table) -> None:
        annotator = self._annotator
        assert annotator is not None
        person = annotator.person
        name = annotator.session.people[person] if person is not None else ""
        if person is not None:
            choice = chosen_signals(annotator.session)
            name += in_words_of_rest(annotator.session, choice, person)
        unfinished = annotator.tracking.running or annotator.analysing.busy
        more = " The video is still being analysed." if unfinished else ""
        self.note.setText(f"{name}: what could be assessed comes first.{more}")
        self._fill(table)

    def _explain(self, why: str) -> None:
        self.note.setText(why)
        self._fill(Table([], []))

    def _fill(self, table: Table) -> None:
        widget, place = self.table, self.table.verticalScrollBar().value()
        widget.setRowCount(len(table.rows))
        widget.setColumnCount(len(table.headers))
        widget.setHorizontalHeaderLabels([*table.headers])
        compared = 2 if len(table.headers) > 3 else 1  # the columns behind are differences
        for row, cells in enumerate(table.cells):
            for column, (text, words) in enumerate(zip(cells, table.wordy, strict=True)):
                unknown = text == "-" and 1 <= column <= compared
                item = QTableWidgetItem(_UNKNOWN if unknown else text)
                side = Qt.AlignLeft if words else Qt.AlignRight
                item.setTextAlignment(int(side | Qt.AlignVCenter))
                item.setToolTip(text if words else "")
                widget.setItem(row, column, item)
        if table.rows:
            header, last = widget.horizontalHeader(), len(table.headers) - 1
            header.setSectionResizeMode(QHeaderView.ResizeToContents)
            header.setSectionResizeMode(0, QHeaderView.Fixed)
            header.resizeSection(0, _NAMES)
            header.setSectionResizeMode(last, QHeaderView.Stretch)
            widget.resizeRowsToContents()
        widget.verticalScrollBar().setValue(place)
        for button in self.saving.values():
            button.setEnabled(bool(table.rows))

    def _save(self, suffix: str) -> None:
        annotator = self._annotator
        assert annotator is not None
        source = annotator.document.source
        folder = source.parent if isinstance(source, Path) else Path.home()
        start = folder / f"{Path(annotator.document.name).stem}-numbers{suffix}"
        path = ask_where(self, f"Save {KINDS[suffix]}", start, suffix)
        if path is not None:
            self.save_to(path)

    def save_to(self, path: Path) -> None:
        """Write what is chosen as a page, CSV or picture, as the suffix says."""
        annotator, numbers = self._annotator, self._numbers
        if annotator is None or numbers is None:
            return
        wish = self._wish(annotator)
        if wish is None:
            return
        try:
            numbers.save(wish, annotator.document.name, path, self._say)
        except FacetrackError as error:
            self._say(str(error), True)

    def _say(self, text: str, trouble: bool) -> None:
        if self._annotator is not None:
            self._annotator.said(text, trouble, "numbers")


def _offer(box: QComboBox, names: list[str], usual: str) -> None:
    """List names; what was chosen stays chosen as long as it is there."""
    chosen = box.currentText() or usual
    if [box.itemText(i) for i in range(box.count())] != names:
        box.clear()
        box.addItems(names)
        box.setCurrentText(chosen if chosen in names else usual)
