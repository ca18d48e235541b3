"""The one place that chooses what learns a person from corrections while a video is annotated."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from facetrack.annotation.corrections import Correction
from facetrack.annotation.offset import OffsetLearner
from facetrack.landmarks.procrustes import fit_similarity
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.tracking.track import Fits
from facetrack.video.frame import Image

Points = npt.NDArray[np.float64]


class Learns(Fits, Protocol):
    """A model that learns one person from corrections, and fits with what it has learned."""

    def correct(self, image: Image, points: Points, mask: npt.NDArray[np.bool_]) -> None:
        """Learn from a frame; the mask says which points the person vouches for."""


def taught(model: Fits, lessons: Iterable[tuple[Image, Correction]]) -> Fits:
    """Make a model that has learned from all corrections of a person.

    What was learned is a function of the model and the corrections alone, so that undoing one
    undoes what it taught, and a replay learns the same.

    Parameters
    ----------
    model : Fits
        The trained model; it stays as it is.
    lessons : iterable of (ndarray, Correction)
        Grey frames and what the person said of them, in the order of the frames.

    Returns
    -------
    Fits
    """
    learner: Learns = OffsetLearner(model)
    for image, correction in lessons:
        whole = completed(model.shape_model, correction)
        if whole is not None:
            learner.correct(image, whole, correction.vouched)
    return learner


def completed(shape_model: ShapeModel, correction: Correction) -> Points | None:
    """Fill in the points that are absent, from the mean face at their place.

    Parameters
    ----------
    shape_model : ShapeModel
    correction : Correction

    Returns
    -------
    ndarray, shape (68, 2), float64, or None
        None where fewer than half of the points are known.
    """
    known = np.asarray(np.isfinite(correction.points).all(axis=1))
    if known.sum() < len(known) // 2:
        return None
    if known.all():
        return np.array(correction.points)
    mean = shape_model.mean
    placed = fit_similarity(mean[known], correction.points[known]).apply(mean)
    return np.where(known[:, None], correction.points, placed)
