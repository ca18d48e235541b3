"""What users get when they correct frames, and the sampled rival on the same levels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.learning.teaching import Method
from facetrack.evaluation.footage import (
    Corrections,
    Footage,
    Points,
    examples_of,
    followed,
    taught_tracker,
)
from facetrack.fitting.face_model import FaceModel
from facetrack.learning.example import STARTS, Example
from facetrack.learning.learner import WEIGHT, Learned, Learner, Start
from facetrack.learning.prior import LevelPrior
from facetrack.regression.cascade import Level
from facetrack.regression.expansion import read_frame
from facetrack.regression.incremental import Matrix, learn_sampled

_DRAWS: Final = 10  # K, samples per start, as the papers have it


def learners(model: FaceModel) -> list[Method]:
    """List what learns regressors: the product, each of its parts, the rival alone and with one.

    Parameters
    ----------
    model : FaceModel

    Returns
    -------
    list of Method
    """
    return [
        SampledLearning(model),
        SampledLearning(model, own=True, name="personal residual + iSDM"),
        Facetrack(model, levels=False, name="personal residual alone"),
        Facetrack(model, own=False, name="iCCR alone"),
        Facetrack(model),
    ]


@dataclass(frozen=True, slots=True)
class Facetrack:
    """The tracker taught by the corrections: the same examples, and the clip tracked again.

    Attributes
    ----------
    model : FaceModel
    levels, own : bool
        Whether the last levels of the cascade learn, and whether a level of the person's own
        follows them.
    name : str
    """

    model: FaceModel
    levels: bool = True
    own: bool = True
    name: str = "Facetrack, taught"

    def teach(self, footage: Footage, corrections: Corrections) -> Points:
        """Learn and track again; see `teaching.Method`."""
        examples = examples_of(self.model, footage, corrections)
        priors = self.model.priors if self.levels else ()
        learned = Learner(self.model.tracking, priors, own=self.own).learn(examples)
        return track_again(self.model, examples, learned, footage)


@dataclass(frozen=True, slots=True)
class SampledLearning:
    """Incremental SDM (iSDM): each example's starts and draws around its label, sampled features.

    Attributes
    ----------
    model : FaceModel
        Whose last levels learn, from the same sums and with the same weight per corrected frame.
    own : bool
        Whether the level of the person's own follows them, as it follows those of Facetrack.
    name : str
    """

    model: FaceModel
    own: bool = False
    name: str = "iSDM"

    def teach(self, footage: Footage, corrections: Corrections) -> Points:
        """Learn and track again; see `teaching.Method`."""
        examples = examples_of(self.model, footage, corrections)
        cascade = self.model.tracking
        priors = {prior.number: prior for prior in self.model.priors}
        learner = Learner(cascade, ())
        starts = [start for example in examples for start in self._starts(learner, example)]
        rng = np.random.default_rng(0)
        levels = []
        for number, level in enumerate(cascade.levels):
            if number in priors:
                level = _learn_level(level, priors[number], cascade.basis, starts, rng)
            for start in starts:
                start.advance(level, cascade.basis)
            levels.append(level)
        taught = learner.learn(examples) if self.own else None
        own = None if taught is None else taught.own
        learned = Learned(replace(cascade, levels=tuple(levels)), own)
        return track_again(self.model, examples, learned, footage)

    def _starts(self, learner: Learner, example: Example) -> list[Start]:
        """Return an example's starts, what the residual says taken off their labels."""
        starts = list(learner.starts([example]))
        if self.own:
            ends = [self.model.tracking.run(start.maps, start.shape) for start in starts]
            pairs = zip(starts, ends, strict=True)
            said = np.mean([start.label - end for start, end in pairs], axis=0)
            for start in starts:
                start.label = start.label - said
        return starts


def track_again(
    model: FaceModel, examples: list[Example], learned: Learned | None, footage: Footage
) -> Points:
    """Track footage with what was learned, from its first frame."""
    tracker = taught_tracker(model, examples, learned)
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
        features, targets = draw(level, prior, start, basis, rng)
        regressor, inverse = learn_sampled(regressor, inverse, weight * features, weight * targets)
    return replace(level, regressor=regressor.astype(np.float32))


def draw(
    level: Level,
    prior: LevelPrior,
    start: Start,
    basis: npt.NDArray[np.float32],
    rng: np.random.Generator,
) -> tuple[Matrix, Matrix]:
    """Draw the samples by which iSDM learns one start.

    Parameters
    ----------
    level : Level
    prior : LevelPrior
        Of that level.
    start : Start
        On its way, before this level.
    basis : ndarray, shape (136, m), float32
        The cascade's.
    rng : Generator

    Returns
    -------
    features, targets : ndarray, shapes (d, K) and (m, K)
        Where the start is, and at K - 1 places around its label.
    """
    moves = prior.spread @ rng.standard_normal((_DRAWS - 1, prior.spread.shape[1])).T
    shapes = np.stack([start.shape, *(start.label + (basis @ moves).T.reshape(-1, 68, 2))])
    readings = read_frame(level, start.maps, shapes).reshape(_DRAWS, -1)
    targets: Matrix = basis.T @ (shapes - start.label).reshape(_DRAWS, -1).T
    return np.hstack([readings, np.ones((_DRAWS, 1))]).T, targets
