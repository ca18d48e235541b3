"""The simplest learner: a constant offset of every point in the face's own frame."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.face import N_POINTS, Fit, read_only_points
from facetrack.features.pixels import Box
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.tracking.track import KEEP, Fits

Image = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]

_PRIOR: Final = 0.25  # corrections' worth of belief that there is no offset


class OffsetLearner:
    """A model whose fits are moved by what a person's corrections were off on average.

    The offset of a point is sum(correction - fit) / (n + 0.25) over the n corrections that vouch
    for it, measured in the reference frame, so that it turns and grows with the face. It is the
    baseline that learning must beat.
    """

    def __init__(self, model: Fits) -> None:
        self._model = model
        self._sum = np.zeros((N_POINTS, 2))
        self._count = np.zeros(N_POINTS)

    @property
    def shape_model(self) -> ShapeModel:
        """The shapes that the model knows."""
        return self._model.shape_model

    def correct(self, image: Image, points: Points, mask: npt.NDArray[np.bool_]) -> None:
        """Learn from landmarks (68, 2) in pixels, of which `mask` (68,) is vouched for."""
        self._sum[mask] += residual_of(self._model, image, points)[mask]
        self._count[mask] += 1

    def fit(self, image: Image, start: Points) -> Fit:
        """Fit from a shape near the face; see `FaceModel.fit`."""
        return self._moved(self._model.fit(image, start))

    def fit_box(
        self, image: Image, box: Box, *, view: int = 0, five: npt.ArrayLike | None = None
    ) -> Fit:
        """Fit from a detector's box; see `FaceModel.fit_box`."""
        return self._moved(self._model.fit_box(image, box, view=view, five=five))

    def _moved(self, fit: Fit) -> Fit:
        offset = self._sum / (self._count + _PRIOR)[:, None]
        return replace(fit, points=read_only_points(moved_by(self._model, fit.points, offset)))


def residual_of(model: Fits, image: Image, points: Points) -> Points:
    """Return what a fit that starts from a person's landmarks lacks, in the reference frame."""
    fit = model.fit(image, model.shape_model.relax(points, keep=KEEP))
    to_reference = model.shape_model.to_reference(points)
    return np.asarray(to_reference.apply(points) - to_reference.apply(fit.points))


def moved_by(model: Fits, points: Points, residual: Points) -> Points:
    """Add a residual of the reference frame to points."""
    to_reference = model.shape_model.to_reference(points)
    return to_reference.inverse().apply(to_reference.apply(points) + residual)
