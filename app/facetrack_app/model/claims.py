# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is who: people claim strands of track, each from a frame on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

UNCLAIMED: Final = -(2**31)


class Claims:
    """Whose face each strand is, in any frame."""

    def __init__(self, rows: Iterable[tuple[int, int, int]] = ()) -> None:
        self._rows = {(strand, start): person for strand, start, person in rows}
        self._of_strand: dict[int, list[tuple[int, int]]] | None = None  # made when asked for
        self._of_person: dict[int, list[int]] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Claims) and self._rows == other._rows

    __hash__ = None  # type: ignore[assignment]  # they change

    def put(self, strand: int, start: int, person: int | None) -> None:
        """Let a person claim a strand from a frame on; None: take the claim away."""
        self._rows.pop((strand, start), None)
        if person is not None:
            self._rows[strand, start] = person
        self._of_strand = None

    def copy(self) -> Claims:
        """Give claims that change on their own."""
        return Claims((strand, start, person) for (strand, start), person in self._rows.items())

    def strands(self) -> list[int]:
        """Give all strands that a person claims."""
        return sorted(self._ordered())

    def people(self) -> list[int]:
        """Give all who claim a strand, those included who were deleted."""
        self._ordered()
        return list(self._of_person)

    def strands_of(self, person: int) -> list[int]:
        """Give the strands of which a person claims a part."""
        self._ordered()
        return self._of_person.get(person, [])

    def of(self, strand: int) -> list[tuple[int, int]]:
        """Give (first frame, person) of a strand's claims in order."""
        return self._ordered().get(strand, [])

    def owner(self, strand: int, frame: int) -> int:
        """Tell whose face a strand is in a frame."""
        found = UNCLAIMED
        for start, person in self.of(strand):  # one, seldom a few
            if start > frame:
                break
            found = person
        return found

    def ranges(self, strand: int, person: int, n_frames: int) -> list[tuple[int, int]]:
        """Give the ranges of frames in which a strand is a person's."""
        claims = self.of(strand)
        ends = [start for start, _ in claims[1:]] + [n_frames]
        return [
            (start, stop) for (start, who), stop in zip(claims, ends, strict=True) if who == person
        ]

    def _ordered(self) -> dict[int, list[tuple[int, int]]]:
        if self._of_strand is None:
            self._of_strand, self._of_person = {}, {}
            for (strand, start), person in sorted(self._rows.items()):
                self._of_strand.setdefault(strand, []).append((start, person))
                mine = self._of_person.setdefault(person, [])
                if strand not in mine[-1:]:
                    mine.append(strand)
        return self._of_strand
