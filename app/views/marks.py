# SPDX-License-Identifier: GPL-3.0-or-later
"""The annotate view's people, ranges and exchange with other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt5.QtWidgets import QInputDialog

from facetrack_app.model.commands import (
    MarkSpan,
    Merge,
    NewPerson,
    RemoveSpan,
    Rename,
    SetTimeZero,
    Split,
    Trim,
)
from facetrack_app.model.editing import centred_face
from facetrack_app.views import exchange

if TYPE_CHECKING:
    from facetrack_app.views.annotate_view import AnnotateView


class Marks:
    """Methods named as in the table of actions, for the annotate view.

    Parameters
    ----------
    view : AnnotateView

    Attributes
    ----------
    pending : (str, int) or None
        Kind and first frame of a range whose end is still to come.
    """

    def __init__(self, view: AnnotateView) -> None:
        self._view = view
        self.pending: tuple[str, int] | None = None

    def new_person(self) -> None:
        """Begin somebody whom the tracker did not find; the mean face stands in the middle."""
        if self._view.annotator is not None:
            name = f"Person {len(self._view.annotator.session.people) + 1}"
            if self._view.annotator.run(NewPerson(name)) is not None:
                self._view.annotator.choose(min(self._view.annotator.session.people))
                mean = self._view.annotator.model.shape_model.mean
                size = self._view.annotator.document.size
                self._view.annotator.place(centred_face(mean, size))

    def next_person(self) -> None:
        """Choose the next person of the list."""
        annotator = self._view.annotator
        if annotator is not None and annotator.person is not None:
            people = list(annotator.session.people)
            place = people.index(annotator.person) + 1
            annotator.choose(people[place % len(people)])

    def rename_person(self) -> None:
        """Ask for another name."""
        if self._view.annotator is None or self._view.annotator.person is None:
            return
        old = self._view.annotator.session.people[self._view.annotator.person]
        name, sure = QInputDialog.getText(self._view, "Rename", "Name:", text=old)
        if sure:
            self._view.annotator.run(Rename(self._view.annotator.person, name))

    def merge_people(self) -> None:
        """Ask who is the same person."""
        if self._view.annotator is None or self._view.annotator.person is None:
            return
        others = {n: p for p, n in self._view.annotator.session.people.items()}
        others.pop(self._view.annotator.session.people[self._view.annotator.person], None)
        if not others:
            self._view.said("there is nobody else to merge with", False)
            return
        name, sure = QInputDialog.getItem(
            self._view, "Merge", "The same person as:", list(others), editable=False
        )
        if sure:
            self._view.annotator.run(Merge(self._view.annotator.person, others[name]))

    def split_person(self) -> None:
        """Say that from this frame on it is somebody else."""
        if self._view.annotator is not None and self._view.annotator.person is not None:
            name = f"Person {len(self._view.annotator.session.people) + 1}"
            self._view.annotator.run(
                Split(self._view.annotator.person, self._view.annotator.shown, name)
            )

    def mark_event(self) -> None:
        """Begin or end an event."""
        self._mark("event")

    def exclude_range(self) -> None:
        """Begin or end a range that does not count."""
        self._mark("exclude")

    def _mark(self, kind: str) -> None:
        if self._view.annotator is None:
            return
        frame = self._view.annotator.playback.frame
        if self.pending is None or self.pending[0] != kind:
            self.pending = (kind, frame)
            self._view.said("go to the last frame and press the key once more (Esc: not)", False)
        else:
            first, last = sorted((self.pending[1], frame))
            self.pending = None
            label = "excluded"
            if kind == "event":
                label, sure = QInputDialog.getText(self._view, "Event", "Name:", text="event")
                label = label if sure and label.strip() else "event"
            self._view.annotator.run(MarkSpan(kind, first, last + 1, label))
        self._view.refresh()

    def remove_mark(self) -> None:
        """Take away the marks at this frame."""
        if self._view.annotator is not None:
            frame = self._view.annotator.playback.frame
            for span in list(self._view.annotator.session.spans):
                if span.start <= frame < span.stop:
                    self._view.annotator.run(RemoveSpan(span.id))

    def trim_start(self) -> None:
        """Let the kept range begin here."""
        if self._view.annotator is not None:
            _, stop = self._view.annotator.session.trim
            self._view.annotator.run(Trim(self._view.annotator.playback.frame, stop))

    def trim_end(self) -> None:
        """Let the kept range end here."""
        if self._view.annotator is not None:
            first, _ = self._view.annotator.session.trim
            self._view.annotator.run(Trim(first, self._view.annotator.playback.frame + 1))

    def time_zero(self) -> None:
        """Let time begin here."""
        if self._view.annotator is not None:
            self._view.annotator.run(SetTimeZero(self._view.annotator.playback.frame))

    def import_tracks(self) -> None:
        """Take over points of another program."""
        if self._view.annotator is not None:
            exchange.ask_import(self._view, self._view.annotator)

    def export_tracks(self) -> None:
        """Write what there is."""
        if self._view.annotator is not None:
            exchange.ask_export(self._view, self._view.annotator)
