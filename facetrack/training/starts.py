"""Where fits start in training and in tests: moved truths (method.md, 1.4 and 8.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facetrack.landmarks.markup import outer_eye_distance
from facetrack.landmarks.procrustes import Similarity
from facetrack.landmarks.shape_model import N_RIGID, ShapeModel


@dataclass(frozen=True, slots=True)
class StartNoise:
    """How far a start lies from the truth, as standard deviations."""

    translation: float = 0.09  # per axis, outer-eye distances
    scale: float = 0.06  # of the factor around 1
    rotation: float = 0.06  # radians
    modes: float = 0.5  # of non-rigid parameters, in their own standard deviations

    def move(
        self,
        points: npt.ArrayLike,
        shape_model: ShapeModel,
        rng: np.random.Generator,
        *,
        projected: bool,
    ) -> npt.NDArray[np.float64]:
        """Move a true shape (68, 2) at random, in pixels of the image, or first project it.

        Moving the truth itself leaves what the shape model cannot say in the start, which a tracker
        does not have (method.md, 1.4).
        """
        truth = np.asarray(points, dtype=np.float64)
        base = shape_model.project(truth, limit=np.inf) if projected else truth
        to_reference = shape_model.to_reference(base)
        noise = np.zeros(shape_model.n_parameters)
        noise[N_RIGID:] = self.modes * shape_model.deviations[N_RIGID:]
        noise[N_RIGID:] *= rng.standard_normal(len(noise) - N_RIGID)
        moved = to_reference.apply(base) + (shape_model.basis @ noise).reshape(-1, 2)
        moved = to_reference.inverse().apply(moved)
        centre = moved.mean(axis=0)
        factor = 1 + self.scale * rng.standard_normal()
        angle = self.rotation * rng.standard_normal()
        shift = self.translation * float(outer_eye_distance(truth)) * rng.standard_normal(2)
        turn = Similarity(factor * np.cos(angle), factor * np.sin(angle), 0.0, 0.0)
        start: npt.NDArray[np.float64] = turn.apply(moved - centre) + centre + shift
        return start
