# SPDX-License-Identifier: GPL-3.0-or-later
"""The annotate view's people and ranges."""

from __future__ import annotations

from collections import Counter
from functools import partialmethod

from PyQt5.QtWidgets import QInputDialog, QWidget

from facetrack_app.model.command import free_name
from facetrack_app.model.commands import (
    DeletePerson,
    MarkSpan,
    Merge,
    RemoveSpan,
    Rename,
    SetRest,
    SetTimeZero,
    Split,
    Trim,
)
from facetrack_app.model.vocabulary import Vocabulary
from facetrack_app.services.annotator import Annotator
from facetrack_app.views.asking import ask_name


class Marks:
    """Methods named as in the table of actions, for an open video."""

    def __init__(self, annotator: Annotator, vocabulary: Vocabulary, parent: QWidget) -> None:
        self._annotator, self._vocabulary, self._parent = annotator, vocabulary, parent
        self._session, self.new_person = annotator.session, annotator.placing.ask

    # People

    def delete_person(self) -> None:
        """Say that there is no such person."""
        person = self._annotator.person
        if person is not None:
            name = self._session.people[person]
            if self._annotator.run(DeletePerson(person)) is not None:
                self._annotator.said(f"{name} is deleted; Ctrl+Z brings everything back", False)

    def next_person(self) -> None:
        """Choose the next person of the list."""
        if self._annotator.person is not None:
            people = list(self._session.people)
            place = people.index(self._annotator.person) + 1
            self._annotator.choose(people[place % len(people)])

    def rename_person(self) -> None:
        """Ask for another name."""
        person = self._annotator.person
        if person is None:
            return
        old = self._session.people[person]
        name, sure = QInputDialog.getText(self._parent, "Rename", "Name:", text=old)
        if sure:
            self._annotator.run(Rename(person, name))

    def merge_people(self) -> None:
        """Ask who is the same person."""
        person = self._annotator.person
        if person is None:
            return
        others = self._others(person)
        if not others:
            self._annotator.said("there is no other person to merge with", False)
            return
        name, sure = QInputDialog.getItem(
            self._parent, "Merge", "The same person as:", list(others), editable=False
        )
        if sure:
            self._annotator.run(Merge(person, others[name]))

    def _others(self, person: int) -> dict[str, int]:
        """Give all others by name; who shares a name is told by where they are first seen."""
        people = {p: name for p, name in self._session.people.items() if p != person}
        seen = {p: int(self._session.summary(p).seen.argmax()) + 1 for p in people}
        shared = Counter(people.values())
        return {
            name if shared[name] == 1 else f"{name} (from frame {seen[p]}, no. {p})": p
            for p, name in people.items()
        }

    def split_person(self) -> None:
        """Say that from this frame on it is another person."""
        if self._annotator.person is not None:
            name = free_name(self._session)
            self._annotator.run(Split(self._annotator.person, self._annotator.shown, name))

    # Time

    def _mark(self, kind: str) -> None:
        """Begin or end a range of frames."""
        if (ends := self._annotator.mark(kind)) is not None:
            self._mark_from(kind, ends[0], ends[1] + 1)
        self._annotator.changed()

    mark_event, mark_rest = partialmethod(_mark, "event"), partialmethod(_mark, "rest")
    exclude_range = partialmethod(_mark, "exclude")

    def _mark_from(self, kind: str, start: int, stop: int) -> None:
        annotator = self._annotator
        if kind == "rest":
            if annotator.person is not None:
                self._say_if_done(SetRest(annotator.person, start, stop), "at rest")
            return
        label: str | None = "excluded"
        if kind == "event":
            label = ask_name(self._parent, self._vocabulary)
        if label is not None:
            self._say_if_done(MarkSpan(kind, start, stop, label), label)

    def _say_if_done(self, mark: SetRest | MarkSpan, what: str) -> None:
        if self._annotator.run(mark) is not None:
            self._annotator.said(f"{what}: frames {mark.start + 1} to {mark.stop}", False)

    def remove_mark(self) -> None:
        """Take away the marks at this frame."""
        frame = self._annotator.playback.frame
        for span in list(self._session.spans):
            if span.start <= frame < span.stop:
                self._annotator.run(RemoveSpan(span.id))

    def trim_start(self) -> None:
        """Let the kept range begin here."""
        _, stop = self._session.trim
        self._annotator.run(Trim(self._annotator.playback.frame, stop))

    def trim_end(self) -> None:
        """Let the kept range end here."""
        first, _ = self._session.trim
        self._annotator.run(Trim(first, self._annotator.playback.frame + 1))

    def time_zero(self) -> None:
        """Let time begin here."""
        self._annotator.run(SetTimeZero(self._annotator.playback.frame))
