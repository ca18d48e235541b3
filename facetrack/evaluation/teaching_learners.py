"""What users get when they correct frames, and the sampled rival on the same levels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.evaluation.footage import Corrections, Footage, Points, followed
from facetrack.learning.learner import WEIGHT, Learned, Learner, Start
from facetrack.learning.lesson import STARTS, Lesson, make_lesson
from facetrack.learning.prior import LevelPrior
from facetrack.learning.profile import Profile
from facetrack.regression.cascade import Level
from facetrack.regression.expansion import read_frame
from facetrack.regression.incremental import Matrix, learn_sampled
from facetrack.tracking.face_model import FaceModel
from facetrack.tracking.tracker import Tracker

_DRAWS: Final = 10  # K, samples per start, as the papers have it


@dataclass(frozen=True, slots=True)
class Facetrack:
    """The tracker taught by the corrections: the same lessons, and the clip tracked again.

    Attributes
    ----------
    model : FaceModel
    name : str
    """

    model: FaceModel
    name: str = "Facetrack, taught"

    def teach(self, footage: Footage, corrections: Corrections) -> Points:
        """Learn and track again; see `teaching.Learner`."""
        lessons = lessons_of(self.model, footage, corrections)
        learned = Learner(self.model.tracking, self.model.priors).learn(lessons)
        return track_again(self.model, lessons, learned, footage)


@dataclass(frozen=True, slots=True)
class SampledLearning:
    """Incremental SDM (iSDM): each lesson's starts and draws around its label, sampled features.

    Attributes
    ----------
    model : FaceModel
        Whose last levels learn, from the same sums and with the same weight per corrected frame.
    name : str
    """

    model: FaceModel
    name: str = "iSDM"

    def teach(self, footage: Footage, corrections: Corrections) -> Points:
        """Learn and track again; see `teaching.Learner`."""
        lessons = lessons_of(self.model, footage, corrections)
        cascade = self.model.tracking
        priors = {prior.number: prior for prior in self.model.priors}
        starts = list(Learner(cascade, ()).starts(lessons))
        rng = np.random.default_rng(0)
        levels = []
        for number, level in enumerate(cascade.levels):
            if number in priors:
                level = _learn_level(level, priors[number], cascade.basis, starts, rng)
            for start in starts:
                start.advance(level, cascade.basis)
            levels.append(level)
        learned = Learned(replace(cascade, levels=tuple(levels)), None)
        return track_again(self.model, lessons, learned, footage)


def lessons_of(model: FaceModel, footage: Footage, corrections: Corrections) -> list[Lesson]:
    """Make the lessons of corrected frames, as `Tracker.correct` makes them."""
    everything = np.ones(68, dtype=np.bool_)
    return [
        make_lesson(footage.greys[frame], label, everything, model.shape_model, key=int(frame))
        for frame, label in zip(corrections.frames, corrections.labels, strict=True)
    ]


def track_again(
    model: FaceModel, lessons: list[Lesson], learned: Learned | None, footage: Footage
) -> Points:
    """Track footage with what was learned, from its first frame."""
    profile = Profile(tuple(lessons), learned, (), model.tracking)
    tracker = Tracker(model, profile=profile)
    frames = zip(footage.greys, footage.timestamps, strict=True)
    return np.stack([followed(tracker, grey, float(time)) for grey, time in frames])


def _learn_level(
    level: Level,
    prior: LevelPrior,
    basis: npt.NDArray[np.float32],
    starts: list[Start],
    rng: np.random.Generator,
) -> Level:
    lower = np.tril(prior.inverse()).astype(np.float64)
    regressor: Matrix = level.regressor.astype(np.float64)
    inverse: Matrix = lower + np.tril(lower, -1).T
    weight = np.sqrt(WEIGHT / (STARTS * _DRAWS))
    for start in starts:
        shapes = np.stack([start.shape, *_drawn(start.label, prior, basis, rng)])
        readings = read_frame(level, start.maps, shapes).reshape(_DRAWS, -1)
        features = np.hstack([readings, np.ones((_DRAWS, 1))]).T
        targets = basis.T @ (shapes - start.label).reshape(_DRAWS, -1).T
        regressor, inverse = learn_sampled(regressor, inverse, weight * features, weight * targets)
    return replace(level, regressor=regressor.astype(np.float32))


def _drawn(
    label: Points, prior: LevelPrior, basis: npt.NDArray[np.float32], rng: np.random.Generator
) -> Iterator[Points]:
    for _ in range(_DRAWS - 1):
        delta = prior.spread @ rng.standard_normal(prior.spread.shape[1])
        yield label + (basis @ delta).reshape(68, 2)
