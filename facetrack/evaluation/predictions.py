"""What one system says of labelled images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facetrack.evaluation.errors import normalised_errors, point_errors
from facetrack.landmarks.markup import MARKUPS

Points = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Predictions:
    """What one system says of n labelled images, from s starts each."""

    name: str
    note: str  # what a reader must know to judge its numbers
    start: str  # how its fits began
    points: Points  # (n, s, 68, 2), pixels of the image, NaN where no face was found
    truth: Points  # (n, 68, 2)

    def errors(self, markup: int = 68) -> npt.NDArray[np.float64]:
        """Measure the error of every fit, shape (n, s); see `normalised_errors`."""
        n, s = self.points.shape[:2]
        flat = normalised_errors(self._flat(), np.repeat(self.truth, s, axis=0), markup)
        return flat.reshape(n, s)

    def group_means(self, groups: Mapping[str, tuple[int, ...]], markup: int) -> dict[str, float]:
        """Compute the mean error of the found faces per group of points, % of the eye distance."""
        s = self.points.shape[1]
        errors = point_errors(self._flat(), np.repeat(self.truth, s, axis=0))
        errors = errors[np.isfinite(errors).all(axis=1)]
        chosen = {name: [i for i in g if i in MARKUPS[markup]] for name, g in groups.items()}
        return {
            name: 100 * float(errors[:, g].mean()) if len(errors) else float("nan")
            for name, g in chosen.items()
            if g
        }

    def _flat(self) -> Points:
        return self.points.reshape(-1, 68, 2)
