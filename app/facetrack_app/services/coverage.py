# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a session is analysed and what is not: stretches of frames, person by person.

What a gesture changes is noted as stale in the gesture's own transaction (`model.stretches`), so
that whenever the program ends, the next start knows what is missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from facetrack_app.model.assignments import Assignments, read_assignments
from facetrack_app.model.store import Store
from facetrack_app.model.stretches import Stretch, joined, missing, without

MEMORY: Final = 10.0  # seconds that an estimator remembers at most: a new run begins so early

# Each end asked by itself is a step in the index; in one query, since a thread that asks hands the
# interpreter over each time, and a person may be a thousand tracklets.
_ENDS: Final = ", ".join(
    f"(SELECT {end}(frame) FROM {table} WHERE tracklet=span.tracklet AND frame>=a AND frame<b) "
    f"AS {table}_{end}"
    for table in ("track", "correction")
    for end in ("min", "max")
)
_SPANS: Final = (
    "SELECT json_extract(value, '$[0]') AS tracklet, json_extract(value, '$[1]') AS a, "
    "json_extract(value, '$[2]') AS b FROM json_each(?)"
)
_REACH: Final = (
    "SELECT min(min(ifnull(track_min, correction_min), ifnull(correction_min, track_min))), "
    "max(max(ifnull(track_max, correction_max), ifnull(correction_max, track_max))) "
    f"FROM (SELECT {_ENDS} FROM ({_SPANS}) AS span)"
)


@dataclass(frozen=True, slots=True)
class Want:
    """A stretch of a person that is to be analysed: frames up to but without `stop`."""

    person: int
    start: int
    stop: int
    reach: Stretch  # all frames in which something is known of the person
    open: bool  # the person's frames may go on where it ends

    @property
    def last(self) -> bool:
        """Whether the person's frames end with it."""
        return self.stop == self.reach[1] and not self.open


class Coverage:
    """Frames of a session, and which of them are analysed."""

    def __init__(self, store: Store, mark: str, delay: float) -> None:
        self.times: npt.NDArray[np.float64] = np.empty(0)  # seconds of all frames that are tracked
        self.assignments = Assignments()
        self._store, self._mark, self._delay = store, mark, delay

    def refresh(self) -> None:
        """Take notice of new frames and of who is who by now."""
        ((known,),) = self._store.read("SELECT coalesce(sum(length(times)), 0) FROM ledger")
        if known // 8 < len(self.times):  # tracked anew from the start
            self.times = np.empty(0)
        rows = self._store.read(
            "SELECT times FROM ledger WHERE start >= ? ORDER BY start", (len(self.times),)
        )
        new = np.frombuffer(b"".join(row[0] for row in rows), dtype="<f8")
        self.times = np.concatenate([self.times, new])
        self.assignments = read_assignments(self._store)

    def frame(self, moment: float, side: Literal["left", "right"] = "left") -> int:
        """Give the first frame at or after a moment, or, on the right, after it."""
        return int(np.searchsorted(self.times, moment, side))

    def forget_stale(self) -> list[tuple[int, Stretch]]:
        """Take what has changed out of what is analysed, inside a transaction; returns it."""
        rows = self._store.read("SELECT person, start, stop FROM stale")
        if not rows:
            return []
        known = self._store.read("SELECT DISTINCT person FROM analysed")
        found = [
            (who, (start, stop))
            for person, start, stop in rows
            for who in ([w for (w,) in known] if person is None else [person])
        ]
        for who, (start, stop) in found:
            end = min(stop, len(self.times))
            if start < end:
                self._keep(who, without(self._analysed(who), *self._widened(who, start, end)))
        self._store.write("DELETE FROM stale")
        return found

    def _widened(self, person: int, start: int, stop: int) -> Stretch:
        """Give the frames whose readings and events hang on a stretch; no event is cut."""
        ends = [float(self.times[start]) - self._delay, float(self.times[stop - 1]) + MEMORY]
        for moment in tuple(ends):
            ((low, high),) = self._store.read(
                "SELECT min(start), max(stop) FROM event WHERE person=? AND start<=? AND stop>=?",
                (person, moment, moment),
            )
            ends += [low, high] if low is not None else []
        return self.frame(min(ends)), self.frame(max(ends), "right")

    def _analysed(self, person: int) -> list[Stretch]:
        query = "SELECT start, stop FROM analysed WHERE person=? AND choice=? ORDER BY start"
        return [(start, stop) for start, stop in self._store.read(query, (person, self._mark))]

    def _keep(self, person: int, known: Iterable[Stretch]) -> None:
        self._store.write("DELETE FROM analysed WHERE person=?", (person,))
        rows = (((person, start), (stop, self._mark)) for start, stop in joined(known))
        self._store.put("analysed", rows)

    def add(self, person: int, start: int, stop: int) -> None:
        """Say inside a transaction that a stretch is analysed."""
        self._keep(person, [*self._analysed(person), (start, stop)])

    def wanted(self, *, more: bool) -> Iterator[Want]:
        """Find what is missing, person by person; what is known of people who are gone goes."""
        people = self._store.read("SELECT id FROM person ORDER BY id")
        reaches = {person: self._reach(person) for (person,) in people}
        self._forget_others({person for person, reach in reaches.items() if reach is not None})
        for person, reach in reaches.items():
            if reach is not None:
                goes_on = more and reach[1] == len(self.times)
                for start, stop in missing(self._analysed(person), *reach):
                    yield Want(person, start, stop, reach, goes_on and stop == reach[1])

    def _reach(self, person: int) -> Stretch | None:
        """Give the frames from the first to the last one in which a person is known."""
        spans = [
            (tracklet, a, min(b, len(self.times)))
            for tracklet in self.assignments.tracklets_of(person)
            for a, b in self.assignments.ranges(tracklet, person, len(self.times))
        ]
        ((first, last),) = self._store.read(_REACH, (json.dumps(spans),))
        return (first, last + 1) if first is not None else None

    def _forget_others(self, there: set[int]) -> None:
        for table in ("reading", "event", "analysed"):
            known = self._store.read(f"SELECT DISTINCT person FROM {table}")
            for person in {who for (who,) in known} - there:
                with self._store.transaction():
                    self._store.write(f"DELETE FROM {table} WHERE person=?", (person,))
