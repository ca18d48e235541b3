"""Sets of features, each with a regression of its own: the first level of the estimator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.pain.geometry import MOTION, shape_features
from facetrack.pain.history import from_usual, mean_and_slope, past, runs
from facetrack.pain.layer import Layer
from facetrack.pain.projection import Projection
from facetrack.pain.relevance import RelevanceVectors

Floats = npt.NDArray[np.float64]

SETS: Final = {"geometry": "shape", "appearance": "hog", "deep": "deep", "tuned": "deep"}  # source
FORMS: Final = ("static", "window", "usual")
CONSTANT: Final = 1e-8  # deviation below which a value says nothing


@dataclass(frozen=True, slots=True, eq=False)
class Standard:
    """Standardises values."""

    mean: Floats
    scale: Floats  # 1 / standard deviation; 0 where the value is constant

    def apply(self, values: Floats) -> Floats:
        """Standardise values (n, d)."""
        return np.asarray((values - self.mean) * self.scale)


def fit_standard(values: Floats) -> Standard:
    """Learn mean and deviation of values (n, d)."""
    deviation = values.std(axis=0)
    scale = np.where(deviation > CONSTANT, 1 / np.maximum(deviation, CONSTANT), 0.0)
    return Standard(values.mean(axis=0), scale)


@dataclass(frozen=True, slots=True, eq=False)
class FeatureSet:
    """Makes the features of one set, and scores them."""

    kind: str  # of `SETS`
    form: str  # of `FORMS`: one moment, five moments, five from what was usual in 10 s
    step: float  # seconds between the moments
    mean: Floats  # (68, 2), the mean shape in outer-eye distances
    projection: Projection | None = None  # of the source's values; geometry has none
    layer: Layer | None = None  # of the kind `tuned` alone: what makes its features of a window
    standard: Standard | None = None
    regression: RelevanceVectors | None = None  # None while it is being fitted

    @property
    def name(self) -> str:
        """Kind and form, as results name it."""
        return f"{self.kind} ({self.form})"

    @property
    def source(self) -> str:
        """What is looked at."""
        return SETS[self.kind]

    def base(self, values: npt.ArrayLike) -> Floats:
        """Make of a source's values (n, d) what is remembered of them: projected, or all."""
        if self.projection is None:
            return np.asarray(values, dtype=np.float64)
        return self.projection.apply(values)

    def features(self, times: npt.ArrayLike, base: Floats, first: int = 0) -> Floats:
        """Make the features of a run from `base`, less what is usual in that form."""
        if self.form == "static":
            return self._shape(base[first:]) if self.kind == "geometry" else base[first:]
        seen = past(times, base, self.step, first)
        if self.kind == "geometry":
            now = base[first:] if self.form == "usual" else self._shape(base[first:])
            return np.concatenate([now, seen[:, 0] - seen[:, 1]], axis=1)
        return mean_and_slope(seen) if self.layer is None else self.layer.apply(seen)

    def _shape(self, base: Floats) -> Floats:
        return shape_features(base.reshape(-1, MOTION // 2, 2), self.mean)

    def features_of(
        self, times: Floats, sequences: npt.NDArray[np.intp], values: npt.ArrayLike
    ) -> Floats:
        """Make the features of many sequences from a source's values (n, d)."""
        base = self.base(values)
        if self.form == "usual":
            base = from_usual(times, base, runs(np.zeros(len(times)), sequences))
        made = [self.features(times[run], base[run]) for run in runs(times, sequences)]
        return np.concatenate(made)

    def score(self, features: Floats) -> tuple[Floats, Floats]:
        """Score features (n, d); see `RelevanceVectors.judge`, without its deviation."""
        if self.standard is None or self.regression is None:
            raise InputError(f"the features {self.name!r} have no regression yet")
        phi = self.regression.columns(self.standard.apply(features))
        return self.regression.offset + phi @ self.regression.weights, phi.max(axis=1)
