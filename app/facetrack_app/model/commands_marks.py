# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands on time: events, excluded ranges, trimming, time zero."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

from facetrack.errors import InputError
from facetrack_app.model.command import Command, changed_row, check_frame, check_range, checked_name
from facetrack_app.model.readings import rest_of
from facetrack_app.model.rows import Change
from facetrack_app.model.session import Session


@dataclass(frozen=True)
class MarkSpan(Command):
    """Exclude a range of frames, or mark an event."""

    title: ClassVar[str] = "mark range"
    kind: str
    start: int
    stop: int
    label: str

    def changes(self, session: Session) -> list[Change]:
        """Write one row."""
        if self.kind not in ("exclude", "event"):
            raise InputError(f"a range is excluded or an event, got {self.kind!r}")
        check_range(session, self.start, self.stop)
        number = max((span.id for span in session.spans), default=-1) + 1
        row = (self.kind, self.start, self.stop, checked_name(self.label))
        return [Change("span", (number,), None, row)]


@dataclass(frozen=True)
class ChangeSpan(Command):
    """Say anew when a range or an event begins and ends, and what it is."""

    title: ClassVar[str] = "change range"
    span: int
    start: int
    stop: int
    label: str

    def changes(self, session: Session) -> list[Change]:
        """Change one row."""
        known = session.store.get("span", (self.span,))
        if known is None:
            raise InputError("there is no such range any more")
        check_range(session, self.start, self.stop)
        row = (known[0], self.start, self.stop, checked_name(self.label))
        return [changed_row(session, "span", (self.span,), row)]


@dataclass(frozen=True)
class RemoveSpan(Command):
    """Take a range or an event away."""

    title: ClassVar[str] = "remove range"
    span: int

    def changes(self, session: Session) -> list[Change]:
        """Remove one row."""
        if session.store.get("span", (self.span,)) is None:
            raise InputError("there is no such range any more")
        return [changed_row(session, "span", (self.span,), None)]


@dataclass(frozen=True)
class Trim(Command):
    """Keep a range of frames; the others are excluded from every export."""

    title: ClassVar[str] = "trim"
    start: int
    stop: int

    def changes(self, session: Session) -> list[Change]:
        """Write one setting."""
        check_range(session, self.start, self.stop)
        return [changed_row(session, "setting", ("trim",), (json.dumps([self.start, self.stop]),))]

    def where(self, session: Session) -> tuple[int | None, int | None]:
        """Give none: it is about all frames."""
        return None, None


@dataclass(frozen=True)
class SetTimeZero(Command):
    """Say at which frame time begins."""

    title: ClassVar[str] = "set time zero"
    frame: int

    def changes(self, session: Session) -> list[Change]:
        """Write one setting."""
        check_frame(session, self.frame)
        return [changed_row(session, "setting", ("time_zero",), (json.dumps(self.frame),))]


@dataclass(frozen=True)
class SetRest(Command):
    """Say over which frames a person's face is at rest; expressions are measured from there."""

    title: ClassVar[str] = "set rest"
    person: int
    start: int
    stop: int

    def changes(self, session: Session) -> list[Change]:
        """Write one setting."""
        check_range(session, self.start, self.stop)
        if self.person not in session.people:
            raise InputError("there is no such person any more")
        span = json.dumps([self.start, self.stop])
        return [changed_row(session, "setting", (rest_of(self.person),), (span,))]
