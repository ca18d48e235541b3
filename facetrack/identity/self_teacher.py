"""A tracker that learns from its own tracks (`adapt`): only from labels better than its fits.

A label is the mean of four fits: by the tracking cascade and by the finer refinement cascade, each
of the picture and of its mirror image. Where they disagree about a landmark, because a hand hides
it, they teach nothing of it. The tracker's own answer as a label would only repeat its errors: it
makes tracks steadier and their bias larger (method.md, 8.2).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import LearningError
from facetrack.features.crops import warp_to_frame
from facetrack.features.pixels import Image
from facetrack.fitting.face_model import FaceModel
from facetrack.landmarks.markup import outer_eye_distance
from facetrack.learning.example import KEEP, Example
from facetrack.learning.learner import Learned, Learner
from facetrack.learning.self_example import SelfExample, SelfLearner
from facetrack.parallel import one_blas_thread

Points = npt.NDArray[np.float64]

LEARN: Final = 0.9  # quality from which on a fit is good enough to learn from
_EVERY: Final = 2  # frames
_AGREE: Final = 0.03  # outer-eye distances between the fit and the label: more is an error of one
_DISAGREE: Final = 0.02  # mean distance of the four fits of a point from their mean, from which on
# it is not believed
_NEAR: Final = 0.15  # outer-eye distances moved since the frame before
_MOST: Final = 100  # examples: what is learned at all is learned by then, and a state stays small
_REFINED: Final = 0.6  # of the fit's form, where the refinement starts
_FALL: Final = 0.15  # of the mean quality, after which everything learned so is dropped
_SLOW: Final = 0.05  # weight of a frame in the mean quality


@dataclass(slots=True)
class Memory:
    """What a teacher remembers of the frames so far."""

    # in the order in which they were learned
    examples: list[SelfExample] = field(default_factory=list)
    found: SelfExample | None = None  # in the last frame, to be learned in this one
    quality: float | None = None  # mean of the last frames
    best: float = 0.0  # the highest that the mean has been
    frames: int = 0
    given_up: bool = False


class SelfTeacher:
    """Teaches one person's face to the tracker from its own tracks, from corrections on.

    A `learner` that has learned these examples saves learning them again.
    """

    def __init__(
        self, model: FaceModel, examples: list[Example], learner: Learner | None = None
    ) -> None:
        self._model = model
        self._taught_by = learner or Learner(model.tracking, model.priors)
        self._corrections = examples
        self.memory = Memory()
        self._begin()

    @one_blas_thread()
    def _begin(self) -> None:
        """Go back to what corrections taught."""
        cascade, priors = self._model.tracking, {p.number: p for p in self._model.priors}
        taught = self._taught_by.learn(self._corrections)
        own = None
        if taught is not None:
            cascade, own = taught.cascade, taught.own
        self.learned: Learned | None = taught
        self._learner = SelfLearner(cascade, own, self._taught_by.regressors(), priors)

    def watch(self, image: Image, before: Points, points: Points, quality: float) -> None:
        """Look at a tracked frame: every second one gives an example if it is good enough.

        It is learned in the frame after, so that no frame has to wait for both. `before` and
        `points` are the face in the frame before and in this one, pixels; `quality` is that of this
        frame's fit.
        """
        now = self.memory
        now.frames += 1
        if self._falls(quality):
            now.given_up, now.examples, now.found = True, [], None
            self._begin()
        if now.found is not None:
            example, now.found = now.found, None
            self._learn(example)
            return
        if now.given_up or len(now.examples) >= _MOST or now.frames % _EVERY:
            return
        eye = float(outer_eye_distance(points))
        moved = float(np.linalg.norm((points - before).mean(axis=0)))
        if quality < LEARN or moved > _NEAR * eye:
            return
        now.found = self._example(image, before)
        self._learner.settle()

    def _falls(self, quality: float) -> bool:
        """Return whether tracking has become clearly worse since it was best."""
        now = self.memory
        mean = quality if now.quality is None else now.quality
        now.quality = mean + _SLOW * (quality - mean)
        now.best = max(now.best, now.quality)
        return bool(now.examples) and now.quality < now.best - _FALL

    def _example(self, image: Image, before: Points) -> SelfExample | None:
        """Find a label; None where the fits disagree."""
        shape_model = self._model.shape_model
        start = shape_model.relax(before, keep=KEEP)
        to_frame = shape_model.to_reference(start)
        patch = warp_to_frame(image, to_frame)
        tracking = self._model.tracking if self.learned is None else self.learned.cascade
        shape = to_frame.apply(start)
        fit, turned = self._model.both_ways(tracking, patch, shape)
        near = shape_model.relax(fit, keep=_REFINED)
        finer = self._model.both_ways(self._model.refinement, patch, near)
        fits = np.stack([fit, turned, *finer])
        label = fits.mean(axis=0)
        eye = float(outer_eye_distance(shape_model.mean))
        if np.linalg.norm(label - fit, axis=1).mean() > _AGREE * eye:
            return None
        apart = np.linalg.norm(fits - label, axis=2).mean(axis=0) / eye
        trust = np.clip(1 - apart / _DISAGREE, 0, 1)
        return SelfExample(patch, shape, fit + trust[:, None] * (label - fit))

    def _learn(self, example: SelfExample) -> None:
        try:
            self.learned = self._learner.learn(example)
        except LearningError:  # rounding: what corrections taught is exact again
            self.memory.examples = []
            self._begin()
            return
        self.memory.examples.append(example)

    @classmethod
    def again(cls, model: FaceModel, examples: list[Example], memory: Memory) -> SelfTeacher:
        """Learn anew, in the same order, what a teacher of that memory had learned: same bytes."""
        teacher = cls(model, examples)
        for example in memory.examples:
            teacher._learn(example)
        teacher.memory = memory
        return teacher
