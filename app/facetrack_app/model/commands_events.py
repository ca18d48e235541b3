# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands on events: what a person decides about those that a machine found, and their own.

Each carries all that it decides about, so that doing it again needs no machine.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, ClassVar, Self

from facetrack.errors import InputError
from facetrack.reading import Event
from facetrack_app.model.command import Command, changed_row, check_person, checked_name
from facetrack_app.model.judged import Decision, Judged, pack_event, unpack_event
from facetrack_app.model.rows import Change
from facetrack_app.model.session import Session


@dataclass(frozen=True)
class OnEvent(Command):
    """Something that is decided about an event."""

    person: int
    number: int | None  # of the earlier decision about it; None: it is what `found` says
    found: list[Any]  # estimator, version, and `pack_event`; empty with a number

    @classmethod
    def of(cls, judged: Judged, **more: Any) -> Self:
        """Make the command from an event that is shown."""
        found: list[Any] = []
        if judged.number is None:
            found = [judged.estimator, judged.version, *pack_event(judged.event)]
        return cls(judged.person, judged.number, found, **more)

    def changes(self, session: Session) -> list[Change]:
        """Write one row, or remove one."""
        check_person(session, self.person)
        if self.number is None:
            estimator, version, *packed = self.found
            judged, number = Judged(self.person, unpack_event(packed), estimator, version), None
        elif self.number in session.decisions:
            judged, number = session.decisions[self.number], self.number
        else:
            raise InputError("there is no such event any more")
        return [decision_row(session, number, self.decide(judged))]

    def where(self, session: Session) -> tuple[int | None, int | None]:
        """Give where the event begins."""
        judged = session.decisions.get(self.number) if self.number is not None else None
        if judged is None and not self.found:
            return self.person, None
        event = judged.event if judged is not None else unpack_event(self.found[2:])
        return self.person, session.frames_of(event.start, event.stop)[0]

    @abstractmethod
    def decide(self, judged: Judged) -> Judged | None:
        """Give the event as it is afterwards; None: as if it had never been."""


def decision_row(session: Session, number: int | None, judged: Judged | None) -> Change:
    """Say that a decision becomes another one, or a new one."""
    if number is None:
        number = max(session.decisions, default=-1) + 1
    row = judged.values() if judged is not None else None
    return changed_row(session, "decision", (number,), row)


@dataclass(frozen=True)
class AcceptEvent(OnEvent):
    """Say that an event is right."""

    title: ClassVar[str] = "accept event"

    def decide(self, judged: Judged) -> Judged:
        """Vouch for it, also if it was rejected before."""
        if judged.human and judged.decision != Decision.REJECTED:
            raise InputError(f"this event is a person's already: {judged.decision}")
        return judged.decided(Decision.ACCEPTED)


@dataclass(frozen=True)
class RejectEvent(OnEvent):
    """Say that there is no such event; one that was made by hand is removed."""

    title: ClassVar[str] = "reject event"

    def decide(self, judged: Judged) -> Judged | None:
        """Keep what the machine said, so that it is known again."""
        if judged.decision == Decision.MADE:
            return None
        return judged.decided(Decision.REJECTED)


@dataclass(frozen=True)
class MoveEvent(OnEvent):
    """Say when an event begins and ends: seconds, as the frames' timestamps."""

    title: ClassVar[str] = "move event"
    start: float
    stop: float

    def decide(self, judged: Judged) -> Judged:
        """Take the peak along into the new span."""
        _check_span(self.start, self.stop)
        peak = min(max(judged.event.peak, self.start), self.stop)
        event = replace(judged.event, start=self.start, peak=peak, stop=self.stop)
        return judged.decided(_of_hand(judged, Decision.MOVED), event)


@dataclass(frozen=True)
class RenameEvent(OnEvent):
    """Say what an event is."""

    title: ClassVar[str] = "rename event"
    name: str

    def decide(self, judged: Judged) -> Judged:
        """Change the name alone."""
        event = replace(judged.event, name=checked_name(self.name))
        return judged.decided(_of_hand(judged, Decision.RENAMED), event)


@dataclass(frozen=True)
class MakeEvent(Command):
    """Make an event that no machine found."""

    title: ClassVar[str] = "make event"
    person: int
    name: str
    start: float
    stop: float

    def changes(self, session: Session) -> list[Change]:
        """Write one row."""
        check_person(session, self.person)
        _check_span(self.start, self.stop)
        middle = (self.start + self.stop) / 2
        event = Event(checked_name(self.name), self.start, middle, self.stop)
        return [decision_row(session, None, Judged(self.person, event, decision=Decision.MADE))]

    def where(self, session: Session) -> tuple[int | None, int | None]:
        """Give where the event begins."""
        return self.person, session.frames_of(self.start, self.stop)[0]


def _check_span(start: float, stop: float) -> None:
    if not (isfinite(start) and isfinite(stop) and 0 <= start <= stop):
        raise InputError(f"an event ends after it begins, got {start:g} to {stop:g} s")


def _of_hand(judged: Judged, decision: Decision) -> Decision:
    return Decision.MADE if judged.decision == Decision.MADE else decision
