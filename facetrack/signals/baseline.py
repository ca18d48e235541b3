"""What is usual for a person: a running percentile over the last seconds."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence
from math import nan


class Baseline:
    """A percentile of the values of the last seconds.

    Parameters
    ----------
    seconds : float
        How far it looks back.
    share : float
        The percentile as a fraction, such as 0.8.
    """

    def __init__(self, seconds: float, share: float) -> None:
        self._seconds, self._share = seconds, share
        self._samples: deque[tuple[float, float]] = deque()
        self._sorted: list[float] = []

    def add(self, time: float, value: float) -> None:
        """Take a value; times grow."""
        self._samples.append((time, value))
        insort(self._sorted, value)
        while self._samples[0][0] < time - self._seconds:
            _, old = self._samples.popleft()
            del self._sorted[bisect_left(self._sorted, old)]

    def __len__(self) -> int:
        return len(self._samples)

    @property
    def value(self) -> float:
        """The percentile; NaN before the first value."""
        if not self._sorted:
            return nan
        return self._sorted[min(int(self._share * len(self._sorted)), len(self._sorted) - 1)]

    def state(self) -> list[list[float]]:
        """Return the samples, as JSON knows them."""
        return [[time, value] for time, value in self._samples]

    def restore(self, state: Sequence[Sequence[float]]) -> None:
        """Take over the samples that `state` returned."""
        self._samples = deque((float(time), float(value)) for time, value in state)
        self._sorted = sorted(value for _, value in self._samples)
