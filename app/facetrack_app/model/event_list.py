# SPDX-License-Identifier: GPL-3.0-or-later
"""All events and marks of a session as one list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from facetrack_app.model.exporting_signals import marked_moments
from facetrack_app.model.judged import Decision, Judged
from facetrack_app.model.look import Span
from facetrack_app.model.session import Session

MARKED: Final = "marked"
_STATES: Final = {Decision.MACHINE: "found", Decision.MADE: "made"}


@dataclass(frozen=True, slots=True)
class Line:
    """One event."""

    what: Judged | Span  # of a person; or a mark, of no person
    first: int  # frame
    last: int
    start: float  # seconds from time zero
    stop: float  # of a mark, when its last frame ends
    name: str
    person: str  # empty for a mark
    state: str  # found by the program, or what a person said

    @property
    def source(self) -> str:
        """Who says so; a rejected event is still the program's."""
        human = isinstance(self.what, Span) or self.what.human
        return "human" if human and self.state != Decision.REJECTED else "machine"

    @property
    def model(self) -> str:
        """What has to be said of the model that found it; empty where nothing has to."""
        return "" if isinstance(self.what, Span) else self.what.model

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it apart from the others, whatever is decided about it."""
        if isinstance(self.what, Span):
            return ("mark", self.what.id)
        if not self.what.estimator:
            return ("made", self.what.number)
        found = self.what.original or self.what.event
        return ("found", self.what.person, self.what.estimator, found.name, found.start)


def event_lines(session: Session) -> list[Line]:
    """List marks, and the events of all people with those that were rejected, by their starts."""
    people = session.people
    judged = [one for person in people for one in session.events(person)]
    judged += [
        one for one in session.decisions.values()
        if one.decision == Decision.REJECTED and one.person in people
    ]  # fmt: skip
    lines = [_of_event(session, one) for one in judged]
    lines += [
        Line(mark, mark.start, mark.stop - 1, start, stop, mark.label, "", MARKED)
        for mark, start, stop in marked_moments(session)
    ]
    return sorted(lines, key=lambda line: (line.start, line.stop, line.name))


def _of_event(session: Session, one: Judged) -> Line:
    event = one.event
    return Line(
        one, *session.frames_of(event.start, event.stop), session.seconds(event.start),
        session.seconds(event.stop), event.name, session.people[one.person],
        _STATES.get(one.decision, str(one.decision)),
    )  # fmt: skip
