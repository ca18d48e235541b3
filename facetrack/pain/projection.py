"""Directions in which faces differ: those of most variance, or those that go with the label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Float32s = npt.NDArray[np.float32]

_SHARE: Final = 0.98  # of the variance that principal components keep
_MOST: Final = 64  # of them: more are noise where subjects are few
_SUPERVISED: Final = 5  # directions that go with the label
_FLAT: Final = np.float32(1e-4)  # deviation of a value that hardly changes
_TINY: Final = np.float32(1e-8)


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """A linear map to few values."""

    mean: Float32s
    components: Float32s  # (d, k), one a column

    def apply(self, values: npt.ArrayLike) -> Floats:
        """Project values (n, d) to (n, k)."""
        found = (np.asarray(values, dtype=np.float32) - self.mean) @ self.components
        return np.asarray(found, dtype=np.float64)


def fit_projection(values: npt.ArrayLike, *, equal: bool = False) -> Projection:
    """Learn the principal components that hold 98 % of the variance, at most 64."""
    # `equal`: values are of different kinds, each of which counts by its own deviation.
    mean, scale, centred = _centred(values, equal)
    wide = centred.shape[1] > len(centred)  # the smaller of the two products of the same rank
    squares, vectors = np.linalg.eigh(centred @ centred.T if wide else centred.T @ centred)
    order = np.argsort(squares)[::-1][:_MOST]
    squares, vectors = squares[order].clip(0), vectors[:, order]
    total = max(float((centred**2).sum()), float(_TINY))
    count = int(np.searchsorted(np.cumsum(squares) / total, _SHARE)) + 1
    kept = vectors[:, :count]
    components = centred.T @ kept if wide else kept
    unit = components / np.maximum(np.linalg.norm(components, axis=0), _TINY)
    return Projection(mean, (unit.T * scale).T)


def fit_supervised(
    values: npt.ArrayLike, labels: npt.ArrayLike, subjects: npt.ArrayLike, *, equal: bool = False
) -> Projection:
    """Learn the directions in which each subject's values change with the label."""
    # Five of partial least squares (Wold 1966, by NIPALS), of values less their subject's mean:
    # principal components of few subjects say who it is, not what the face does.
    mean, scale, left = _centred(values, equal)
    y = np.asarray(labels, dtype=np.float32).copy()
    _, who = np.unique(np.asarray(subjects), return_inverse=True)
    for number in range(who.max(initial=-1) + 1):
        of_one = who == number
        left[of_one] -= left[of_one].mean(axis=0)
        y[of_one] -= y[of_one].mean()
    directions: list[Float32s] = []
    for _ in range(_SUPERVISED):
        weights = left.T @ y
        weights /= np.maximum(np.linalg.norm(weights), _TINY)
        scores = left @ weights
        left -= np.outer(scores, left.T @ scores / np.maximum(scores @ scores, _TINY))
        for known in directions:  # of the values as they are, not of what is left
            weights -= known * (known @ weights)
        directions.append(weights / np.maximum(np.linalg.norm(weights), _TINY))
    return Projection(mean, (np.array(directions) * scale).T)


def _centred(values: npt.ArrayLike, equal: bool) -> tuple[Float32s, Float32s, Float32s]:
    v = np.asarray(values, dtype=np.float32)
    mean = v.mean(axis=0)
    scale = np.ones_like(mean)
    if equal:
        scale = np.float32(1) / np.maximum(v.std(axis=0), _FLAT)
    return mean, scale, (v - mean) * scale
