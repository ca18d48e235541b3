# SPDX-License-Identifier: GPL-3.0-or-later
"""Stretches of frames, and which of them a change makes stale: what was computed of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from facetrack_app.model.assignments import UNASSIGNED
from facetrack_app.model.rows import Change
from facetrack_app.model.session import Session
from facetrack_app.model.store import Store

Stretch = tuple[int, int]
"""From the first frame, up to but without the second."""


def joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Order stretches and make one of those that touch."""
    found: list[Stretch] = []
    for start, stop in sorted(stretches):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], stop)
        elif start < stop:
            found.append((start, stop))
    return found


def without(stretches: Iterable[Stretch], start: int, stop: int) -> list[Stretch]:
    """Cut a stretch out of others."""
    parts = (part for a, b in stretches for part in ((a, min(b, start)), (max(a, stop), b)))
    return [(a, b) for a, b in parts if a < b]


def within(stretches: Iterable[Stretch], start: int, stop: int) -> list[Stretch]:
    """Keep what lies inside of a stretch."""
    parts = ((max(a, start), min(b, stop)) for a, b in stretches)
    return [(a, b) for a, b in parts if a < b]


def missing(known: Sequence[Stretch], start: int, stop: int) -> list[Stretch]:
    """Find the parts of a stretch that others do not cover."""
    left = [(start, stop)]
    for a, b in known:
        left = without(left, a, b)
    return within(left, start, stop)


def stale_stretches(session: Session, changes: Sequence[Change]) -> list[tuple[int, Stretch]]:
    """Find whose frames changes concern; the session does not know of them yet."""
    frames: dict[int, list[int]] = {}
    found: dict[int, list[Stretch]] = {}
    for change in changes:
        if change.table in ("track", "correction"):
            tracklet, frame = change.key
            frames.setdefault(tracklet, []).append(frame)
            owner = session.assignments.owner(tracklet, frame)
            found.setdefault(owner, []).append((frame, frame + 1))
    for change in changes:
        if change.table == "assignment":
            tracklet, start = change.key
            first, stop = session.reach_of(tracklet)
            mine = frames.get(tracklet, [])
            reach = min([first, *mine]), max([stop, *(frame + 1 for frame in mine)])
            owners = {session.assignments.owner(tracklet, frame) for frame in (start - 1, start)}
            owners |= {row[0] for row in (change.before, change.after) if row is not None}
            for owner in owners:
                found.setdefault(owner, []).append((max(start, reach[0]), reach[1]))
    found.pop(UNASSIGNED, None)
    return [(person, one) for person, some in found.items() for one in joined(some)]


def mark_stale(store: Store, people: Iterable[tuple[int | None, Stretch]]) -> None:
    """Note inside a transaction that frames must be analysed anew; None: of everybody."""
    for person, (start, stop) in people:
        store.write("INSERT INTO stale (person, start, stop) VALUES (?, ?, ?)",
                    (person, start, stop))  # fmt: skip
