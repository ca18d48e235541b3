# SPDX-License-Identifier: GPL-3.0-or-later
"""What steps of the history changed, as the store holds it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from facetrack_app.model.rows import Change, Row, decode_changes, encode_changes
from facetrack_app.model.store import Store


def changes_of_step(store: Store, step: int) -> list[Change]:
    """Give all that a step changed."""
    parts = store.read("SELECT changes FROM part WHERE step=? ORDER BY id", (step,))
    return [change for (part,) in parts for change in decode_changes(part)]


def back_to(store: Store, step: int) -> list[Change]:
    """Give the changes that take a session back to what it was once a step was done."""
    later = store.read("SELECT id FROM step WHERE id > ? AND NOT undone ORDER BY id DESC", (step,))
    return [
        change.turned()
        for (number,) in later
        for change in reversed(changes_of_step(store, number))
    ]


@contextlib.contextmanager
def store_at(path: Path, step: int) -> Iterator[Store]:
    """Open a session's file as it was once a step was done, to be read; other threads wait."""
    with contextlib.closing(Store(path)) as store, store.snapshot(alone=True):
        store.apply(back_to(store, step))
        yield store


class Later:
    """Tracks that steps after another one wrote; the first to write a row knows what it was."""

    def __init__(self, store: Store, step: int) -> None:
        self._store = store
        self._parts: dict[int, list[Change]] = {}
        self._first: dict[Row, tuple[int, int, bool]] = {}  # part, place in it, whether undone
        for part, undone, packed in store.read(
            "SELECT part.id, undone, changes FROM part JOIN step ON step.id = step "
            "WHERE step > ? ORDER BY step, part.id",
            (step,),
        ):
            self._parts[part] = decode_changes(packed)
            for place, change in enumerate(self._parts[part]):
                if change.table == "track":
                    self._first.setdefault(change.key, (part, place, bool(undone)))

    def before(self, key: Row) -> Row | None:
        """Give a row's values as they were once the step was done."""
        if key not in self._first:
            return self._store.get("track", key)
        part, place, _ = self._first[key]
        return self._parts[part][place].before

    def hides(self, change: Change) -> bool:
        """Return whether a later step that is done wrote the same row."""
        return change.key in self._first and not self._first[change.key][2]

    def put_beneath(self, changes: Sequence[Change]) -> None:
        """Let undoing the later steps lead back to these changes, inside a transaction."""
        touched = set()
        for change in changes:
            if change.key in self._first:
                part, place, _ = self._first[change.key]
                self._parts[part][place] = self._parts[part][place]._replace(before=change.after)
                touched.add(part)
        for part in touched:
            packed = encode_changes(self._parts[part])
            self._store.write("UPDATE part SET changes = ? WHERE id = ?", (packed, part))
