"""What a tracker teaches itself: frames on which heavier fits agree with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Final

import numpy as np
import numpy.typing as npt

from facetrack.face import N_POINTS
from facetrack.features.crops import FRAME_SIZE
from facetrack.learning.learner import Learned, MapReader, Start, columns_of
from facetrack.learning.personal_residual import PersonalResidual
from facetrack.learning.prior import LevelPrior
from facetrack.parallel import one_blas_thread
from facetrack.regression.cascade import Cascade, Level
from facetrack.regression.incremental import IncrementalRegressor

Array = npt.NDArray[np.float64]

WEIGHT: Final = 0.1  # of a frame, in units of the whole training


@dataclass(frozen=True, slots=True)
class SelfExample:
    """One frame's face in the reference frame of the start, grey, and the label fits agreed on.

    Start and label are in pixels of this frame.
    """

    patch: Annotated[npt.NDArray[np.uint8], (FRAME_SIZE, FRAME_SIZE)]
    start: Annotated[Array, (N_POINTS, 2)]
    label: Annotated[Array, (N_POINTS, 2)]


class SelfLearner:
    """Continues from what a person was taught, one frame at a time: iCCR as in the papers.

    `cascade` is the tracking cascade with what corrections taught. Self-examples leave `own` alone,
    because it says what a person's convention is.
    """

    def __init__(
        self,
        cascade: Cascade,
        own: PersonalResidual | None,
        regressors: dict[int, IncrementalRegressor],
        priors: dict[int, LevelPrior],
    ) -> None:
        self._cascade, self._own = cascade, own
        self._regressors, self._priors = regressors, priors
        self._reader = MapReader(cascade)

    @one_blas_thread()
    def learn(self, example: SelfExample) -> Learned:
        """Learn one frame on all levels, each from where the one before leads.

        Raises LearningError if the sums are not positive definite any more.
        """
        everything = np.ones(68, np.bool_)
        start = Start(example.patch, example.start, example.label, everything, self._reader)
        weight = np.float32(np.sqrt(WEIGHT))
        levels: list[Level] = []
        for number, level in enumerate(self._cascade.levels):
            if number in self._regressors:
                e, y = columns_of(level, self._priors[number], start, self._cascade.basis)
                self._regressors[number].learn(weight * e, weight * y)
                level = replace(level, regressor=self._regressors[number].regressor)
            start.advance(level, self._cascade.basis)
            levels.append(level)
        self._cascade = replace(self._cascade, levels=tuple(levels))
        return Learned(self._cascade, self._own)

    @one_blas_thread()
    def settle(self) -> None:
        """Bring the sums up to date: work for a frame in which nothing is learned."""
        for regressor in self._regressors.values():
            regressor.settle()
