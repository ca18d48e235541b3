# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of events and marks, beside the window: to find, judge, rename, move and delete them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from PyQt5.QtCore import QModelIndex, Qt
from PyQt5.QtGui import QKeyEvent, QShowEvent
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QInputDialog,
    QLabel,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from facetrack_app.model.event_list import Line, event_lines
from facetrack_app.model.judged import Judged
from facetrack_app.model.vocabulary import Vocabulary
from facetrack_app.model.wording import counted
from facetrack_app.services.annotator import Annotator
from facetrack_app.services.event_editing import EventEditing
from facetrack_app.views.event_table import COLUMNS, NAME, START, EventTable, NameDelegate
from facetrack_app.views.tool_window import ToolWindow
from facetrack_app.views.widgets import choice, filled, later, push

_ALL: Final = "all names"
_SOON: Final = 100  # ms after a change, and
_SPARE: Final = 10.0  # times what the last look took


class EventsWindow(ToolWindow):
    """Lists events and marks."""

    def __init__(self, vocabulary: Vocabulary, go: Callable[[int], None], parent: QWidget) -> None:
        super().__init__("Events", parent)
        self.resize(620, 380)
        self._vocabulary, self._go = vocabulary, go
        self._annotator: Annotator | None = None
        self._took = 0.0
        self._timer = later(self, self.reload)
        self.filter = choice("names that are listed")
        self.filter.setMinimumContentsLength(16)
        self.count = QLabel("")
        self.rows = EventTable()
        self.table = QTableView()
        self.table.setAccessibleName("events")
        self.table.setModel(self.rows)
        self.table.setItemDelegateForColumn(NAME, NameDelegate(vocabulary, self.table))
        self.table.setSelectionBehavior(QAbstractItemView.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SingleSelection)
        self.table.setEditTriggers(
            QAbstractItemView.DoubleClicked | QAbstractItemView.EditKeyPressed
        )
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(22)
        self.table.setWordWrap(False)  # a name that is cut off is cut off late
        self.table.horizontalHeader().setSectionResizeMode(NAME, QHeaderView.Stretch)
        for column in range(len(COLUMNS)):
            if column != NAME:
                self.table.setColumnWidth(column, 84)
        self.accept = push(
            "Accept", "Say that the event is right, also one that was rejected.",
            lambda: self._on_chosen(lambda e, line: e.accept(line)),
        )  # fmt: skip
        self.remove = push(
            "Reject or delete", "Reject what the program found; delete what you made or marked.",
            lambda: self._on_chosen(lambda e, line: e.remove(line)),
        )  # fmt: skip
        tip = "The names that are offered for events and marks."
        self.names = push("Names...", tip, self._ask_names)
        top = filled(QHBoxLayout(), QLabel("List"), self.filter, (self.count, 1))
        below = filled(QHBoxLayout(), self.names, None, self.accept, self.remove)
        filled(QVBoxLayout(self), top, (self.table, 1), below, margins=(8, 8, 8, 8))
        self._connect()

    def _connect(self) -> None:
        self.filter.activated.connect(self.reload)
        self.rows.edited.connect(self._edit)
        for delegate in (self.table.itemDelegate(), self.table.itemDelegateForColumn(NAME)):
            delegate.closeEditor.connect(lambda *how: self._timer.start(0))
        self.table.selectionModel().currentRowChanged.connect(self._choose)
        self.table.clicked.connect(self._choose)

    def show_annotator(self, annotator: Annotator | None) -> None:
        """List the events of another video; None: of none."""
        self._annotator = annotator
        self._timer.stop()
        self.rows.show_lines(())
        if annotator is None:
            self.hide()
            return
        annotator.session.changed.connect(lambda tables: self.changed())
        annotator.analysing.changed.connect(self.changed)

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what changed while it was hidden."""
        self.reload()

    def changed(self) -> None:
        """List anew soon, if anyone looks."""
        if self.isVisible() and not self._timer.isActive():
            self._timer.start(round(max(_SOON, 1000 * _SPARE * self._took)))

    def reload(self) -> None:
        """List anew; the line that was chosen stays chosen."""
        if self._annotator is None or self.typing:  # what is being typed is not taken away
            return
        begin = time.perf_counter()
        lines = event_lines(self._annotator.session)
        names = [_ALL, *sorted({line.name for line in lines})]
        wanted = self.filter.currentText()
        if [self.filter.itemText(i) for i in range(self.filter.count())] != names:
            self.filter.clear()
            self.filter.addItems(names)
            self.filter.setCurrentText(wanted if wanted in names else _ALL)
        wanted = self.filter.currentText()
        shown = [line for line in lines if wanted in (_ALL, line.name)]
        chosen = self.chosen
        place = self.table.verticalScrollBar().value()
        self.table.selectionModel().blockSignals(True)
        self.rows.show_lines(shown)
        for row, line in enumerate(shown):
            if chosen is not None and line.key == chosen.key:
                self.table.selectRow(row)
        self.table.selectionModel().blockSignals(False)
        self.table.verticalScrollBar().setValue(place)
        self.count.setText(counted(len(shown), "event"))
        self._took = time.perf_counter() - begin

    @property
    def typing(self) -> bool:
        """Whether a cell is being edited."""
        return bool(self.table.state() == QAbstractItemView.EditingState)

    @property
    def chosen(self) -> Line | None:
        """The line that is chosen."""
        row = self.table.currentIndex().row()
        return self.rows.lines[row] if 0 <= row < len(self.rows.lines) else None

    def _choose(self, index: QModelIndex, *_: object) -> None:
        """Go to an event and choose it, with its person."""
        if self._annotator is None or not index.isValid():
            return
        line = self.rows.lines[index.row()]
        if isinstance(line.what, Judged):
            if line.what.person != self._annotator.person:
                self._annotator.choose(line.what.person)
            self._annotator.judging.choose(line.what if line.state != "rejected" else None)
        self._go(line.first)

    def _on_chosen(self, act: Callable[[EventEditing, Line], None]) -> None:
        if self._annotator is not None and self.chosen is not None:
            act(EventEditing(self._annotator), self.chosen)
            self.reload()

    def _edit(self, line: Line, column: int, typed: str) -> None:
        if self._annotator is None:
            return
        editing = EventEditing(self._annotator)
        if column == NAME:
            self._vocabulary.add(typed)
            editing.rename(line, typed)
        else:
            try:
                seconds = float(typed.replace(",", "."))
            except ValueError:
                self._annotator.said(f"{typed!r} is no number of seconds", True)
                return
            editing.move(line, **{"start" if column == START else "stop": seconds})

    def _ask_names(self) -> None:
        text, sure = QInputDialog.getMultiLineText(
            self, "Names", "One a line; offered for events and marks:",
            "\n".join(self._vocabulary.names),
        )  # fmt: skip
        if sure:
            self._vocabulary.replace(text.splitlines())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete by Del."""
        if event.key() == Qt.Key_Delete:
            self.remove.click()
        else:
            super().keyPressEvent(event)
