# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person can do to a session: every action is a command with `do` and `undo`.

A command says which rows it changes; `do` makes the changes durable in one transaction and returns
them, `undo` takes exactly these back. Commands are data: the history keeps them as JSON, and
`facetrack replay` does them again.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any, ClassVar, Final

from facetrack.errors import InputError
from facetrack_app.model.rows import Change, Row
from facetrack_app.model.session import Session
from facetrack_app.model.stretches import mark_stale, stale_stretches

Log = Callable[[list[Change]], None]

COMMANDS: Final[dict[str, type[Command]]] = {}


@dataclass(frozen=True)
class Command(ABC):
    """Something that a person does to a session."""

    title: ClassVar[str] = ""  # for the sentence after undo and redo
    regroups: ClassVar[bool] = False  # changes who is who: whose face a tracklet is

    def __init_subclass__(cls, **options: Any) -> None:
        """Make the command known to the replay by its name."""
        super().__init_subclass__(**options)
        COMMANDS[cls.__name__] = cls

    @abstractmethod
    def changes(self, session: Session) -> list[Change]:
        """Say which rows change; the session stays as it is."""

    def where(self, session: Session) -> tuple[int | None, int | None]:
        """Give the person and the (first) frame that it is about; None where it is about none."""
        frame = getattr(self, "frame", getattr(self, "start", None))
        return getattr(self, "person", None), frame

    def do(self, session: Session, log: Log = lambda changes: None) -> list[Change]:
        """Make the changes in one transaction."""
        changes = self.changes(session)
        make(session, changes, log)
        return changes

    @staticmethod
    def undo(session: Session, changes: list[Change], log: Log = lambda changes: None) -> None:
        """Take back what `do` returned, in one transaction."""
        make(session, [change.turned() for change in reversed(changes)], log)

    def to_json(self) -> str:
        """Write the command's arguments."""
        return json.dumps(vars(self), default=asdict, allow_nan=False, sort_keys=True)

    @staticmethod
    def from_json(name: str, arguments: str) -> Command:
        """Make a command anew from what the history keeps."""
        return COMMANDS[name](**json.loads(arguments))


def make(session: Session, changes: list[Change], log: Log) -> None:
    """Make changes durable, then known: memory never runs ahead of the disk.

    What was computed of the frames that change is stale from the same moment on.
    """
    with session.store.transaction():
        session.store.apply(changes)
        mark_stale(session.store, stale_stretches(session, changes))
        log(changes)
    session.reflect(changes)


def changed_row(session: Session, table: str, key: Row, after: Row | None) -> Change:
    """Say that a row becomes another one, whatever it is now; None removes it."""
    return Change(table, key, session.store.get(table, key), after)


def new_number(session: Session) -> int:
    """Choose a number that is free: the tracker counts up from 0, people's own count down."""
    known = session.assignments
    return min([0, *known.tracklets(), *known.people(), *session.people]) - 1


def check_frame(session: Session, frame: int) -> None:
    """Refuse a frame that the video lacks."""
    if not 0 <= frame < session.n_frames:
        raise InputError(f"frame {frame + 1} is none of {session.n_frames}")


def check_range(session: Session, start: int, stop: int) -> None:
    """Refuse a range of frames that the video lacks."""
    if not 0 <= start < stop <= session.n_frames:
        raise InputError(f"the range {start + 1} to {stop} is none of the video's")


def check_person(session: Session, person: int) -> None:
    """Refuse a person who is not there."""
    if person not in session.people:
        raise InputError("no person is chosen; choose a person first")


def checked_name(name: str) -> str:
    """Tidy a name up; refuse one that is empty or too long."""
    text = " ".join(name.split())
    if not 0 < len(text) <= 80:
        raise InputError(f"a name has 1 to 80 letters, got {len(text)}")
    return text


def free_name(session: Session) -> str:
    """Give an unused name: Person 2 for the second one, or a higher number."""
    taken = set(session.people.values())
    return next(n for i in count(len(taken) + 1) if (n := f"Person {i}") not in taken)
