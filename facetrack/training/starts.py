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
    """How far a start lies from the truth.

    Attributes
    ----------
    translation : float
        Standard deviation per axis in outer-eye distances.
    scale : float
        Standard deviation of the factor around 1.
    rotation : float
        Standard deviation in radians.
    modes : float
        Standard deviation of every non-rigid parameter in its own standard deviations.
    """

    translation: float = 0.09
    scale: float = 0.06
    rotation: float = 0.06
    modes: float = 0.5

    def move(
        self,
        points: npt.ArrayLike,
        shape_model: ShapeModel,
        rng: np.random.Generator,
        *,
        projected: bool,
    ) -> npt.NDArray[np.float64]:
        """Move a true shape at random.

        Parameters
        ----------
        points : array_like, shape (68, 2)
            The truth in pixels of the image.
        shape_model : ShapeModel
            Says what a mode is.
        rng : numpy.random.Generator
        projected : bool
            Project the truth on the shape model first. Moving the truth itself leaves what the
            model cannot say in the start, which a tracker does not have (method.md, 1.4).

        Returns
        -------
        ndarray, shape (68, 2), float64
            In pixels of the image.
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
