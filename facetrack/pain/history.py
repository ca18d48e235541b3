"""The last moments of a face, at the steps in time that a model was trained with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

STEPS: Final = 5  # frames that are looked at together
GAP: Final = 0.3  # seconds without a look that end what belongs together
USUAL: Final = 10.0  # seconds over which a face is averaged
_EPS: Final = 1e-6


def runs(times: npt.ArrayLike, sequences: npt.ArrayLike | None = None) -> list[slice]:
    """Cut looks into runs without gaps longer than `GAP` and without borders of sequences."""
    t = np.asarray(times, dtype=np.float64)
    breaks = np.diff(t) > GAP + _EPS
    if sequences is not None:
        breaks |= np.diff(np.asarray(sequences)) != 0
    ends = [0, *(np.flatnonzero(breaks) + 1).tolist(), len(t)]
    return [slice(a, b) for a, b in pairwise(ends) if b > a]


def past(times: npt.ArrayLike, values: npt.ArrayLike, step: float, first: int = 0) -> Floats:
    """Look back from each moment of one run: (n - first, 5, d), now and 1 to 4 steps ago."""
    # Values between two frames are interpolated; before the run's beginning its first ones.
    t, v = np.asarray(times, dtype=np.float64), np.asarray(values, dtype=np.float64)
    wanted = (t[first:, None] - step * np.arange(STEPS)).clip(t[0])
    after = np.searchsorted(t, wanted - _EPS).clip(1, max(len(t) - 1, 1))
    if len(t) == 1:
        return np.broadcast_to(v[:1, None], (1, STEPS, v.shape[1])).copy()
    before = after - 1
    share = ((wanted - t[before]) / (t[after] - t[before])).clip(0, 1)[..., None]
    return np.asarray(v[before] * (1 - share) + v[after] * share)


def mean_and_slope(seen: Floats) -> Floats:
    """Sum windows (n, 5, d) up: means, and changes a step by least squares, (n, 2 d)."""
    weights = (STEPS - 1) / 2 - np.arange(STEPS)
    slope = np.einsum("k,nkd->nd", weights / (weights**2).sum(), seen)
    return np.concatenate([seen.mean(axis=1), slope], axis=1)


@dataclass(slots=True)
class Usual:
    """What a face was on average lately: the mean so far, then exponentially over ten seconds."""

    since: float = 0.0  # seconds, of the first value
    last: float = 0.0  # seconds, of the last value
    count: int = 0
    mean: Floats | None = None

    def update(self, time: float, value: Floats) -> Floats:
        """Take the next value; return value - mean, in which the value has a part."""
        self.count += 1
        if self.mean is None:
            self.since, self.mean = time, value.copy()
        else:
            share = max(1 / self.count, 1 - exp(-(time - self.last) / USUAL))
            self.mean = self.mean + share * (value - self.mean)
        self.last = time
        return value - self.mean


def from_usual(times: npt.ArrayLike, values: Floats, sequences: Sequence[slice]) -> Floats:
    """Measure values (n, d) from what was usual before them, in each sequence anew."""
    t, found = np.asarray(times, dtype=np.float64).tolist(), np.empty_like(values)
    for sequence in sequences:
        usual = Usual()
        for row in range(sequence.start, sequence.stop):
            found[row] = usual.update(t[row], values[row])
    return found
