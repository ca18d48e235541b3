"""Movements of an angle to and fro: from one turning point to the next."""

from __future__ import annotations

from typing import Any, NamedTuple


class Swing(NamedTuple):
    """A movement in one direction.

    Attributes
    ----------
    start, stop : float
        Seconds.
    before, after : float
        The angle at both ends.
    """

    start: float
    stop: float
    before: float
    after: float

    @property
    def size(self) -> float:
        """How far it goes, without a sign."""
        return abs(self.after - self.before)


class Swings:
    """Finds swings while an angle comes in.

    Parameters
    ----------
    smallest : float
        How far a swing goes at least, in the unit of the angle.
    rest : float
        Seconds: a swing begins with a movement of `smallest` within that time, and is over when it
        has gone no further for so long.
    """

    def __init__(self, smallest: float, rest: float) -> None:
        self._smallest, self._rest = smallest, rest
        self._recent: list[tuple[float, float]] = []  # while still: of the last `rest` seconds
        self._pivot: tuple[float, float] | None = None  # where the present swing began
        self._far: tuple[float, float] = (0.0, 0.0)  # the farthest that it came

    def update(self, time: float, angle: float) -> tuple[Swing | None, bool]:
        """Take the next angle.

        Returns
        -------
        Swing or None
            The swing that ended.
        bool
            Whether the angle rests.
        """
        if self._pivot is None:
            self._begin(time, angle)
            return None, self._pivot is None
        sign = 1 if self._far[1] > self._pivot[1] else -1
        if (angle - self._far[1]) * sign > 0:
            self._far = time, angle
            return None, False
        back = (self._far[1] - angle) * sign >= self._smallest
        if not back and time - self._far[0] <= self._rest:
            return None, False
        swing = Swing(self._pivot[0], self._far[0], self._pivot[1], self._far[1])
        if back:
            self._pivot, self._far = self._far, (time, angle)
        else:
            self._pivot, self._recent = None, [(time, angle)]
        return swing, not back

    def _begin(self, time: float, angle: float) -> None:
        self._recent = [s for s in self._recent if s[0] >= time - self._rest]
        farthest = max(self._recent, key=lambda s: (abs(s[1] - angle), s[0]), default=None)
        if farthest is not None and abs(farthest[1] - angle) >= self._smallest:
            self._pivot, self._far, self._recent = farthest, (time, angle), []
        else:
            self._recent.append((time, angle))

    def end(self) -> Swing | None:
        """Forget everything; returns the swing that was going on."""
        pivot, self._pivot, self._recent = self._pivot, None, []
        return pivot and Swing(pivot[0], self._far[0], pivot[1], self._far[1])

    def state(self) -> list[Any]:
        """Return everything that `restore` needs, as JSON knows it."""
        return [self._recent, self._pivot, self._far]

    def restore(self, state: list[Any]) -> None:
        """Go on where another one stood."""
        recent, pivot, far = state
        self._recent = [(float(t), float(a)) for t, a in recent]
        self._pivot = pivot and (float(pivot[0]), float(pivot[1]))
        self._far = float(far[0]), float(far[1])
