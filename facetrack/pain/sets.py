"""Sets of features, each with a regression of its own: the first level of the estimator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.pain.geometry import MOTION, shape_features
from facetrack.pain.history import mean_and_slope, past
from facetrack.pain.layer import Layer
from facetrack.pain.relevance import RelevanceVectors

__all__ = ["SETS", "FeatureSet", "Projection", "Standard", "fit_projection", "fit_standard"]

Floats = npt.NDArray[np.float64]
SETS: Final = {
    "geometry": "shape",
    "appearance": "hog",
    "deep": "deep",
    "tuned": "deep",
}  # by source
CONSTANT: Final = 1e-8  # deviation below which a value says nothing
_SHARE: Final = 0.98  # of the variance that a projection keeps
_MOST: Final = 64  # components: more of them are noise where subjects are few


@dataclass(frozen=True, slots=True, eq=False)
class Standard:
    """Standardises values.

    Attributes
    ----------
    mean : ndarray, shape (d,), float64
    scale : ndarray, shape (d,), float64
        1 over the standard deviation; 0 where the value is constant, which makes it 0.
    """

    mean: Floats
    scale: Floats

    def apply(self, values: Floats) -> Floats:
        """Standardise values, shape (n, d)."""
        return np.asarray((values - self.mean) * self.scale)


def fit_standard(values: Floats) -> Standard:
    """Learn mean and deviation.

    Parameters
    ----------
    values : ndarray, shape (n, d), float64

    Returns
    -------
    Standard
    """
    deviation = values.std(axis=0)
    scale = np.where(deviation > CONSTANT, 1 / np.maximum(deviation, CONSTANT), 0.0)
    return Standard(values.mean(axis=0), scale)


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Principal components.

    Attributes
    ----------
    mean : ndarray, shape (d,), float32
    components : ndarray, shape (d, k), float32
        One a column.
    """

    mean: npt.NDArray[np.float32]
    components: npt.NDArray[np.float32]

    def apply(self, values: npt.ArrayLike) -> Floats:
        """Project values, shape (n, d) -> (n, k)."""
        found = (np.asarray(values, dtype=np.float32) - self.mean) @ self.components
        return np.asarray(found, dtype=np.float64)


def fit_projection(values: npt.ArrayLike, *, equal: bool = False) -> Projection:
    """Learn the components that hold 98 % of the variance, at most 64.

    Parameters
    ----------
    values : array_like, shape (n, d)
    equal : bool
        Whether values are of different kinds, each of which counts by its own deviation.

    Returns
    -------
    Projection
    """
    v = np.asarray(values, dtype=np.float32)
    mean = v.mean(axis=0)
    scale = np.float32(1) / np.maximum(v.std(axis=0), np.float32(1e-4)) if equal else np.float32(1)
    centred = (v - mean) * scale
    wide = v.shape[1] > len(v)  # the smaller of the two products of the same rank
    squares, vectors = np.linalg.eigh(centred @ centred.T if wide else centred.T @ centred)
    order = np.argsort(squares)[::-1][:_MOST]
    squares, vectors = squares[order].clip(0), vectors[:, order]
    total = max(float((centred**2).sum()), CONSTANT)
    count = int(np.searchsorted(np.cumsum(squares) / total, _SHARE)) + 1
    kept = vectors[:, :count]
    components = centred.T @ kept if wide else kept
    lengths = np.linalg.norm(components, axis=0)
    unit = components / np.maximum(lengths, np.float32(CONSTANT))
    return Projection(mean, (unit.T * scale).T)


@dataclass(frozen=True, slots=True, eq=False)
class FeatureSet:
    """Makes the features of one set, and scores them.

    Attributes
    ----------
    name : str
        Of `SETS`.
    dynamic : bool
        Whether motion, or the window of five moments, is part of it.
    step : float
        Seconds between the moments.
    mean : ndarray, shape (68, 2), float64
        The mean shape in outer-eye distances.
    projection : Projection or None
        Of the source's values; geometry has none.
    layer : Layer or None
        Of the set `tuned` alone: what makes its features of a window.
    standard : Standard or None
    regression : RelevanceVectors or None
        None while it is being fitted.
    """

    name: str
    dynamic: bool
    step: float
    mean: Floats
    projection: Projection | None = None
    layer: Layer | None = None
    standard: Standard | None = None
    regression: RelevanceVectors | None = None

    @property
    def source(self) -> str:
        """What is looked at."""
        return SETS[self.name]

    def base(self, values: npt.ArrayLike) -> Floats:
        """Make of a source's values, shape (n, d), what is remembered of them."""
        if self.projection is None:
            return np.asarray(values, dtype=np.float64)
        return self.projection.apply(values)

    def features(self, times: npt.ArrayLike, base: Floats, first: int = 0) -> Floats:
        """Make the features of a run.

        Parameters
        ----------
        times : array_like, shape (n,)
            Seconds, growing.
        base : ndarray, shape (n, d), float64
            From `base`.
        first : int
            The moment to begin with.

        Returns
        -------
        ndarray, shape (n - first, features), float64
        """
        if self.name == "geometry":
            now = shape_features(base[first:].reshape(-1, MOTION // 2, 2), self.mean)
            if not self.dynamic:
                return now
            seen = past(times, base, self.step, first)
            return np.concatenate([now, seen[:, 0] - seen[:, 1]], axis=1)
        if self.name == "tuned":
            assert self.layer is not None
            return self.layer.apply(past(times, base, self.step, first))
        return mean_and_slope(past(times, base, self.step, first)) if self.dynamic else base[first:]

    def score(self, features: Floats) -> tuple[Floats, Floats]:
        """Score features.

        Parameters
        ----------
        features : ndarray, shape (n, d), float64

        Returns
        -------
        score, nearest : ndarray, shape (n,), float64
            See `RelevanceVectors.judge`, whose deviation is no interval.

        Raises
        ------
        InputError
            If it was not fitted.
        """
        if self.standard is None or self.regression is None:
            raise InputError(f"the features {self.name!r} have no regression yet")
        phi = self.regression.columns(self.standard.apply(features))
        return self.regression.offset + phi @ self.regression.weights, phi.max(axis=1)
