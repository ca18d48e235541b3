# SPDX-License-Identifier: GPL-3.0-or-later
"""The column beside the annotated picture: people, the frame, what a drag takes along."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QIcon, QPixmap
from PyQt5.QtWidgets import (
    QComboBox,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from facetrack_app.model.editing import Reach
from facetrack_app.model.settings import MARKUP_COUNTS
from facetrack_app.views.live_panel import Legend
from facetrack_app.views.theme import person_colour


class AnnotatePanel(QWidget):
    """Controls of the annotate view."""

    person_chosen = pyqtSignal(int)
    markup_chosen = pyqtSignal(int)

    def __init__(self, buttons: Mapping[str, QWidget], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedWidth(270)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 4, 4)
        layout.setSpacing(6)
        layout.addWidget(self._people_box(buttons))
        layout.addWidget(self._frame_box(buttons))
        self.effort = QLabel("")
        self.effort.setWordWrap(True)
        self.effort.setAccessibleName("hands-on time")
        layout.addWidget(self.effort)
        layout.addStretch(1)
        layout.addWidget(Legend(("human", "sure", "fair", "doubtful", "unsaid", "hidden")))

    def _people_box(self, buttons: Mapping[str, QWidget]) -> QGroupBox:
        box = QGroupBox("People")
        self.people = QListWidget()
        self.people.setAccessibleName("people")
        self.people.setMaximumHeight(92)
        self.people.setFocusPolicy(Qt.ClickFocus)
        self.people.currentItemChanged.connect(self._choose)
        layout = QVBoxLayout(box)
        layout.setContentsMargins(8, 4, 8, 6)
        layout.addWidget(self.people)
        grid = QGridLayout()
        grid.setSpacing(4)
        names = ("rename_person", "new_person", "merge_people", "split_person")
        for place, name in enumerate(names):
            grid.addWidget(buttons[name], place // 2, place % 2)
        layout.addLayout(grid)
        return box

    def _frame_box(self, buttons: Mapping[str, QWidget]) -> QGroupBox:
        box = QGroupBox("This frame")
        layout = QVBoxLayout(box)
        layout.setContentsMargins(8, 4, 8, 6)
        self.state = QLabel("")
        self.state.setWordWrap(True)
        self.state.setMinimumHeight(34)
        layout.addWidget(self.state)
        row = QHBoxLayout()
        row.setSpacing(4)
        self.reach = QComboBox()
        self.reach.setAccessibleName("what a drag takes along")
        for reach, text in zip(Reach, ("one point", "region", "whole shape"), strict=True):
            self.reach.addItem(f"drag {text}", reach.value)
        self.markup = QComboBox()
        self.markup.setAccessibleName("number of points")
        for count in MARKUP_COUNTS:
            self.markup.addItem(f"{count} points", count)
        self.markup.activated.connect(lambda: self.markup_chosen.emit(self.markup.currentData()))
        row.addWidget(self.reach, 1)
        row.addWidget(self.markup)
        layout.addLayout(row)
        grid = QGridLayout()
        grid.setSpacing(4)
        names = ("accept", "uncorrect", "toggle_occluded", "mark_absent", "track_back", "track_on")
        for place, name in enumerate(names):
            grid.addWidget(buttons[name], place // 2, place % 2)
        layout.addLayout(grid)
        return box

    def show_people(self, people: Mapping[int, str], chosen: int | None) -> None:
        """List the people; one is chosen."""
        known = {
            self.people.item(row).data(Qt.UserRole): self.people.item(row).text()
            for row in range(self.people.count())
        }
        self.people.blockSignals(True)
        if known != dict(people):
            self.people.clear()
            for person, name in people.items():
                item = QListWidgetItem(_spot(person), name)
                item.setData(Qt.UserRole, person)
                self.people.addItem(item)
        for row in range(self.people.count()):
            if self.people.item(row).data(Qt.UserRole) == chosen:
                self.people.setCurrentRow(row)
        self.people.blockSignals(False)

    def show_reach(self, reach: Reach) -> None:
        """Show what a drag takes along."""
        self.reach.setCurrentIndex(self.reach.findData(reach.value))

    def show_effort(self, seconds: float, per_minute: float, corrected: int) -> None:
        """Show how much work it was."""
        minutes, rest = divmod(round(seconds), 60)
        self.effort.setText(
            f"hands on: {minutes} min {rest:02d} s; {per_minute:.0f} s per minute of video; "
            f"{corrected} frames corrected"
        )

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.person_chosen.emit(item.data(Qt.UserRole))


def _spot(person: int) -> QIcon:
    picture = QPixmap(12, 12)
    picture.fill(person_colour(person))
    return QIcon(picture)


def frame_in_words(kind: int, trust: float, reason: str, corrected: np.bool_ | bool) -> str:
    """Say what is known of a person in a frame."""
    if corrected:
        return "corrected by a person"
    words = {0: "not tracked", 1: "plain track", 2: "learned track", 3: "lost", 4: "imported"}[kind]
    if kind == 3:
        return f"lost: {reason}" if reason else "lost"
    return f"{words}, trust {trust:.2f}" if kind else words
