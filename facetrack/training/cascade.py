"""Training a cascade level by level: statistics, basis, regressor, propagation (spec section 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from facetrack.features.basis import BasisStatistics
from facetrack.features.descriptors import DESCRIPTOR_SIZE, describe, describe_around
from facetrack.features.maps import DEFAULT_MAPS, MapBuilder, MapSpec
from facetrack.regression.cascade import Cascade, Level
from facetrack.regression.continuous import RegressionSums
from facetrack.training.frames import TrainingFrames

Shapes = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]

_CHUNK = 256  # images per matrix product: large enough for BLAS, small enough for memory
KAPPA, RHO, FOLDS = None, 1.0, 4
_BASIS_IMAGES = 1500  # the basis' second moments converge long before the regressor does


@dataclass(frozen=True, slots=True)
class LevelPlan:
    """What a level reads: a set of maps, the cells' spacing in pixels, dimensions per landmark."""

    map_index: int
    spacing: float
    k: int


@dataclass(frozen=True, slots=True)
class CascadePlan:
    """The settings of a cascade's training.

    Attributes
    ----------
    maps : tuple of MapSpec
    levels : tuple of LevelPlan
    ridge : float
        lambda in units of the Gram matrix' mean diagonal.
    step : float
        Difference step in units of the level's rms displacement per axis (spec 9.4).
    inflation : float
        Factor on the covariance of the levels after the first: the residual on training images is
        smaller than on unseen people (spec 4.3).
    """

    maps: tuple[MapSpec, ...] = DEFAULT_MAPS
    levels: tuple[LevelPlan, ...] = (
        LevelPlan(0, 9.0, 8),
        LevelPlan(0, 7.0, 8),
        LevelPlan(1, 5.5, 8),
        LevelPlan(1, 4.5, 8),
        LevelPlan(1, 4.0, 8),
    )
    ridge: float = 3e-4
    step: float = 1.15
    inflation: float = 1.15


@dataclass(frozen=True, slots=True)
class _Readings:
    """Descriptors of a chunk of frames: at the truth, their differences, at the current shape."""

    rows: slice
    at_truth: Features
    gradients: Features
    at_current: Features


def train_cascade(
    frames: TrainingFrames,
    basis: npt.NDArray[np.float64],
    plan: CascadePlan,
    *,
    threads: int = 2,
    report: Callable[[str], None] = lambda line: None,
) -> tuple[Cascade, Shapes]:
    """Train a cascade by continuous regression.

    Parameters
    ----------
    frames : TrainingFrames
    basis : ndarray, shape (136, m)
        Orthonormal directions in which shapes may move.
    plan : CascadePlan
    threads : int
        Threads that read features.
    report : callable
        Gets one line per level.

    Returns
    -------
    cascade : Cascade
    ends : ndarray, shape (N, 68, 2), float64
        Where the training frames end, pixels of the reference frame.
    """
    levels: list[Level] = []
    # BLAS' own threads wait for each other actively: on a busy machine they cost tenfold
    with threadpool_limits(1):
        for number, level_plan in enumerate(plan.levels):
            inflation = plan.inflation if number else 1.0
            level, frames = _train_level(frames, basis, plan, level_plan, inflation, threads)
            levels.append(level)
            error = np.linalg.norm(frames.starts - frames.truths, axis=2).mean()
            report(f"level {number + 1}: mean error {error:.3f} px of the reference frame")
    return Cascade(plan.maps, basis.astype(np.float32), tuple(levels)), frames.starts


def _train_level(
    frames: TrainingFrames,
    basis: npt.NDArray[np.float64],
    plan: CascadePlan,
    level: LevelPlan,
    inflation: float,
    threads: int,
) -> tuple[Level, TrainingFrames]:
    """Train one level and move the frames' shapes by it."""
    offsets = (frames.starts - frames.truths).reshape(len(frames), -1)
    deltas = offsets @ basis
    mean = deltas.mean(axis=0)
    covariance = np.cov(deltas.T, bias=True) * inflation + 1e-6 * np.eye(len(mean))
    spread = _point_spread(basis, mean, covariance)
    step = plan.step * float(np.sqrt(np.trace(spread, axis1=1, axis2=2).mean() / 2))
    moves = (deltas @ basis.T).reshape(len(frames), -1, 2)
    reader = _Reader(plan.maps, level, step, threads)

    statistics = BasisStatistics(68, DESCRIPTOR_SIZE)
    stride = max(1, len(frames) // _BASIS_IMAGES)
    for part in reader.read(frames, np.arange(0, len(frames), stride)):
        chosen = np.arange(0, len(frames), stride)[part.rows]
        statistics.add(part.at_truth, part.gradients, _remainder(part, moves[chosen]), spread)
    projection, centre = statistics.solve(level.k)

    folds = frames.pictures % FOLDS
    sums = [RegressionSums(68 * level.k + 1, basis.shape[1]) for _ in range(FOLDS)]
    current = np.empty((len(frames), 68 * level.k + 1), dtype=np.float32)
    order = np.argsort(folds, kind="stable")
    for fold in range(FOLDS):
        members = order[folds[order] == fold]
        for part in reader.read(frames, members):
            chosen = members[part.rows]
            reduced = _reduce(part, projection, centre)
            count = len(chosen)
            current[chosen] = np.pad(reduced.at_current.reshape(count, -1), ((0, 0), (0, 1)), constant_values=1)
            remainder = _remainder(reduced, moves[chosen]).reshape(count, -1)
            if KAPPA is None:
                mm = (basis @ mean).reshape(68, 2)[None]
                x = _remainder(_Readings(part.rows, np.zeros_like(reduced.at_truth), -reduced.gradients, reduced.at_truth), np.repeat(mm, count, 0))
                sums[fold].add_continuous(np.pad(x.reshape(count,-1), ((0,0),(0,1)), constant_values=1), reduced.gradients, basis, np.tile(mean, (count,1)), covariance)
                sums[fold].add_remainder(remainder)
            else:
                sums[fold].add_continuous(current[chosen], reduced.gradients, basis, deltas[chosen], KAPPA * covariance)
                sums[fold].add_remainder(np.float32(np.sqrt(RHO)) * remainder)
    total = RegressionSums(68 * level.k + 1, basis.shape[1])
    for s_ in sums: total.gram += s_.gram; total.cross += s_.cross
    regressor = total.solve(ridge=plan.ridge).astype(np.float32)
    moved = frames.starts.copy()
    for fold in range(FOLDS):
        members = folds == fold
        r = regressor
        if FOLDS > 1:
            rest = RegressionSums(68 * level.k + 1, basis.shape[1])
            rest.gram = total.gram - sums[fold].gram; rest.cross = total.cross - sums[fold].cross
            r = rest.solve(ridge=plan.ridge).astype(np.float32)
        moved[members] -= ((current[members] @ r.T) @ basis.T).reshape(-1, 68, 2)
    trained = Level(
        level.map_index,
        plan.maps[level.map_index].shrink,
        level.spacing,
        projection,
        centre,
        regressor,
    )
    return trained, frames.with_starts(moved)


def _point_spread(
    basis: npt.NDArray[np.float64], mean: npt.NDArray[np.float64], covariance: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Second moments of each landmark's displacement, shape (68, 2, 2), square pixels."""
    second = covariance + np.outer(mean, mean)
    rows = basis.reshape(68, 2, -1)
    spread: npt.NDArray[np.float64] = np.einsum("nam,mp,nbp->nab", rows, second, rows, optimize=True)
    return spread


def _remainder(part: _Readings, moves: Shapes) -> Features:
    """Taylor remainder: features at the current shape minus their linear prediction (spec 3.5)."""
    dx = moves[:, :, 0, None].astype(np.float32)
    dy = moves[:, :, 1, None].astype(np.float32)
    return part.at_current - part.at_truth - part.gradients[:, 0] * dx - part.gradients[:, 1] * dy


def _reduce(part: _Readings, projection: Features, centre: Features) -> _Readings:
    """Reduce all descriptors of a chunk; differences lose the mean by themselves."""

    def project(v: Features) -> Features:  # (N, 68, 128) -> (N, 68, k)
        return np.ascontiguousarray((v.transpose(1, 0, 2) @ projection).transpose(1, 0, 2))

    gradients = np.stack([project(part.gradients[:, axis]) for axis in (0, 1)], axis=1)
    return _Readings(
        part.rows, project(part.at_truth) - centre, gradients, project(part.at_current) - centre
    )


class _Reader:
    """Reads the descriptors of many frames, chunk by chunk, in order, on several threads."""

    def __init__(
        self, maps: tuple[MapSpec, ...], level: LevelPlan, step: float, threads: int
    ) -> None:
        self._spec = (maps[level.map_index],)
        self._level, self._step, self._threads = level, step, threads

    def read(
        self, frames: TrainingFrames, chosen: npt.NDArray[np.int64]
    ) -> Iterator[_Readings]:
        chunks = [slice(i, min(i + _CHUNK, len(chosen))) for i in range(0, len(chosen), _CHUNK)]
        with ThreadPoolExecutor(self._threads) as pool:
            # submit a window of chunks, so that finished ones do not pile up in memory
            pending = []
            for rows in chunks:
                pending.append(pool.submit(self._read_chunk, frames, chosen[rows], rows))
                if len(pending) > 2 * self._threads:
                    yield pending.pop(0).result()
            for future in pending:
                yield future.result()

    def _read_chunk(
        self, frames: TrainingFrames, indices: npt.NDArray[np.int64], rows: slice
    ) -> _Readings:
        builder = MapBuilder(self._spec, size=frames.patches.shape[1])
        spacing, shrink = self._level.spacing, self._spec[0].shrink
        n = len(indices)
        at_truth = np.empty((n, 68, DESCRIPTOR_SIZE), dtype=np.float32)
        gradients = np.empty((n, 2, 68, DESCRIPTOR_SIZE), dtype=np.float32)
        at_current = np.empty_like(at_truth)
        for row, index in enumerate(indices):
            maps = builder.build(frames.patches[index])[0]
            at_truth[row], gradients[row] = describe_around(
                maps, frames.truths[index], step=self._step, spacing=spacing, shrink=shrink
            )
            describe(
                maps, frames.starts[index], spacing=spacing, shrink=shrink, out=at_current[row]
            )
        return _Readings(rows, at_truth, gradients, at_current)
