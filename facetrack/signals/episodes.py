"""Episodes: stretches of time in which a score stays at or above a level."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from facetrack.reading import Event

LEVEL: Final = 2.0
SHORTEST: Final = 0.3  # seconds
JOINED: Final = 0.3  # seconds below the level, or without a score, that do not end an episode
LONGEST: Final = 30.0  # seconds after which one is closed, and the next says that it goes on
_EPS: Final = 1e-6


@dataclass(slots=True)
class Episodes:
    """Finds the episodes of one face.

    Parameters
    ----------
    name : str
        Of the events.
    model : str
        What has to be said of the model that gives the scores; stands in the events' detail.
    level : float
    shortest, joined : float
        Seconds that one takes at least, and that below the level do not end one.
    """

    name: str
    model: str = ""
    level: float = LEVEL
    shortest: float = SHORTEST
    joined: float = JOINED
    _above: list[tuple[float, float]] = field(default_factory=list, init=False)
    _continued: bool = field(default=False, init=False)
    _closed: float | None = field(default=None, init=False)  # when a long one was

    def update(self, time: float, score: float) -> list[Event]:
        """Take the next score, NaN where there is none; return the episode that ended, if one did.

        `time` is in seconds and grows. The episode's score is the largest; `detail["continued"]`
        says that it continues one that was closed because it was long.
        """
        found = []
        if self._above and time - self._above[-1][0] > self.joined + _EPS:
            found = self.finish()
        if score >= self.level:
            if not self._above:
                closed = self._closed
                self._continued = closed is not None and time - closed <= self.joined + _EPS
            self._above.append((time, score))
            if time - self._above[0][0] >= LONGEST:
                found += self.finish()
                self._closed = time
        return found

    def finish(self) -> list[Event]:
        """End the episode that is open, when no further score comes; return it if long enough."""
        above, self._above = self._above, []
        if not above or above[-1][0] - above[0][0] < self.shortest - _EPS:
            return []
        peak, score = max(above, key=lambda one: one[1])
        detail: dict[str, Any] = {"model": self.model} if self.model else {}
        if self._continued:
            detail["continued"] = True
        start, stop = above[0][0], above[-1][0]
        return [Event(self.name, start, peak, stop, round(score, 2), detail=detail)]
