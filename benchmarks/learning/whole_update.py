"""What one more labelled frame costs on all levels that learn: iCCR, its rivals, retraining."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.linalg

from benchmarks.learning.learners import draw
from facetrack.fitting.face_model import FaceModel
from facetrack.learning.learner import Start, columns_of
from facetrack.regression.incremental import (
    IncrementalRegressor,
    Matrix,
    learn_sampled,
    learn_sampled_literally,
)

_TURNS: Final = 9
_AT_ONCE: Final = 100  # stored frames whose columns are summed at once


@dataclass(frozen=True, slots=True)
class WholeUpdate:
    """What one more labelled frame costs, features included, all levels that learn, float64.

    Attributes
    ----------
    levels, features, modes, frames : int
        How many levels learn, d, m, and the stored frames that retraining goes through.
    continuous, literal, ordered, retrained : float
        Shortest CPU time in milliseconds of iCCR, of iSDM with K samples in the order in which it
        is written and in the best one, and of solving anew from the stored samples and the frame's.
    """

    levels: int
    features: int
    modes: int
    frames: int
    continuous: float
    literal: float
    ordered: float
    retrained: float


def time_whole_update(model: FaceModel, start: Start) -> WholeUpdate:
    """Time what one more labelled frame costs in four ways, in turn.

    Parameters
    ----------
    model : FaceModel
    start : Start
        The frame.

    Returns
    -------
    WholeUpdate
        Retraining is timed once. Of stored samples only the number counts, not the values: r + 2
        columns of each picture that the model was trained on and of its mirror image.
    """
    cascade, rng = model.tracking, np.random.default_rng(0)
    stored = 2 * int(model.card.get("n_pictures", 0))
    levels = [(cascade.levels[prior.number], prior) for prior in model.priors]
    regressors = [level.regressor.astype(np.float64) for level, _ in levels]
    inverses = [_whole(prior.inverse()) for _, prior in levels]
    learned = [IncrementalRegressor(*pair) for pair in zip(regressors, inverses, strict=True)]

    def continuous(frame: Start) -> None:
        for (level, prior), regressor in zip(levels, learned, strict=True):
            regressor.learn(*columns_of(level, prior, frame, cascade.basis))
            regressor.settle()

    def sampled(learn: Callable[..., object], frame: Start) -> None:
        for (level, prior), regressor, inverse in zip(levels, regressors, inverses, strict=True):
            learn(regressor, inverse, *draw(level, prior, frame, cascade.basis, rng))

    def retrained(frame: Start) -> None:
        for level, prior in levels:
            _solve_stored(*columns_of(level, prior, frame, cascade.basis), stored)

    ways: dict[str, tuple[Callable[[Start], None], int]] = {
        "continuous": (continuous, _TURNS),
        "literal": (partial(sampled, learn_sampled_literally), _TURNS),
        "ordered": (partial(sampled, learn_sampled), _TURNS),
        "retrained": (retrained, 1),
    }
    times: dict[str, list[int]] = {name: [] for name in ways}
    for turn in range(_TURNS):
        for name, (way, turns) in ways.items():
            if turn < turns:
                frame = replace(start, patch=start.patch.copy())  # its maps are built anew
                begin = time.process_time_ns()
                way(frame)
                times[name].append(time.process_time_ns() - begin)
    m, d = regressors[-1].shape
    shortest = {name: min(values) / 1e6 for name, values in times.items()}
    return WholeUpdate(levels=len(levels), features=d, modes=m, frames=stored, **shortest)


def _whole(lower: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Fill in the upper triangle."""
    lower = np.tril(lower)
    return lower + np.tril(lower, -1).T


def _solve_stored(columns: Matrix, targets: Matrix, stored: int) -> Matrix:
    """Solve from as many blocks of columns as there are stored frames, and one more."""
    e, y = np.tile(columns.astype(np.float64), _AT_ONCE), np.tile(targets, _AT_ONCE)
    (syrk,) = scipy.linalg.get_blas_funcs(("syrk",), (e,))
    gram, cross = np.eye(len(e), order="F"), y @ e.T
    for _ in range(-(-stored // _AT_ONCE)):
        gram = syrk(1.0, e, beta=1.0, c=gram, lower=1, overwrite_c=1)
        cross += y @ e.T
    solved: Matrix = scipy.linalg.solve(gram, cross.T, assume_a="pos", lower=True).T
    return solved
