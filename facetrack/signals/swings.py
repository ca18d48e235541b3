"""Movements of an angle to and fro: from one turning point to the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Swing(NamedTuple):
    """A movement in one direction."""

    start: float  # seconds
    stop: float
    before: float  # the angle at the start
    after: float

    @property
    def size(self) -> float:
        """How far it goes, without a sign."""
        return abs(self.after - self.before)


@dataclass(slots=True)
class Swings:
    """Finds swings while an angle comes in."""

    smallest: float  # how far a swing goes at least, in the unit of the angle
    rest: float  # seconds: begins by moving `smallest` within, ends when no further for so long
    # While still: of the last `rest` seconds.
    _recent: list[tuple[float, float]] = field(default_factory=list, init=False)
    # Where the present swing began, and the farthest that it came.
    _pivot: tuple[float, float] | None = field(default=None, init=False)
    _far: tuple[float, float] = field(default=(0.0, 0.0), init=False)

    def update(self, time: float, angle: float) -> tuple[Swing | None, bool]:
        """Take the next angle."""
        if self._pivot is None:
            self._begin(time, angle)
            return None, self._pivot is None
        sign = 1 if self._far[1] > self._pivot[1] else -1
        if (angle - self._far[1]) * sign > 0:
            self._far = time, angle
            return None, False
        back = (self._far[1] - angle) * sign >= self.smallest
        if not back and time - self._far[0] <= self.rest:
            return None, False
        swing = Swing(self._pivot[0], self._far[0], self._pivot[1], self._far[1])
        if back:
            self._pivot, self._far = self._far, (time, angle)
        else:
            self._pivot, self._recent = None, [(time, angle)]
        return swing, not back

    def _begin(self, time: float, angle: float) -> None:
        self._recent = [s for s in self._recent if s[0] >= time - self.rest]
        farthest = max(self._recent, key=lambda s: (abs(s[1] - angle), s[0]), default=None)
        if farthest is not None and abs(farthest[1] - angle) >= self.smallest:
            self._pivot, self._far, self._recent = farthest, (time, angle), []
        else:
            self._recent.append((time, angle))

    def end(self) -> Swing | None:
        """Forget everything; returns the swing that was going on."""
        pivot, self._pivot, self._recent = self._pivot, None, []
        return pivot and Swing(pivot[0], self._far[0], pivot[1], self._far[1])
