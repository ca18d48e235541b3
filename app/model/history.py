# SPDX-License-Identifier: GPL-3.0-or-later
"""Undo and redo without limit, kept in the session's file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from facetrack_app.model.commands import Command, Log, make
from facetrack_app.model.rows import Change, decode_changes, encode_changes
from facetrack_app.model.session import Session


@dataclass(frozen=True, slots=True)
class Retracked:
    """A stretch that was tracked anew as part of a step.

    Attributes
    ----------
    strand : int
    start, stop : int
        Frames.
    reason : str
        Why it did not reach its ends; empty if it did.
    """

    strand: int
    start: int
    stop: int
    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of the history."""

    id: int
    command: Command
    retracks: tuple[Retracked, ...]
    undone: bool


class History:
    """What was done to a session, in order; what was undone waits to be redone.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def run(self, command: Command) -> int:
        """Do a command; what was undone before cannot be redone any more.

        Returns
        -------
        int
            The step's number, for `amend`.

        Raises
        ------
        InputError
            If the command makes no sense; nothing has changed.
        OutputError
            If it cannot be written; nothing has changed.
        """
        store, ids = self._session.store, []

        def log(changes: list[Change]) -> None:
            store.write("DELETE FROM step WHERE undone")
            arguments = (type(command).__name__, command.to_json(), encode_changes(changes))
            ids.append(
                store.write(
                    "INSERT INTO step (name, arguments, retracks, changes, undone) "
                    "VALUES (?, ?, '[]', ?, 0)",
                    arguments,
                )
            )

        command.do(self._session, log)
        return ids[0]

    def amend(self, step: int, changes: list[Change], retracked: Retracked) -> bool:
        """Add what a re-track found to the step that asked for it.

        Returns
        -------
        bool
            False if the step is not the last one any more; nothing has changed then.
        """
        store = self._session.store
        last = self._last()
        if last is None or last[0] != step:
            return False
        done = decode_changes(last[1]) + changes
        retracks = [*json.loads(last[2]), asdict(retracked)]

        def log(_: list[Change]) -> None:
            store.write(
                "UPDATE step SET changes=?, retracks=? WHERE id=?",
                (encode_changes(done), json.dumps(retracks), step),
            )

        make(self._session, changes, log)
        return True

    def undo(self) -> str | None:
        """Take the last step back; returns its title, None if there is none."""
        last = self._last()
        if last is None:
            return None
        Command.undo(self._session, decode_changes(last[1]), self._mark(last[0], undone=True))
        return self._title(last[0])

    def redo(self) -> str | None:
        """Do again what was undone last; returns its title, None if there is nothing."""
        rows = self._session.store.read(
            "SELECT id, changes FROM step WHERE undone ORDER BY id LIMIT 1"
        )
        if not rows:
            return None
        step, changes = rows[0]
        make(self._session, decode_changes(changes), self._mark(step, undone=False))
        return self._title(step)

    def _mark(self, step: int, *, undone: bool) -> Log:
        store = self._session.store

        def log(_: list[Change]) -> None:
            store.write("UPDATE step SET undone=? WHERE id=?", (int(undone), step))

        return log

    def _title(self, step: int) -> str:
        rows = self._session.store.read("SELECT name, arguments FROM step WHERE id=?", (step,))
        return Command.from_json(*rows[0]).title

    @property
    def last_step(self) -> int | None:
        """Number of the step that `undo` would take back."""
        last = self._last()
        return None if last is None else int(last[0])

    @property
    def can_redo(self) -> bool:
        """Whether something was undone."""
        return bool(self._session.store.read("SELECT 1 FROM step WHERE undone LIMIT 1"))

    def steps(self) -> list[Step]:
        """Give the whole history, the oldest first."""
        return [
            Step(
                number,
                Command.from_json(name, arguments),
                tuple(Retracked(**r) for r in json.loads(retracks)),
                bool(undone),
            )
            for number, name, arguments, retracks, undone in self._session.store.read(
                "SELECT id, name, arguments, retracks, undone FROM step ORDER BY id"
            )
        ]

    def _last(self) -> tuple[Any, ...] | None:
        rows = self._session.store.read(
            "SELECT id, changes, retracks FROM step WHERE NOT undone ORDER BY id DESC LIMIT 1"
        )
        return rows[0] if rows else None
