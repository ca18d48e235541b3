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
    """A mean and where it lies.

    Attributes
    ----------
    mean : float
    low, high : float
        Ends of the confidence interval, in the unit of the values.
    """

    mean: float
    low: float
    high: float


def standard_error(values: npt.ArrayLike) -> float:
    """Compute the standard error of a mean.

    Parameters
    ----------
    values : array_like, shape (n,)
        Independent of each other; those that are not finite are left out.

    Returns
    -------
    float
        In the unit of the values; NaN with fewer than two.
    """
    found = np.asarray(values, dtype=np.float64)
    found = found[np.isfinite(found)]
    if len(found) < 2:
        return float("nan")
    return float(found.std(ddof=1)) / float(np.sqrt(len(found)))


def mean_interval(
    values: npt.ArrayLike, rng: np.random.Generator, *, level: float = 0.95
) -> Interval:
    """Estimate a mean by the bias-corrected and accelerated bootstrap (Efron 1987).

    Parameters
    ----------
    values : array_like, shape (n,)
        Independent of each other, such as one for each person: frames of one video are not.
    rng : Generator
        Draws the samples.
    level : float
        Share of such intervals that hold the true mean, between 0 and 1.

    Returns
    -------
    Interval

    Raises
    ------
    InputError
        If there are fewer than two values, or one is not finite.
    """
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
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    level: float = 0.95,
) -> Interval:
    """Estimate by how much two runs on the same things differ.

    Parameters
    ----------
    first, second : array_like, shape (n,)
        What each run found of the same thing, in the same order.
    rng : Generator
        Draws the samples.
    level : float
        See `mean_interval`.

    Returns
    -------
    Interval
        Of second - first: without 0 between its ends, the runs differ.

    Raises
    ------
    InputError
        If the runs are not of equal length, or see `mean_interval`.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape:
        raise InputError(f"runs to compare must be paired, got {a.shape} and {b.shape} values")
    return mean_interval(b - a, rng, level=level)


def crossed_interval(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    level: float = 0.95,
) -> Interval:
    """Estimate by how much two ways differ whose runs saw the same things, over runs and things.

    Both are drawn anew, runs and things apart from each other (Owen, *The pigeonhole bootstrap*,
    Annals of Applied Statistics 2007); ends are quantiles.

    Parameters
    ----------
    first, second : array_like, shape (runs, n)
        What each run found of each thing; run by run and thing by thing in the same order.
    rng : Generator
        Draws the samples.
    level : float
        See `mean_interval`.

    Returns
    -------
    Interval
        Of second - first. Of a single run, it says nothing of how runs differ.

    Raises
    ------
    InputError
        If the shapes differ, are not of two axes, or an entry is missing or not finite.
    """
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
