# SPDX-License-Identifier: GPL-3.0-or-later
"""Stretches that steps of the history still have to be tracked anew: durable as the steps."""

from __future__ import annotations

import json
from typing import NamedTuple, Self

from facetrack_app.model.command import COMMANDS
from facetrack_app.model.commands_people import DeletePerson
from facetrack_app.model.store import Store


class Stretch(NamedTuple):
    """Frames of a person from `start` up to but without `stop`, which a step puts into doubt."""

    person: int
    start: int
    stop: int
    at: int | None = None  # the corrected frame inside, from which both sides are tracked

    def sides(self) -> list[Self]:
        """Give the parts before and after the corrected frame, neither of which needs the other."""
        if self.at is None:
            return [self]
        parts = self._replace(stop=self.at, at=None), self._replace(start=self.at + 1, at=None)
        return [part for part in parts if part.start < part.stop]

    def within(self, other: Stretch) -> bool:
        """Return whether another stretch covers this one."""
        return self.person == other.person and other.start <= self.start <= self.stop <= other.stop


class Debt(NamedTuple):
    """A stretch that a step still has to be tracked anew."""

    id: int
    step: int
    stretch: Stretch


class Owed:
    """What all steps still owe.

    A stretch that a later step tracks anew as well is put under that step: nothing of it would be
    seen. It is owed again as soon as the later step is undone, or has found less.
    """

    def __init__(self, store: Store, *, in_order: bool = False) -> None:
        self._store, self._in_order = store, in_order

    def add(self, step: int, stretch: Stretch) -> None:
        """Let a new step owe a stretch, inside its transaction."""
        debts = [] if self._in_order else self._open()
        border = self._border("max", debts[0].step) if debts else None
        for debt in debts:
            if border is None or debt.step > border:
                self._put_under(debt, step, stretch)
        self._insert(step, stretch, None)

    def _put_under(self, debt: Debt, step: int, stretch: Stretch) -> None:
        whole = debt.stretch.within(stretch)
        parts = [debt.stretch] if whole else debt.stretch.sides()
        hidden = [part for part in parts if part.within(stretch)]
        if hidden:
            self.settle(debt)
            for part in parts:
                self._insert(debt.step, part, step if part in hidden else None)

    def _insert(self, step: int, stretch: Stretch, under: int | None) -> None:
        self._store.write(
            "INSERT INTO owed (step, person, start, stop, at, under) VALUES (?, ?, ?, ?, ?, ?)",
            (step, *stretch, under),
        )

    def next(self, tracked: int, *, more: bool) -> Debt | None:
        """Choose what to track anew now: what the newest step owes, or in order the oldest one.

        Steps that change who is who are waited for: whose face a row is follows from what was
        tracked before them.
        """
        ready = [
            debt._replace(stretch=debt.stretch._replace(stop=min(debt.stretch.stop, tracked)))
            for debt in self._open()
            if (debt.stretch.start if debt.stretch.at is None else debt.stretch.at) < tracked
            and not (more and debt.stretch.stop > tracked)
        ]
        if not ready or self._in_order:
            return ready[0] if ready else None
        border = self._border("min", ready[0].step)
        return [debt for debt in ready if border is None or debt.step < border][-1]

    def wants(self, step: int, person: int) -> bool:
        """Return whether what a step tracks anew of a person is wanted still."""
        rows = self._store.read("SELECT id FROM step WHERE id = ? AND NOT undone", (step,))
        return bool(rows) and person not in self._deleted()

    def settle(self, debt: Debt) -> None:
        """Strike a stretch out, inside a transaction."""
        self._store.write("DELETE FROM owed WHERE id = ?", (debt.id,))

    def wake(self, step: int) -> None:
        """Owe again what lies under a step, inside a transaction."""
        self._store.write("UPDATE owed SET under = NULL WHERE under = ?", (step,))

    def give_up(self, besides: Debt | None) -> None:
        """Strike out all that is owed now, but for one stretch."""
        with self._store.transaction():
            for debt in self._open():
                if besides is None or debt.id != besides.id:
                    self.settle(debt)

    def _open(self) -> list[Debt]:
        rows = self._store.read(
            "SELECT owed.id, step, person, start, stop, at FROM owed JOIN step ON step.id = step "
            "WHERE under IS NULL AND NOT undone ORDER BY step, start"
        )
        gone = self._deleted() if rows else set()
        rows = [row for row in rows if row[2] not in gone]
        return [Debt(row[0], row[1], Stretch(*row[2:])) for row in rows]

    def _deleted(self) -> set[int]:
        """Find who was deleted: what they owe waits until that is undone."""
        rows = self._store.read(
            "SELECT arguments FROM step WHERE NOT undone AND name = ?", (DeletePerson.__name__,)
        )
        return {json.loads(arguments)["person"] for (arguments,) in rows}

    def _border(self, end: str, step: int) -> int | None:
        """Find the first (min) or last (max) step since another one that changes who is who."""
        names = ", ".join(f"'{name}'" for name, kind in COMMANDS.items() if kind.regroups)
        ((found,),) = self._store.read(
            f"SELECT {end}(id) FROM step WHERE id > ? AND NOT undone AND name IN ({names})", (step,)
        )
        return None if found is None else int(found)
