# SPDX-License-Identifier: GPL-3.0-or-later
"""Undo and redo without limit, kept in the session's file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from facetrack_app.model.commands import Command, Log, make
from facetrack_app.model.owed import Debt, Owed, Stretch
from facetrack_app.model.parts import Later, changes_of_step
from facetrack_app.model.rows import Change, TrackRow, encode_changes
from facetrack_app.model.session import Session


@dataclass(frozen=True, slots=True)
class Retracked:
    """A stretch that was tracked anew as part of a step."""

    person: int
    start: int  # first of the frames that were asked for
    stop: int
    frames: int  # how many were found
    fits: int
    reason: str  # why frames are missing; empty if none is


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of the history."""

    id: int
    command: Command
    retracks: tuple[Retracked, ...]
    undone: bool


class History:
    """What was done to a session, in order; what was undone waits to be redone."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.owed = Owed(session.store, in_order=session.stills)  # to be tracked anew still

    def run(
        self,
        command: Command,
        keep: Mapping[str, Any] | None = None,
        stretch: Stretch | None = None,
    ) -> int:
        """Do a command; what was undone before cannot be redone any more."""
        store, ids = self._session.store, []

        def log(changes: list[Change]) -> None:
            for table, step in (("owed", "step"), ("part", "step"), ("step", "id")):
                # What is undone comes last: looked for from there, however long the history is.
                store.write(f"DELETE FROM {table} WHERE {step} > ?", (self.last_step or 0,))
            arguments = type(command).__name__, command.to_json()
            ids.append(
                store.write(
                    "INSERT INTO step (name, arguments, retracks, undone) VALUES (?, ?, '[]', 0)",
                    arguments,
                )
            )
            self._add_part(ids[0], changes)
            for name, value in (keep or {}).items():
                self._session.put_setting(name, value)
            if stretch is not None:
                self.owed.add(ids[0], stretch)

        command.do(self._session, log)
        return ids[0]

    def amend(
        self,
        step: int,
        rows: Sequence[TrackRow],
        retracked: Retracked,
        paid: Debt | None = None,
        *,
        whole: bool = True,
    ) -> bool:
        """Add what a re-track found to the step that asked for it, beneath all later steps.

        Afterwards everything is as if the later steps had waited: where one of them wrote the same
        row, its own stays, and this one comes to light when that step is undone.
        """
        if not self.is_done(step):
            return False
        store, later = self._session.store, Later(self._session.store, step)
        changes = [
            Change("track", row.key(), later.before(row.key()), row.values()) for row in rows
        ]
        shown = [change for change in changes if not later.hides(change)]
        ((known,),) = store.read("SELECT retracks FROM step WHERE id=?", (step,))
        retracks = json.dumps([*json.loads(known), asdict(retracked)])

        def log(_: list[Change]) -> None:
            self._add_part(step, changes)
            later.put_beneath(changes)
            store.write("UPDATE step SET retracks=? WHERE id=?", (retracks, step))
            if paid is not None:
                self.owed.settle(paid)
            if not whole:
                self.owed.wake(step)

        make(self._session, shown, log)
        return True

    def is_done(self, step: int) -> bool:
        """Return whether a step is there and not undone."""
        query = "SELECT count(*) FROM step WHERE id = ? AND NOT undone"
        return bool(self._session.store.read(query, (step,))[0][0])

    def _add_part(self, step: int, changes: list[Change]) -> None:
        self._session.store.write(
            "INSERT INTO part (step, changes) VALUES (?, ?)", (step, encode_changes(changes))
        )

    def undo(self) -> Command | None:
        """Take the last step back; returns what it did, None if there is none."""
        step = self.last_step
        if step is None:
            return None
        Command.undo(self._session, self.changes(step), self._mark(step, undone=True))
        return self._command(step)

    def redo(self) -> Command | None:
        """Do again what was undone last; returns what it did, None if there is nothing."""
        step = self._number(f"SELECT min(id) FROM step WHERE id > {self.last_step or 0}")
        if step is None:
            return None
        make(self._session, self.changes(step), self._mark(step, undone=False))
        return self._command(step)

    @property
    def last_step(self) -> int | None:
        """Number of the step that `undo` would take back."""
        return self._number("SELECT max(id) FROM step WHERE NOT undone")

    def steps(self, since: int = 0) -> list[Step]:
        """Give the history from a step on, the oldest first."""
        return [
            Step(
                number,
                Command.from_json(name, arguments),
                tuple(Retracked(**r) for r in json.loads(retracks)),
                bool(undone),
            )
            for number, name, arguments, retracks, undone in self._session.store.read(
                "SELECT id, name, arguments, retracks, undone FROM step WHERE id >= ? ORDER BY id",
                (since,),
            )
        ]

    def changes(self, step: int) -> list[Change]:
        """Give all that a step changed, stretches that were tracked anew included."""
        return changes_of_step(self._session.store, step)

    def _mark(self, step: int, *, undone: bool) -> Log:
        store = self._session.store

        def log(_: list[Change]) -> None:
            store.write("UPDATE step SET undone=? WHERE id=?", (int(undone), step))
            if undone:
                self.owed.wake(step)

        return log

    def _command(self, step: int) -> Command:
        rows = self._session.store.read("SELECT name, arguments FROM step WHERE id=?", (step,))
        return Command.from_json(*rows[0])

    def _number(self, query: str) -> int | None:
        ((number,),) = self._session.store.read(query)
        return None if number is None else int(number)
