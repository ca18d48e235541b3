"""A tracker that learns from its own tracks (`adapt`): only from labels better than its fits.

A label is the mean of four fits: by the tracking cascade and by the finer refinement cascade, each
of the picture and of its mirror image. Where they disagree about a landmark, because a hand hides
it, they teach nothing of it. The tracker's own answer as a label would only repeat its errors: it
makes tracks steadier and their bias larger (method.md, 8.2).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import LearningError
from facetrack.face import N_POINTS
from facetrack.features.crops import FRAME_SIZE, warp_to_frame
from facetrack.features.pixels import Image
from facetrack.fitting.face_model import FaceModel
from facetrack.formats.encoding import decode_array, encode_array
from facetrack.landmarks.markup import outer_eye_distance
from facetrack.learning.learner import Learned, Learner
from facetrack.learning.lesson import KEEP, Lesson
from facetrack.learning.self_lesson import SelfLearner, SelfLesson
from facetrack.parallel import one_blas_thread

Points = npt.NDArray[np.float64]

LEARN: Final = 0.9  # quality from which on a fit is good enough to learn from
_EVERY: Final = 2  # frames
_AGREE: Final = 0.03  # outer-eye distances between the fit and the label: more is an error of one
_DISAGREE: Final = 0.02  # mean distance of the four fits of a point from their mean, from which on
# it is not believed
_NEAR: Final = 0.15  # outer-eye distances moved since the frame before
_MOST: Final = 100  # lessons: what is learned at all is learned by then, and a state stays small
_REFINED: Final = 0.6  # of the fit's form, where the refinement starts
_FALL: Final = 0.15  # of the mean quality, after which everything learned so is dropped
_SLOW: Final = 0.05  # weight of a frame in the mean quality


class SelfTeacher:
    """Teaches one person's face to the tracker from its own tracks.

    Parameters
    ----------
    model : FaceModel
    lessons : list of Lesson
        A person's corrections, from which it goes on.
    learner : Learner, optional
        Which has learned them, so that they need not be learned again.
    """

    def __init__(
        self, model: FaceModel, lessons: list[Lesson], learner: Learner | None = None
    ) -> None:
        self._model = model
        self._taught_by = learner or Learner(model.tracking, model.priors)
        self._corrections = lessons
        self._lessons: list[SelfLesson] = []
        self._found: SelfLesson | None = None  # in the last frame, to be learned in this one
        self._quality: float | None = None  # mean, of the last frames
        self._best = 0.0  # the highest that the mean has been
        self._frames = 0
        self._given_up = False
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
        """Look at a tracked frame: every second one gives a lesson if it is good enough.

        It is learned in the frame after, so that no frame has to wait for both.

        Parameters
        ----------
        image : ndarray, shape (H, W[, 3]), uint8
        before, points : ndarray, shape (68, 2), float64
            The face in the frame before and in this one, pixels.
        quality : float
            Of the fit in this frame.
        """
        self._frames += 1
        if self._falls(quality):
            self._given_up, self._lessons, self._found = True, [], None
            self._begin()
        if self._found is not None:
            lesson, self._found = self._found, None
            self._learn(lesson)
            return
        if self._given_up or len(self._lessons) >= _MOST or self._frames % _EVERY:
            return
        eye = float(outer_eye_distance(points))
        moved = float(np.linalg.norm((points - before).mean(axis=0)))
        if quality < LEARN or moved > _NEAR * eye:
            return
        self._found = self._lesson(image, before)
        self._learner.settle()

    def _falls(self, quality: float) -> bool:
        """Return whether tracking has become clearly worse since it was best."""
        mean = quality if self._quality is None else self._quality
        self._quality = mean + _SLOW * (quality - mean)
        self._best = max(self._best, self._quality)
        return bool(self._lessons) and self._quality < self._best - _FALL

    def _lesson(self, image: Image, before: Points) -> SelfLesson | None:
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
        return SelfLesson(patch, shape, fit + trust[:, None] * (label - fit))

    def _learn(self, lesson: SelfLesson) -> None:
        try:
            self.learned = self._learner.learn(lesson)
        except LearningError:  # rounding: what corrections taught is exact again
            self._lessons = []
            self._begin()
            return
        self._lessons.append(lesson)

    def state(self) -> dict[str, Any]:
        """Return everything that `from_state` needs, as JSON knows it."""
        lessons = self._lessons + ([] if self._found is None else [self._found])
        return {
            "found": self._found is not None,
            "quality": self._quality,
            "best": self._best,
            "frames": self._frames,
            "given_up": self._given_up,
            "patches": encode_array(np.array([x.patch for x in lessons], dtype=np.uint8)),
            "starts": encode_array(np.array([x.start for x in lessons])),
            "labels": encode_array(np.array([x.label for x in lessons])),
        }

    @classmethod
    def from_state(
        cls, state: dict[str, Any], model: FaceModel, lessons: list[Lesson]
    ) -> SelfTeacher:
        """Learn anew, in the same order, what the saved teacher had learned: the same bytes."""
        teacher = cls(model, lessons)
        patches = decode_array(state["patches"], (-1, FRAME_SIZE, FRAME_SIZE), np.uint8)
        starts = decode_array(state["starts"], (-1, N_POINTS, 2), np.float64)
        labels = decode_array(state["labels"], (-1, N_POINTS, 2), np.float64)
        lessons_so_far = [SelfLesson(*parts) for parts in zip(patches, starts, labels, strict=True)]
        found = lessons_so_far.pop() if state["found"] else None
        for lesson in lessons_so_far:
            teacher._learn(lesson)
        teacher._found = found
        quality = state["quality"]
        teacher._quality = None if quality is None else float(quality)
        teacher._best, teacher._frames = float(state["best"]), int(state["frames"])
        teacher._given_up = bool(state["given_up"])
        return teacher
