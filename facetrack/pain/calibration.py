"""Intervals that hold for people whom no training saw, and smoothing with its delay.

Split-conformal by subject: the spread of a Gaussian process or relevance vector regression is far
too narrow, because frames of a video are not independent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.pain.history import runs

Floats = npt.NDArray[np.float64]

HIGHEST: Final = 16.0  # of the score
COVERAGE: Final = 0.9
_EDGES: Final = (0.5, 2.0)  # scores below, between and above are calibrated apart ...
_FRAMES, _SUBJECTS = 200, 5  # ... where so many lie there
_EPS: Final = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """How far labels lie from scores, by the height of the score."""

    edges: Floats  # (k,), between the bins of the score
    low: Floats  # (k + 1,), quantiles of label - score in each bin
    high: Floats

    def interval(self, scores: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Return the ends of the intervals of scores, within 0 to 16."""
        p = np.asarray(scores, dtype=np.float64)
        bins = np.searchsorted(self.edges, p, side="right")
        low, high = p + self.low[bins], p + self.high[bins]
        inside = np.clip(p, 0.0, HIGHEST)  # what is shown lies in its interval
        return (
            np.minimum(low.clip(0.0, HIGHEST), inside),
            np.maximum(high.clip(0.0, HIGHEST), inside),
        )


def calibrate(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    subjects: npt.ArrayLike,
    *,
    coverage: float = COVERAGE,
) -> Calibration:
    """Learn intervals from people whom the scores' model had not seen, each weighing the same."""
    # Of three bins, or fewer where one holds under 200 frames or 5 subjects.
    p, y = np.asarray(scores, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    _, who = np.unique(np.asarray(subjects), return_inverse=True)
    edges: list[float] = []
    for edge in _EDGES:
        above, since = p >= edge, p >= (edges[-1] if edges else -np.inf)
        here = since & ~above
        if _enough(who[above]) and _enough(who[here]):
            edges.append(edge)
    ends = np.array(edges)
    bins = np.searchsorted(ends, p, side="right")
    tail = (1 - coverage) / 2
    found = [_quantiles((y - p)[bins == k], who[bins == k], tail) for k in range(len(edges) + 1)]
    low, high = zip(*found, strict=True)
    return Calibration(ends, np.array(low), np.array(high))


def _enough(who: npt.NDArray[np.intp]) -> bool:
    return len(who) >= _FRAMES and len(np.unique(who)) >= _SUBJECTS


def _quantiles(residuals: Floats, who: npt.NDArray[np.intp], tail: float) -> tuple[float, float]:
    """Return both tails' quantiles, each subject weighing the same."""
    weights = 1 / np.bincount(who)[who]
    order = np.argsort(residuals)
    mass = np.cumsum(weights[order]) / weights.sum()
    last = len(order) - 1
    low = order[min(int(np.searchsorted(mass, tail)), last)]
    high = order[min(int(np.searchsorted(mass, 1 - tail)), last)]
    return float(residuals[low]), float(residuals[high])


def smooth(
    times: npt.ArrayLike,
    scores: npt.ArrayLike,
    width: float,
    *,
    centred: bool = False,
    sequences: npt.ArrayLike | None = None,
) -> Floats:
    """Average scores over a moving window that crosses no gap and no border of a sequence."""
    # A centred window is known half of it later; one that ends at each moment lags by half of it.
    t, p = np.asarray(times, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    found = p.copy()
    ahead = width / 2 if centred else 0.0
    for run in runs(t, sequences):
        total = np.concatenate([[0.0], np.cumsum(p[run])])
        first = np.searchsorted(t[run], t[run] - (width - ahead) - _EPS)
        last = np.searchsorted(t[run], t[run] + ahead + _EPS)
        found[run] = (total[last] - total[first]) / (last - first)
    return found
