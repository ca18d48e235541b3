# SPDX-License-Identifier: GPL-3.0-or-later
"""The column beside the annotated picture: people, the frame, what a drag takes along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QIcon, QPalette, QPixmap
from PyQt5.QtWidgets import (
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from facetrack_app.model.actions import MARKUP_COUNTS
from facetrack_app.model.editing import Reach
from facetrack_app.model.look import View
from facetrack_app.model.rows import Kind
from facetrack_app.services.annotator import Annotator
from facetrack_app.views.live_panel import Legend
from facetrack_app.views.theme import MARK, person_colour, readable
from facetrack_app.views.widgets import choice, filled, label

_KINDS: Final = {
    Kind.NOTHING: "not tracked", Kind.PLAIN: "plain track", Kind.LEARNED: "learned track",
    Kind.IMPORTED: "imported", Kind.GUESS: "placed, not corrected",
}  # fmt: skip


class AnnotatePanel(QWidget):
    """Controls of the annotate view."""

    person_chosen = pyqtSignal(int)
    markup_chosen = pyqtSignal(int)
    reach_chosen = pyqtSignal(str)

    def __init__(self, buttons: Mapping[str, QWidget]) -> None:
        super().__init__()
        self.effort = label("hands-on time")
        legend = Legend(("human", "sure", "fair", "doubtful", "unsaid", "hidden"))
        boxes = self._people_box(buttons), self._frame_box(buttons)
        filled(
            QVBoxLayout(self), *boxes, self.effort, None, legend, margins=(8, 4, 4, 4), spacing=6
        )

    def _people_box(self, buttons: Mapping[str, QWidget]) -> QGroupBox:
        box = QGroupBox("People")
        self.people = QListWidget()
        self.people.setAccessibleName("people")
        self.people.setMaximumHeight(92)
        self.people.setFocusPolicy(Qt.ClickFocus)
        self.people.currentItemChanged.connect(self._choose)
        grid = QGridLayout()
        grid.setSpacing(4)
        names = ("rename_person", "new_person", "delete_person", "merge_people", "split_person")
        for place, name in enumerate(names):
            grid.addWidget(buttons[name], place // 3, place % 3)
        filled(QVBoxLayout(box), self.people, grid, margins=(8, 4, 8, 6))
        return box

    def _frame_box(self, buttons: Mapping[str, QWidget]) -> QGroupBox:
        box = QGroupBox("This frame")
        self.state = label("what is known of this frame")
        self.state.setMinimumHeight(34)
        reaches = zip(("drag one point", "drag region", "drag whole shape"), Reach, strict=True)
        self.reach = choice("what a drag takes along", ((t, reach.value) for t, reach in reaches))
        self.reach.activated.connect(lambda: self.reach_chosen.emit(self.reach.currentData()))
        self.markup = choice("number of points", ((f"{n} points", n) for n in MARKUP_COUNTS))
        self.markup.activated.connect(lambda: self.markup_chosen.emit(self.markup.currentData()))
        row = filled(QHBoxLayout(), (self.reach, 1), self.markup, spacing=4)
        grid = QGridLayout()
        grid.setSpacing(4)
        names = ("accept", "uncorrect", "toggle_occluded", "mark_absent", "track_back", "track_on")
        for place, name in enumerate(names):
            grid.addWidget(buttons[name], place // 2, place % 2)
        filled(QVBoxLayout(box), self.state, row, grid, margins=(8, 4, 8, 6))
        return box

    def show_annotator(self, annotator: Annotator) -> None:
        """Show the people, what is known of the frame, and how much work it was."""
        session = annotator.session
        self._show_people(session.people, annotator.person)
        self.markup.setCurrentIndex(self.markup.findData(annotator.markup))
        self.reach.setCurrentIndex(self.reach.findData(annotator.reach.value))
        corrected = 0
        words = "no person is tracked yet"
        if annotator.person is not None:
            view, summary = annotator.view(annotator.person), session.summary(annotator.person)
            words, corrected = view_in_words(view), int(summary.corrected.sum())
        events = session.events_at(annotator.shown)
        left_out = ["left out"] if session.excluded()[annotator.shown] else []
        self.state.setText("; ".join([words, *events, *left_out]))
        self._show_effort(annotator, corrected)

    def clear(self) -> None:
        """Show no person: no video is open."""
        self._show_people({}, None)
        self.state.setText("")
        self.effort.setText("")

    def _show_people(self, people: Mapping[int, str], chosen: int | None) -> None:
        """List the people; one is chosen."""
        known = {
            self.people.item(row).data(Qt.UserRole): self.people.item(row).text()
            for row in range(self.people.count())
        }
        self.people.blockSignals(True)
        if known != dict(people):
            self.people.clear()
            for person, name in people.items():
                item = QListWidgetItem(_spot(person, self.palette()), name)
                item.setData(Qt.UserRole, person)
                self.people.addItem(item)
        for row in range(self.people.count()):
            if self.people.item(row).data(Qt.UserRole) == chosen:
                self.people.setCurrentRow(row)
        self.people.blockSignals(False)

    def _show_effort(self, annotator: Annotator, corrected: int) -> None:
        minutes, rest = divmod(round(annotator.effort.seconds), 60)
        per_minute = annotator.effort.per_minute(annotator.document.seconds)
        self.effort.setText(
            f"hands on: {minutes} min {rest:02d} s; {per_minute:.0f} s per minute of video; "
            f"frames corrected: {corrected}"
        )

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.person_chosen.emit(item.data(Qt.UserRole))


def _spot(person: int, palette: QPalette) -> QIcon:
    picture = QPixmap(12, 12)
    picture.fill(readable(person_colour(person), palette.base().color(), MARK))
    return QIcon(picture)


def view_in_words(view: View) -> str:
    """Say what is known of a person in a frame."""
    if view.correction is not None:
        return "corrected by a person" if view.correction.vouched.any() else "placed, not corrected"
    if view.row is None:
        return "not tracked"
    if view.row.kind == Kind.LOST:
        return f"lost: {view.row.reason}" if view.row.reason else "lost"
    return f"{_KINDS[view.row.kind]}, trust {view.row.trust:.2f}"
