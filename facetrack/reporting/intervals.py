"""How sure a mean is, and whether two runs on the same things differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError

RESAMPLES: Final = 10_000
_HELD: Final = 2_000_000  # numbers at a time


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the ends of its confidence interval."""

    mean: float
    low: float
    high: float


def standard_error(values: npt.ArrayLike) -> float:
    """Return the standard error of the mean of finite values; NaN with fewer than two."""
    found = np.asarray(values, dtype=np.float64)
    found = found[np.isfinite(found)]
    if len(found) < 2:
        return float("nan")
    return float(found.std(ddof=1)) / float(np.sqrt(len(found)))


def mean_interval(
    values: npt.ArrayLike, rng: np.random.Generator, *, level: float = 0.95
) -> Interval:
    """Estimate a mean by the bias-corrected and accelerated bootstrap (Efron 1987)."""
    # Values must be independent, such as one for each person: frames of one video are not.
    from scipy.stats import bootstrap  # loads slowly

    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1 or len(found) < 2 or not np.isfinite(found).all():
        raise InputError("an interval needs two or more finite values")
    mean, spread = float(found.mean()), float(np.ptp(found))
    if spread == 0:
        return Interval(mean, mean, mean)
    ends = bootstrap(
        ((found - mean) / spread,),  # third powers of it must not vanish
        np.mean,
        confidence_level=level,
        n_resamples=RESAMPLES,
        batch=max(1, _HELD // len(found)),
        rng=rng,
    ).confidence_interval
    return Interval(mean, mean + spread * float(ends.low), mean + spread * float(ends.high))


def paired_interval(
    first: npt.ArrayLike, second: npt.ArrayLike, rng: np.random.Generator, *, level: float = 0.95
) -> Interval:
    """Estimate second - first on the same things: without 0 between its ends, they differ."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape:
        raise InputError(f"runs to compare must be paired, got {a.shape} and {b.shape} values")
    return mean_interval(b - a, rng, level=level)


def crossed_interval(
    first: npt.ArrayLike, second: npt.ArrayLike, rng: np.random.Generator, *, level: float = 0.95
) -> Interval:
    """Estimate second - first, (runs, n) each, over runs and things; says nothing of one run."""
    # Both are drawn anew, runs and things apart from each other (Owen, *The pigeonhole bootstrap*,
    # Annals of Applied Statistics 2007); ends are quantiles.
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 2 or not a.size or not np.isfinite(a + b).all():
        raise InputError(f"two ways must be (runs, things), finite, got {a.shape} and {b.shape}")
    difference = b - a
    runs, things = difference.shape
    drawn = np.empty(RESAMPLES)
    for i in range(RESAMPLES):
        weights = rng.multinomial(runs, np.full(runs, 1 / runs))
        by_thing = weights @ difference
        drawn[i] = by_thing[rng.integers(things, size=things)].mean() / runs
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(difference.mean()), float(low), float(high))
