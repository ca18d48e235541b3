"""What is usual for a person: a running percentile over the last seconds."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass, field
from math import nan

from facetrack.formats.encoding import NO_STATE


@dataclass(slots=True)
class Baseline:
    """A percentile (`share`, such as 0.8) of the values of the last `seconds`."""

    seconds: float
    share: float
    _samples: deque[tuple[float, float]] = field(default_factory=deque)
    _sorted: list[float] = field(init=False, metadata=NO_STATE)

    def __post_init__(self) -> None:
        self._sorted = sorted(value for _, value in self._samples)

    def add(self, time: float, value: float) -> None:
        """Take a value; times grow."""
        self._samples.append((time, value))
        insort(self._sorted, value)
        while self._samples[0][0] < time - self.seconds:
            _, old = self._samples.popleft()
            del self._sorted[bisect_left(self._sorted, old)]

    def __len__(self) -> int:
        return len(self._samples)

    @property
    def value(self) -> float:
        """The percentile; NaN before the first value."""
        if not self._sorted:
            return nan
        return self._sorted[min(int(self.share * len(self._sorted)), len(self._sorted) - 1)]
