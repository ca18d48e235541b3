"""What a trained model can do: fit a face from a shape, or from a detector's box."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from facetrack.face import NOT_SAID, Fit, read_only_points
from facetrack.features.crops import warp_to_frame
from facetrack.features.pixels import Box, Image
from facetrack.fitting.box_fit import BoxFitter, BoxPlacement, Builders, Points, run_both_ways
from facetrack.fitting.confidence import End, PointConfidence, contrast_of, point_features
from facetrack.fitting.quality import QualityClassifier, probability
from facetrack.landmarks.procrustes import Similarity
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.learning.learner import Learned
from facetrack.learning.prior import LevelPrior
from facetrack.regression.cascade import Cascade, Features


@dataclass(frozen=True, slots=True)
class FaceModel:
    """A trained model. It never changes; what is learned of a person is kept apart from it."""

    name: str
    shape_model: ShapeModel
    placement: BoxPlacement  # from a detector's box to the first start
    start: Cascade  # for the large motion from the box
    refinement: Cascade  # from where `start` ends: the face's place is known, its form not yet
    tracking: Cascade  # for the small motion from the last shape
    quality: QualityClassifier
    card: dict[str, Any]  # what the model was trained on and how, JSON-able
    confidence: PointConfidence | None = None  # None where nothing is said of single points
    priors: tuple[LevelPrior, ...] = ()  # of the tracking levels that can learn a person
    _builders: Builders = field(default_factory=Builders, repr=False, compare=False)
    _box_fitter: BoxFitter = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        fitter = BoxFitter(
            self.shape_model, self.placement, self.start, self.refinement, self._builders
        )
        object.__setattr__(self, "_box_fitter", fitter)

    def fit(self, image: Image, start: npt.ArrayLike, *, learned: Learned | None = None) -> Fit:
        """Fit the landmarks from a shape (68, 2) nearby, such as that of the last frame, in pixels.

        InputError if image or start have a wrong type or shape, or the start is not finite.
        """
        start = np.asarray(start, dtype=np.float64)
        to_frame = self.shape_model.to_reference(start)
        maps = self._builders.get(self.tracking.maps).build(warp_to_frame(image, to_frame))
        shape = to_frame.apply(start)
        to_image = to_frame.inverse()
        if learned is None:
            end = self.tracking.run(maps, shape)
            return self._judged(image, to_image.apply(end), maps, end, to_frame)
        end, own = learned.run(maps, shape)
        examples = 0 if learned.own is None else learned.own.examples
        fit = self._judged(image, to_image.apply(own), maps, end, to_frame, examples)
        return replace(fit, before_own=to_image.apply(end))

    def fit_box(
        self, image: Image, box: Box, *, view: int = 0, five: npt.ArrayLike | None = None
    ) -> Fit:
        """Fit the landmarks from a box as dlib's frontal detector gives it, pixels of the image.

        `view` is the template that found it: 0 frontal, 1 and 2 turned, 3 and 4 rolled; `five`,
        where the detector sees eyes, nose and mouth, is a better start than the box, and the only
        one for faces that are turned by more than half a radian. InputError if the image is wrong,
        the box is empty, or there is no such view.
        """
        return self.judge(image, self._box_fitter.fit(image, box, view, five))

    def both_ways(self, cascade: Cascade, patch: Image, start: Points) -> tuple[Points, Points]:
        """Run one of the cascades on a patch and on its mirror image; see `run_both_ways`."""
        return run_both_ways(cascade, self._builders.get(cascade.maps), patch, start)

    def judge(self, image: Image, points: npt.ArrayLike) -> Fit:
        """Return how good landmarks are, wherever they come from, as a fit with these points.

        InputError if image or points have a wrong type or shape, or the points are not finite.
        """
        points = np.asarray(points, dtype=np.float64)
        to_frame = self.shape_model.to_reference(points)
        maps = self._builders.get(self.tracking.maps).build(warp_to_frame(image, to_frame))
        return self._judged(image, points, maps, to_frame.apply(points), to_frame)

    def _judged(
        self,
        image: Image,
        points: Points,
        maps: list[Features],
        shape: Points,
        to_frame: Similarity,
        examples: npt.ArrayLike = 0,
    ) -> Fit:
        """Judge a fit: `points` are in pixels of the image, `shape` in those of the frame."""
        level = self.quality.level
        features = level.features(maps, shape)
        steps = features[None] @ level.regressor.T
        quality = float(self.quality.logits(features[None], steps)[0])
        confidence = NOT_SAID
        if self.confidence is not None:
            size = image.shape[1], image.shape[0]
            contrast = contrast_of(maps[level.map_index])
            end = End(features, steps[0], shape, points, size, to_frame.scale, contrast)
            inputs = point_features(end, quality, self.shape_model, self.tracking.basis)
            confidence = self.confidence.probability(inputs, examples)
        return Fit(read_only_points(points), probability(quality), confidence)
