# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of events as a table of Qt: what its cells show, and how they are edited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from PyQt5.QtCore import QAbstractTableModel, QModelIndex, Qt, pyqtSignal
from PyQt5.QtWidgets import QComboBox, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from facetrack_app.model.event_list import Line
from facetrack_app.model.vocabulary import Vocabulary
from facetrack_app.model.wording import named_with

COLUMNS: Final = ("start, s", "stop, s", "name", "person", "source", "state")
START, STOP, NAME = range(3)


class EventTable(QAbstractTableModel):
    """Shows lines; what is typed is handed on, and comes back when the session has changed."""

    edited = pyqtSignal(object, int, str)  # a Line, the column, what was typed

    def __init__(self) -> None:
        super().__init__()
        self.lines: Sequence[Line] = ()

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Show other lines."""
        self.beginResetModel()
        self.lines = lines
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """One for each line."""
        return len(self.lines)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """As there are names."""
        return len(COLUMNS)

    def headerData(self, section: int, side: Qt.Orientation, role: int = Qt.DisplayRole) -> Any:
        """Name the columns."""
        if side == Qt.Horizontal and role == Qt.DisplayRole:
            return COLUMNS[section]
        return None

    def data(self, index: QModelIndex, role: int = Qt.DisplayRole) -> Any:
        """Show a cell."""
        line, column = self.lines[index.row()], index.column()
        if role == Qt.ToolTipRole and column == NAME:
            return named_with(line.name, line.model)
        if role in (Qt.DisplayRole, Qt.EditRole):
            name = line.name if role == Qt.EditRole else named_with(line.name, line.model)
            cells = (f"{line.start:z.2f}", f"{line.stop:z.2f}", name, line.person)
            return (*cells, line.source, line.state)[column]
        if role == Qt.TextAlignmentRole and column in (START, STOP):
            return int(Qt.AlignRight | Qt.AlignVCenter)
        return None

    def flags(self, index: QModelIndex) -> Qt.ItemFlags:
        """Let times and names be edited, but of what was rejected."""
        flags = Qt.ItemIsEnabled | Qt.ItemIsSelectable
        rejected = self.lines[index.row()].state == "rejected"
        return flags if rejected or index.column() > NAME else flags | Qt.ItemIsEditable

    def setData(self, index: QModelIndex, value: Any, role: int = Qt.EditRole) -> bool:
        """Hand on what was typed."""
        if role == Qt.EditRole and value != self.data(index, role):
            self.edited.emit(self.lines[index.row()], index.column(), str(value))
        return False


class NameDelegate(QStyledItemDelegate):
    """Edits names in a box that completes them."""

    def __init__(self, vocabulary: Vocabulary, parent: QWidget) -> None:
        super().__init__(parent)
        self._vocabulary = vocabulary

    def createEditor(
        self, parent: QWidget, option: QStyleOptionViewItem, index: QModelIndex
    ) -> QWidget:
        """Offer the vocabulary."""
        box = QComboBox(parent)
        box.setEditable(True)
        box.setInsertPolicy(QComboBox.NoInsert)
        box.addItems(self._vocabulary.offered(index.data(Qt.EditRole)))
        box.activated.connect(lambda: self._finish(box))
        box.lineEdit().returnPressed.connect(lambda: self._finish(box))
        return box

    def _finish(self, box: QComboBox) -> None:
        """Take the name at once: Return and a choice both mean it."""
        self.commitData.emit(box)
        self.closeEditor.emit(box)

    def setEditorData(self, editor: QWidget, index: QModelIndex) -> None:
        """Begin with the present name."""
        assert isinstance(editor, QComboBox)
        editor.setCurrentText(index.data(Qt.EditRole))
        editor.lineEdit().selectAll()

    def setModelData(self, editor: QWidget, model: Any, index: QModelIndex) -> None:
        """Take what was typed or chosen."""
        assert isinstance(editor, QComboBox)
        model.setData(index, editor.currentText().strip(), Qt.EditRole)
