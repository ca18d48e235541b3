# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands on people: who is who."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf
from typing import ClassVar

import numpy as np

from facetrack.errors import InputError
from facetrack.face import N_POINTS
from facetrack_app.model.command import (
    Command,
    changed_row,
    check_frame,
    check_person,
    checked_name,
    new_number,
)
from facetrack_app.model.commands_frames import guess_row
from facetrack_app.model.rows import Change
from facetrack_app.model.session import Session


@dataclass(frozen=True)
class NewPerson(Command):
    """Begin a person whom the tracker did not find."""

    title: ClassVar[str] = "new person"
    name: str
    frame: int | None = None  # where first placed; None: nowhere yet
    points: list[list[float]] = field(default_factory=list)  # px, a guess

    def changes(self, session: Session) -> list[Change]:
        """Write a person and a tracklet of its own, with the guess."""
        person = tracklet = new_number(session)
        changes = [
            Change("person", (person,), None, (checked_name(self.name),)),
            Change("assignment", (tracklet, 0), None, (person,)),
        ]
        if self.frame is not None:
            check_frame(session, self.frame)
            row = guess_row(tracklet, self.frame, np.array(self.points).reshape(N_POINTS, 2))
            changes.append(Change("track", row.key(), None, row.values()))
        return changes


@dataclass(frozen=True)
class DeletePerson(Command):
    """Say that there is no such person.

    Their tracklets stay assigned, so that no other person gets them: rows are not lost, and the
    tracker, should it still follow that face, makes no new person of it.
    """

    title: ClassVar[str] = "deleted person"
    person: int

    def changes(self, session: Session) -> list[Change]:
        """Remove the person and what was decided about their events."""
        check_person(session, self.person)
        return [
            *(
                changed_row(session, "decision", (number,), None)
                for number, judged in session.decisions.items()
                if judged.person == self.person
            ),
            changed_row(session, "person", (self.person,), None),
        ]


@dataclass(frozen=True)
class Rename(Command):
    """Give a person another name."""

    title: ClassVar[str] = "rename"
    person: int
    name: str

    def changes(self, session: Session) -> list[Change]:
        """Change one row."""
        check_person(session, self.person)
        return [changed_row(session, "person", (self.person,), (checked_name(self.name),))]


@dataclass(frozen=True)
class Merge(Command):
    """Say that two people are one."""

    title: ClassVar[str] = "merge people"
    regroups: ClassVar[bool] = True
    person: int
    other: int

    def changes(self, session: Session) -> list[Change]:
        """Hand the other's tracklets over."""
        check_person(session, self.person)
        check_person(session, self.other)
        if self.person == self.other:
            raise InputError("choose two different people to merge")
        return [
            *(
                Change("assignment", (tracklet, start), (who,), (self.person,))
                for tracklet in session.assignments.tracklets_of(self.other)
                for start, who in session.assignments.of(tracklet)
                if who == self.other
            ),
            *_hand_decisions(session, self.other, self.person),
            changed_row(session, "person", (self.other,), None),
        ]


@dataclass(frozen=True)
class Split(Command):
    """Say that from a frame on another person is meant."""

    title: ClassVar[str] = "split person"
    regroups: ClassVar[bool] = True
    person: int
    frame: int
    name: str

    def changes(self, session: Session) -> list[Change]:
        """Hand the person's tracklets over to a new person from a frame on."""
        check_person(session, self.person)
        check_frame(session, self.frame)
        other = new_number(session)
        changes = [Change("person", (other,), None, (checked_name(self.name),))]
        for tracklet in session.assignments.tracklets_of(self.person):
            assignments = dict(session.assignments.of(tracklet))
            if session.assignments.owner(tracklet, self.frame) == self.person:
                before = (assignments[self.frame],) if self.frame in assignments else None
                changes.append(Change("assignment", (tracklet, self.frame), before, (other,)))
            changes += [
                Change("assignment", (tracklet, start), (who,), (other,))
                for start, who in assignments.items()
                if start > self.frame and who == self.person
            ]
        times = session.times()
        since = float(times[self.frame]) if self.frame < len(times) else inf
        return [*changes, *_hand_decisions(session, self.person, other, since)]


def _hand_decisions(session: Session, person: int, other: int, since: float = 0.0) -> list[Change]:
    """Let another person have what was decided about a person's events that begin from then on."""
    return [
        changed_row(session, "decision", (number,), replace(judged, person=other).values())
        for number, judged in session.decisions.items()
        if judged.person == person and judged.event.start >= since
    ]
