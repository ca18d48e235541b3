"""Training a cascade level by level: statistics, basis, regressor, propagation (method.md, 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from facetrack.features.basis import BasisStatistics
from facetrack.features.descriptors import DESCRIPTOR_SIZE, describe
from facetrack.features.maps import DEFAULT_MAPS, MapBuilder, MapSpec
from facetrack.learning.prior import LevelPrior
from facetrack.regression.cascade import Cascade, Level
from facetrack.regression.continuous import RegressionSums
from facetrack.regression.expansion import N_SHAPES, differences, remainders, shifted
from facetrack.training.frames import TrainingFrames
from facetrack.training.methods import (
    SPREAD,
    Continuous,
    LevelStatistics,
    Method,
    Reads,
    with_constant,
)

Array = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

_DIRECTIONS: Final = 12  # of displacement, in which a person is learned continuously
_CHUNK: Final = 256  # frames per matrix product: large enough for BLAS, small enough for memory
_CHUNK_READINGS: Final = _CHUNK * N_SHAPES  # where frames are read at more shapes
_PART_FRAMES: Final = 1500  # second moments of differences converge long before the regressor does


@dataclass(frozen=True, slots=True)
class LevelPlan:
    """What a level reads: a set of maps, the cells' spacing in pixels, dimensions per landmark."""

    map_index: int
    spacing: float
    k: int


@dataclass(frozen=True, slots=True)
class CascadePlan:
    """The settings of a cascade's training."""

    levels: tuple[LevelPlan, ...]
    maps: tuple[MapSpec, ...] = DEFAULT_MAPS
    method: Method = field(default_factory=Continuous)  # how the sums are filled
    ridge: float = 3e-4  # lambda in units of the Gram matrix' mean diagonal
    step: float = 1.15  # difference step, of the level's rms displacement per axis (method.md, 2.5)


@dataclass(frozen=True, slots=True)
class TrainedCascade:
    """What the training of a cascade gives."""

    cascade: Cascade
    priors: tuple[LevelPrior, ...]  # what every level knows of all people, for learning single ones
    ends: Array  # (N, 68, 2), pixels of the reference frame


def train_cascade(
    frames: TrainingFrames,
    basis: Array,
    plan: CascadePlan,
    *,
    rng: np.random.Generator,
    threads: int = 2,
    like: Cascade | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> TrainedCascade:
    """Train a cascade whose shapes move along `basis`, (136, m), orthonormal.

    From a cascade of the same plan, `like`, reductions of the descriptors are taken over, so that
    the features of both mean the same.
    """
    levels: list[Level] = []
    priors: list[LevelPrior] = []
    # BLAS' own threads wait for each other actively: on a busy machine they cost tenfold
    with threadpool_limits(1):
        for number in range(len(plan.levels)):
            model = None if like is None else like.levels[number]
            level, prior, frames = _train_level(number, frames, basis, plan, rng, threads, model)
            levels.append(level)
            priors.append(prior)
            error = np.linalg.norm(frames.starts - frames.truths, axis=2).mean()
            report(f"level {number + 1}: mean error {error:.3f} px of the reference frame")
    cascade = Cascade(plan.maps, basis.astype(np.float32), tuple(levels))
    return TrainedCascade(cascade, tuple(priors), frames.starts)


def _train_level(
    number: int,
    frames: TrainingFrames,
    basis: Array,
    plan: CascadePlan,
    rng: np.random.Generator,
    threads: int,
    like: Level | None,
) -> tuple[Level, LevelPrior, TrainingFrames]:
    """Train one level and move the frames' shapes by it."""
    level = plan.levels[number]
    statistics = _statistics(frames, basis, plan.step)
    reader = _Reader(frames, plan.maps[level.map_index], level.spacing, threads)
    around = _read_around(reader, statistics)
    if like is None:
        projection, centre = _choose_basis(around, statistics, level.k)
    else:
        projection, centre = like.basis, like.offset

    sums = RegressionSums(68 * level.k + 1, basis.shape[1])
    reduced = ((chosen, _project(read, projection) - centre) for chosen, read in around)
    weight = len(frames) / sum(len(chosen) for chosen, _ in around)
    read = _reads(reader, (projection, centre))
    plan.method.add_around(sums, reduced, statistics, weight, read)
    current = np.empty((len(frames), 68 * level.k + 1), dtype=np.float32)
    seeds = rng.integers(2**63, size=len(frames))  # a generator per frame: threads cannot reorder

    def shapes(index: int) -> tuple[Array, Array]:
        own = np.random.default_rng(seeds[index])
        return plan.method.shapes(frames.starts[index], frames.truths[index], statistics, own)

    everything = np.arange(len(frames))
    for chosen, readings, displacements in reader.read(everything, shapes, (projection, centre)):
        plan.method.add(sums, readings, displacements, chosen, statistics)
        current[chosen] = with_constant(readings[:, 0])
    regressor = sums.solve(ridge=plan.ridge).astype(np.float32)
    moved = frames.starts - ((current @ regressor.T) @ basis.T).reshape(-1, 68, 2)
    shrink = plan.maps[level.map_index].shrink
    trained = Level(level.map_index, shrink, level.spacing, projection, centre, regressor)
    prior = LevelPrior.from_sums(
        number,
        sums.regularised(plan.ridge) / len(frames),
        _principal(SPREAD * statistics.covariance),
        statistics.step,
    )
    return trained, prior, frames.with_starts(moved)


def _principal(covariance: Array) -> Array:
    """Give the root of a covariance along its largest principal directions, (m, r)."""
    values, vectors = np.linalg.eigh(covariance)
    root: Array = vectors[:, -_DIRECTIONS:] * np.sqrt(np.maximum(values[-_DIRECTIONS:], 0))
    return root


def _statistics(frames: TrainingFrames, basis: Array, step: float) -> LevelStatistics:
    """Measure how far the current shapes lie from the truth, and choose the difference step."""
    deltas = (frames.starts - frames.truths).reshape(len(frames), -1) @ basis
    mean = deltas.mean(axis=0)
    covariance = np.cov(deltas.T, bias=True) + 1e-6 * np.eye(len(mean))
    rms = float(np.sqrt(np.trace(basis @ (covariance + np.outer(mean, mean)) @ basis.T) / 136))
    return LevelStatistics(basis, deltas, mean, covariance, step * rms)


def _read_around(reader: _Reader, statistics: LevelStatistics) -> list[tuple[Indices, Features]]:
    """Read a part of the frames at their current shapes, at the truths and around them."""
    frames = reader.frames
    # an odd stride: mirrored copies stand beside their originals
    part = np.arange(0, len(frames), len(frames) // _PART_FRAMES | 1)

    def shapes(index: int) -> tuple[Array, Array]:
        own = shifted(frames.starts[index], frames.truths[index], statistics.step)
        return own, np.empty((6, 0))

    return [(chosen, readings) for chosen, readings, _ in reader.read(part, shapes)]


def _choose_basis(
    around: list[tuple[Indices, Features]], statistics: LevelStatistics, k: int
) -> tuple[Features, Features]:
    """Choose the level's reduction from a part of the frames."""
    moments = BasisStatistics(68, DESCRIPTOR_SIZE)
    for chosen, readings in around:
        gradients = differences(readings, statistics.step)
        left_over = remainders(readings, gradients, statistics.moves(chosen))
        moments.add(readings[:, 1], gradients, left_over, statistics.spread)
    return moments.solve(k)


class _Reader:
    """Reads the descriptors of many frames at several shapes each, in order, on several threads."""

    def __init__(self, frames: TrainingFrames, spec: MapSpec, spacing: float, threads: int) -> None:
        self.frames = frames
        self._spec, self._spacing, self._threads = spec, spacing, threads

    def read(
        self,
        chosen: Indices,
        shapes: Callable[[int], tuple[Array, Array]],
        reduction: tuple[Features, Features] | None = None,
    ) -> Iterator[tuple[Indices, Features, Array]]:
        """Yield chunks: frames, readings (n, S, 68, k or 128), displacements (n, S, ...)."""

        def read(part: Indices) -> tuple[Indices, Features, Array]:
            readings, displacements = self._read_chunk(part, shapes)
            if reduction is not None:
                readings = _project(readings, reduction[0]) - reduction[1]
            return part, readings, displacements

        n_shapes = len(shapes(int(chosen[0]))[0])
        size = max(1, min(_CHUNK, _CHUNK_READINGS // n_shapes))
        parts = [chosen[i : i + size] for i in range(0, len(chosen), size)]
        with ThreadPoolExecutor(self._threads) as pool:
            # submit a window of chunks, so that finished ones do not pile up in memory
            pending = []
            for part in parts:
                pending.append(pool.submit(read, part))
                if len(pending) > self._threads:
                    yield pending.pop(0).result()
            for future in pending:
                yield future.result()

    def _read_chunk(
        self, part: Indices, shapes: Callable[[int], tuple[Array, Array]]
    ) -> tuple[Features, Array]:
        builder = MapBuilder((self._spec,), size=self.frames.patches.shape[1])
        readings, displacements = [], []
        for index in part:
            maps = builder.build(self.frames.patches[index])[0]
            where, moved = shapes(int(index))
            flat = describe(
                maps, where.reshape(-1, 2), spacing=self._spacing, shrink=self._spec.shrink
            )
            readings.append(flat.reshape(len(where), 68, DESCRIPTOR_SIZE))
            displacements.append(moved)
        return np.stack(readings), np.stack(displacements)


def _reads(reader: _Reader, reduction: tuple[Features, Features]) -> Reads:
    """Give methods a way to read frames at shapes of their own."""
    frames = reader.frames

    def read(
        chosen: Indices, where: Callable[[Array, Array], Array]
    ) -> Iterator[tuple[Indices, Features]]:
        def shapes(index: int) -> tuple[Array, Array]:
            found = where(frames.starts[index], frames.truths[index])
            return found, np.empty((len(found), 0))

        for part, readings, _ in reader.read(chosen, shapes, reduction):
            yield part, readings

    return read


def _project(readings: Features, projection: Features) -> Features:
    """Reduce descriptors per landmark: (n, S, 68, 128) -> (n, S, 68, k)."""
    n, s, landmarks, size = readings.shape
    by_landmark = readings.reshape(n * s, landmarks, size).transpose(1, 0, 2)
    reduced = np.ascontiguousarray((by_landmark @ projection).transpose(1, 0, 2))
    return reduced.reshape(n, s, landmarks, -1)
