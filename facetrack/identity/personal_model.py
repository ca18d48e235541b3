"""A model that fits one person's face with what was learned of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy.typing as npt

from facetrack.face import Fit
from facetrack.features.pixels import Box, Image
from facetrack.fitting.face_model import FaceModel
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.learning.example import KEEP
from facetrack.learning.learner import Learned


@dataclass(frozen=True, slots=True)
class PersonalModel:
    """The generic model with what was learned of a person."""

    model: FaceModel
    learned: Learned

    @property
    def shape_model(self) -> ShapeModel:
        """The shapes that the generic model knows."""
        return self.model.shape_model

    def fit(self, image: Image, start: npt.ArrayLike) -> Fit:
        """Fit the person's landmarks from a shape nearby; see `FaceModel.fit`."""
        return self.model.fit(image, start, learned=self.learned)

    def fit_box(
        self, image: Image, box: Box, *, view: int = 0, five: npt.ArrayLike | None = None
    ) -> Fit:
        """Fit a face from a detector's box, then the person's; see `FaceModel.fit_box`."""
        found = self.model.fit_box(image, box, view=view, five=five)
        return self.fit(image, self.shape_model.relax(found.points, keep=KEEP))
