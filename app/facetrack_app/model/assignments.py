# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is who: tracklets are assigned to people, each from a frame on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from facetrack_app.model.store import Store

UNASSIGNED: Final = -(2**31)


class Assignments:
    """Whose face each tracklet is, in any frame."""

    def __init__(self, rows: Iterable[tuple[int, int, int]] = ()) -> None:
        self._rows = {(tracklet, start): person for tracklet, start, person in rows}
        self._of_tracklet: dict[int, list[tuple[int, int]]] | None = None  # made when asked for
        self._of_person: dict[int, list[int]] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Assignments) and self._rows == other._rows

    __hash__ = None  # type: ignore[assignment]  # they change

    def put(self, tracklet: int, start: int, person: int | None) -> None:
        """Assign a tracklet to a person from a frame on; None: take the assignment away."""
        self._rows.pop((tracklet, start), None)
        if person is not None:
            self._rows[tracklet, start] = person
        self._of_tracklet = None

    def copy(self) -> Assignments:
        """Return a copy that changes on its own."""
        return Assignments(
            (tracklet, start, person) for (tracklet, start), person in self._rows.items()
        )

    def tracklets(self) -> list[int]:
        """Return all tracklets that are assigned."""
        return sorted(self._ordered())

    def people(self) -> list[int]:
        """Return all who were assigned a tracklet, those included who were deleted."""
        self._ordered()
        return list(self._of_person)

    def tracklets_of(self, person: int) -> list[int]:
        """Return the tracklets of which a part is assigned to a person."""
        self._ordered()
        return self._of_person.get(person, [])

    def of(self, tracklet: int) -> list[tuple[int, int]]:
        """Return (first frame, person) of a tracklet's assignments in order."""
        return self._ordered().get(tracklet, [])

    def owner(self, tracklet: int, frame: int) -> int:
        """Return whose face a tracklet is in a frame."""
        found = UNASSIGNED
        for start, person in self.of(tracklet):  # one, seldom a few
            if start > frame:
                break
            found = person
        return found

    def ranges(self, tracklet: int, person: int, n_frames: int) -> list[tuple[int, int]]:
        """Return the ranges of frames in which a tracklet is a person's."""
        assignments = self.of(tracklet)
        ends = [start for start, _ in assignments[1:]] + [n_frames]
        return [
            (start, stop)
            for (start, who), stop in zip(assignments, ends, strict=True)
            if who == person
        ]

    def _ordered(self) -> dict[int, list[tuple[int, int]]]:
        if self._of_tracklet is None:
            self._of_tracklet, self._of_person = {}, {}
            for (tracklet, start), person in sorted(self._rows.items()):
                self._of_tracklet.setdefault(tracklet, []).append((start, person))
                mine = self._of_person.setdefault(person, [])
                if tracklet not in mine[-1:]:
                    mine.append(tracklet)
        return self._of_tracklet


def read_assignments(store: Store) -> Assignments:
    """Read whose face each tracklet is."""
    return Assignments(store.read("SELECT tracklet, start, person FROM assignment"))
