# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person can do to a session: every action is a command with `do` and `undo`.

A command says which rows it changes; `do` makes the changes durable in one transaction and returns
them, `undo` takes exactly these back. Commands are data: the history keeps them as JSON, and
`facetrack replay` does them again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Final

import numpy as np

from facetrack.annotation.corrections import Correction
from facetrack.errors import InputError
from facetrack.face import N_POINTS
from facetrack_app.model.rows import Change, Row, pack_points
from facetrack_app.model.session import Session

Log = Callable[[list[Change]], None]

COMMANDS: Final[dict[str, type[Command]]] = {}


@dataclass(frozen=True)
class Command:
    """Something that a person does to a session."""

    title: ClassVar[str] = ""

    def __init_subclass__(cls, **options: Any) -> None:
        """Make the command known to the replay by its name."""
        super().__init_subclass__(**options)
        COMMANDS[cls.__name__] = cls

    def changes(self, session: Session) -> list[Change]:
        """Say which rows change; the session stays as it is."""
        raise NotImplementedError

    def do(self, session: Session, log: Log = lambda changes: None) -> list[Change]:
        """Make the changes in one transaction.

        Parameters
        ----------
        session : Session
        log : callable
            Writes its account of the changes in the same transaction.

        Returns
        -------
        list of Change
            For `undo`.

        Raises
        ------
        InputError
            If it makes no sense in this session; the session is as before.
        OutputError
            If it cannot be written; the session is as before.
        """
        changes = self.changes(session)
        make(session, changes, log)
        return changes

    @staticmethod
    def undo(session: Session, changes: list[Change], log: Log = lambda changes: None) -> None:
        """Take back what `do` returned, in one transaction."""
        make(session, [change.turned() for change in reversed(changes)], log)

    def to_json(self) -> str:
        """Write the command's arguments."""
        return json.dumps(asdict(self), allow_nan=False, sort_keys=True)

    @staticmethod
    def from_json(name: str, arguments: str) -> Command:
        """Make a command anew from what the history keeps."""
        return COMMANDS[name](**json.loads(arguments))


def make(session: Session, changes: list[Change], log: Log) -> None:
    """Make changes durable, then known: memory never runs ahead of the disk."""
    with session.store.transaction():
        session.store.apply(changes)
        log(changes)
    session.reflect(changes)


def _set(session: Session, table: str, key: Row, after: Row | None) -> Change:
    return Change(table, key, session.store.get(table, key), after)


@dataclass(frozen=True)
class Correct(Command):
    """Say where a person's points are in a frame.

    Attributes
    ----------
    person, frame : int
    points : list of [x, y] or None
        Pixels; None where a point is absent.
    source : list of int
        `Source` of each point.
    """

    title: ClassVar[str] = "correct frame"
    person: int
    frame: int
    points: list[list[float] | None]
    source: list[int]

    @classmethod
    def of(cls, person: int, frame: int, correction: Correction) -> Correct:
        """Make the command from what was said."""
        pairs: list[list[float]] = correction.points.tolist()
        points = [pair if np.isfinite(pair).all() else None for pair in pairs]
        return cls(person, frame, points, correction.source.tolist())

    def changes(self, session: Session) -> list[Change]:
        """Write one row, and a strand for it if the person has none in that frame."""
        _check_frame(session, self.frame)
        _check_person(session, self.person)
        points = np.array([p if p is not None else (np.nan, np.nan) for p in self.points])
        changes = []
        strand = session.strand_at(self.person, self.frame)
        if strand is None:
            strand = _new_number(session)
            changes.append(Change("claim", (strand, 0), None, (self.person,)))
        source = np.array(self.source, dtype=np.uint8)
        if points.shape != (N_POINTS, 2) or source.shape != (N_POINTS,):
            raise InputError(f"a correction has {N_POINTS} points, got {points.shape}")
        row = (pack_points(points), source.tobytes(), "person")
        return [*changes, _set(session, "correction", (strand, self.frame), row)]


@dataclass(frozen=True)
class Uncorrect(Command):
    """Take a frame's correction away: the track counts again."""

    title: ClassVar[str] = "remove correction"
    person: int
    frame: int

    def changes(self, session: Session) -> list[Change]:
        """Remove one row."""
        strand = session.strand_at(self.person, self.frame)
        if strand is None or session.correction(strand, self.frame) is None:
            raise InputError(f"frame {self.frame + 1} has no correction to remove")
        return [_set(session, "correction", (strand, self.frame), None)]


@dataclass(frozen=True)
class Retrack(Command):
    """Track a stretch anew on the person's wish; the rows come when it is done."""

    title: ClassVar[str] = "track anew"
    person: int
    start: int
    stop: int

    def changes(self, session: Session) -> list[Change]:
        """Change nothing yet."""
        _check_person(session, self.person)
        return []


@dataclass(frozen=True)
class Import(Command):
    """Take over points of another program.

    Attributes
    ----------
    label : str
        Where they come from.
    rows : tuple of Change
        What they are; the history keeps them as this step's changes, not among its arguments.
    """

    title: ClassVar[str] = "import"
    label: str
    rows: tuple[Change, ...] = field(default=(), repr=False)

    def changes(self, session: Session) -> list[Change]:
        """Write the rows."""
        return list(self.rows)

    def to_json(self) -> str:
        """Write the label alone."""
        return json.dumps({"label": self.label})


@dataclass(frozen=True)
class NewPerson(Command):
    """Begin somebody whom the tracker did not find."""

    title: ClassVar[str] = "new person"
    name: str

    def changes(self, session: Session) -> list[Change]:
        """Write a person and a strand of its own."""
        person = strand = _new_number(session)
        return [
            Change("person", (person,), None, (_checked_name(self.name),)),
            Change("claim", (strand, 0), None, (person,)),
        ]


@dataclass(frozen=True)
class Rename(Command):
    """Give a person another name."""

    title: ClassVar[str] = "rename"
    person: int
    name: str

    def changes(self, session: Session) -> list[Change]:
        """Change one row."""
        _check_person(session, self.person)
        return [_set(session, "person", (self.person,), (_checked_name(self.name),))]


@dataclass(frozen=True)
class Merge(Command):
    """Say that two people are one."""

    title: ClassVar[str] = "merge people"
    person: int
    other: int

    def changes(self, session: Session) -> list[Change]:
        """Hand the other's strands over."""
        _check_person(session, self.person)
        _check_person(session, self.other)
        if self.person == self.other:
            raise InputError("choose two different people to merge")
        return [
            *(
                Change("claim", (strand, start), (who,), (self.person,))
                for strand in session.strands()
                for start, who in session.claims_of(strand)
                if who == self.other
            ),
            _set(session, "person", (self.other,), None),
        ]


@dataclass(frozen=True)
class Split(Command):
    """Say that from a frame on somebody else is meant."""

    title: ClassVar[str] = "split person"
    person: int
    frame: int
    name: str

    def changes(self, session: Session) -> list[Change]:
        """Hand the person's strands over to somebody new from a frame on."""
        _check_person(session, self.person)
        _check_frame(session, self.frame)
        other = _new_number(session)
        changes = [Change("person", (other,), None, (_checked_name(self.name),))]
        for strand in session.strands():
            claims = dict(session.claims_of(strand))
            if session.owner(strand, self.frame) == self.person:
                before = (claims[self.frame],) if self.frame in claims else None
                changes.append(Change("claim", (strand, self.frame), before, (other,)))
            changes += [
                Change("claim", (strand, start), (who,), (other,))
                for start, who in claims.items()
                if start > self.frame and who == self.person
            ]
        return changes


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
        if not 0 <= self.start < self.stop <= session.n_frames:
            raise InputError(f"the range {self.start + 1} to {self.stop} is none of the video's")
        number = max((span.id for span in session.spans), default=-1) + 1
        row = (self.kind, self.start, self.stop, _checked_name(self.label))
        return [Change("span", (number,), None, row)]


@dataclass(frozen=True)
class RemoveSpan(Command):
    """Take a range or an event away."""

    title: ClassVar[str] = "remove range"
    span: int

    def changes(self, session: Session) -> list[Change]:
        """Remove one row."""
        if session.store.get("span", (self.span,)) is None:
            raise InputError("there is no such range any more")
        return [_set(session, "span", (self.span,), None)]


@dataclass(frozen=True)
class Trim(Command):
    """Keep a range of frames; the others are excluded from every export."""

    title: ClassVar[str] = "trim"
    start: int
    stop: int

    def changes(self, session: Session) -> list[Change]:
        """Write one setting."""
        if not 0 <= self.start < self.stop <= session.n_frames:
            raise InputError(f"the range {self.start + 1} to {self.stop} is none of the video's")
        return [_set(session, "setting", ("trim",), (json.dumps([self.start, self.stop]),))]


@dataclass(frozen=True)
class SetTimeZero(Command):
    """Say at which frame time begins."""

    title: ClassVar[str] = "set time zero"
    frame: int

    def changes(self, session: Session) -> list[Change]:
        """Write one setting."""
        _check_frame(session, self.frame)
        return [_set(session, "setting", ("time_zero",), (json.dumps(self.frame),))]


def _new_number(session: Session) -> int:
    """Choose a number that is free: the tracker counts up from 0, people's own count down."""
    return min([0, *session.strands(), *session.people]) - 1


def _check_frame(session: Session, frame: int) -> None:
    if not 0 <= frame < session.n_frames:
        raise InputError(f"frame {frame + 1} is none of {session.n_frames}")


def _check_person(session: Session, person: int) -> None:
    if person not in session.people:
        raise InputError("nobody is chosen; choose a person first")


def _checked_name(name: str) -> str:
    text = " ".join(name.split())
    if not 0 < len(text) <= 80:
        raise InputError(f"a name has 1 to 80 letters, got {len(text)}")
    return text
