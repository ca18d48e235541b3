# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person decides about events: which one is chosen, and the commands about it."""

from __future__ import annotations

from collections.abc import Callable

from facetrack_app.model.commands import (
    AcceptEvent,
    Command,
    MakeEvent,
    MoveEvent,
    RejectEvent,
    RenameEvent,
)
from facetrack_app.model.judged import Decision, Judged, overlap
from facetrack_app.model.observable import Observable
from facetrack_app.model.session import Session


class Judging:
    """Events of an open session, one of which may be chosen."""

    def __init__(
        self, session: Session, run: Callable[[Command], int | None], changed: Observable[[]]
    ) -> None:
        self.chosen: Judged | None = None
        self._session, self._run, self._changed = session, run, changed

    def choose(self, judged: Judged | None) -> None:
        """Choose an event."""
        self.chosen = judged
        self._changed()

    def follow(self, person: int | None) -> None:
        """Find the chosen event again among those that there are now; forget it if it is gone."""
        old = self.chosen
        if old is None:
            return
        events = self._session.events(person) if person in self._session.people else []
        same = [
            one for one in events
            if (one.number == old.number if old.number is not None else one.where == old.where)
        ]  # fmt: skip
        again = (one for one in events if _same(one, old))
        self.chosen = same[0] if same else next(again, None)

    def next(self, person: int | None, frame: int, *, back: bool) -> int | None:
        """Choose the next event from a frame on; returns its first frame, None without one."""
        if person is None:
            return None
        events = self._session.events(person)
        starts = [self._frames(judged)[0] for judged in events]
        place = sum(start < frame for start in starts)  # of the first one from here on
        if self.chosen in events:
            first, last = self._frames(self.chosen)
            if first <= frame <= last:  # several may begin in one frame
                place = events.index(self.chosen) + (not back)
        place -= back
        if not 0 <= place < len(events):
            return None
        self.choose(events[place])
        return starts[place]

    def _frames(self, judged: Judged) -> tuple[int, int]:
        return self._session.frames_of(judged.event.start, judged.event.stop)

    def accept(self, judged: Judged) -> None:
        """Say that an event is right."""
        self._decide(AcceptEvent.of(judged))

    def reject(self, judged: Judged) -> None:
        """Say that there is no such event."""
        self._decide(RejectEvent.of(judged))

    def rename(self, judged: Judged, name: str) -> None:
        """Say what an event is."""
        self._decide(RenameEvent.of(judged, name=name))

    def move(self, judged: Judged, first: int, last: int) -> None:
        """Say at which frames an event begins and ends."""
        times = self._session.times()
        if (first, last) != self._frames(judged):
            start, stop = float(times[first]), float(times[last])
            self._decide(MoveEvent.of(judged, start=start, stop=stop))

    def make(self, person: int, name: str, first: int, last: int) -> None:
        """Make an event that no machine found."""
        times = self._session.times()
        self._decide(MakeEvent(person, name, float(times[first]), float(times[last])))

    def _decide(self, command: Command) -> None:
        before = self._session.decisions
        known = dict(before)
        if self._run(command) is None:
            return
        new = [one for number, one in before.items() if known.get(number) != one]
        standing = [one for one in new if one.decision != Decision.REJECTED]
        self.choose(standing[-1] if standing else None)


def _same(one: Judged, other: Judged) -> bool:
    """Return whether a machine meant the same by two events."""
    mine, its = one.original or one.event, other.original or other.event
    return (one.estimator, mine.name) == (other.estimator, its.name) and overlap(mine, its)
