# SPDX-License-Identifier: GPL-3.0-or-later
"""Corrections as the store holds them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import numpy as np

from facetrack.annotation.corrections import Correction
from facetrack_app.model.assignments import Assignments, read_assignments
from facetrack_app.model.parts import back_to
from facetrack_app.model.rows import Row, unpack_points
from facetrack_app.model.store import Store


def read_corrections(store: Store, assignments: Assignments, person: int) -> dict[int, Correction]:
    """Read all that was said of a person, by frame."""
    query = "SELECT tracklet, frame, points, source, origin FROM correction"
    rows = {(tracklet, frame): tuple(row) for tracklet, frame, *row in store.read(query)}
    return _of_person(rows, assignments, person)


def corrections_after(
    path: Path,
    step: int,
    person: int,
    choose: Callable[[list[int]], Collection[int]] = lambda frames: frames,
) -> dict[int, Correction]:
    """Read what was said of a person by the time that a step was done; in any thread.

    Of thousands of frames, only those are read that `choose` picks from their sorted numbers.
    """
    with contextlib.closing(Store(path)) as store, store.snapshot():
        assignments = read_assignments(store)
        rows = store.read("SELECT tracklet, frame FROM correction")
        known: dict[Row, Row | None] = dict.fromkeys(rows)
        for change in back_to(store, step):
            if change.table == "assignment":
                tracklet, start = change.key
                person_then = change.after[0] if change.after is not None else None
                assignments.put(tracklet, start, person_then)
            elif change.table == "correction":
                known.pop(change.key, None)
                if change.after is not None:
                    known[change.key] = change.after
        wanted = set(choose(sorted({f for s, f in known if assignments.owner(s, f) == person})))
        wanted_rows = {
            key: row or store.get("correction", key) or ()
            for key, row in known.items()
            if key[1] in wanted
        }
    return _of_person(wanted_rows, assignments, person)


def _of_person(
    rows: Mapping[Row, Row], assignments: Assignments, person: int
) -> dict[int, Correction]:
    found: dict[int, Correction] = {}
    for (tracklet, frame), row in sorted(rows.items(), key=lambda item: item[0][::-1]):
        if assignments.owner(tracklet, frame) == person:
            found.setdefault(frame, correction_of(row))
    return found


def correction_of(row: Row) -> Correction:
    """Unpack a row's values: points, sources, who said it."""
    return Correction(unpack_points(row[0]), np.frombuffer(row[1], dtype=np.uint8))
