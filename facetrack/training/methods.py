"""How a level's regression sums are filled: continuous regression, or samples as in SDM.

All read descriptors of every training frame at one or more shapes; what differs is which shapes,
and how the readings enter the sums. The first shape is always the frame's current one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from facetrack.regression.continuous import RegressionSums
from facetrack.regression.expansion import differences, remainders, shifted

Array = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]
# Reads chosen frames once more, at the shapes (S, 68, 2) that a function of current shape and truth
# gives: chunks of frames with their reduced readings (n, S, 68, k).
Reads = Callable[
    [npt.NDArray[np.int64], Callable[[Array, Array], Array]],
    Iterator[tuple[npt.NDArray[np.int64], Features]],
]

SPREAD: Final = 0.4  # of the level's covariance, over which the regression is continuous


@dataclass(frozen=True, slots=True)
class LevelStatistics:
    """How far the current shapes of a level lie from the truth."""

    basis: Array  # (136, m), directions in which shapes may move
    deltas: Array  # (N, m), displacement of every training frame
    mean: Array
    covariance: Array
    step: float  # half the distance of differenced positions, pixels of the frame

    @property
    def spread(self) -> Array:
        """Second moments of each landmark's displacement, shape (68, 2, 2), square pixels."""
        second = self.covariance + np.outer(self.mean, self.mean)
        rows = self.basis.reshape(68, 2, -1)
        moments: Array = np.einsum("nam,mp,nbp->nab", rows, second, rows, optimize=True)
        return moments

    def moves(self, chosen: npt.NDArray[np.int64]) -> Features:
        """Displacements of the landmarks that the basis can say, shape (len(chosen), 68, 2)."""
        moved = self.deltas[chosen] @ self.basis.T
        return moved.reshape(len(chosen), 68, 2).astype(np.float32)


class Method(Protocol):
    """A way to fill the sums of a level."""

    def shapes(
        self, current: Array, truth: Array, statistics: LevelStatistics, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Give the shapes (S, 68, 2) at which a frame is read, and their displacements (S, m)."""

    def add(
        self,
        sums: RegressionSums,
        readings: Features,
        displacements: Array,
        chosen: npt.NDArray[np.int64],
        statistics: LevelStatistics,
    ) -> None:
        """Add the reduced readings (N, S, 68, k) of the chosen frames to the sums."""

    def add_around(
        self,
        sums: RegressionSums,
        around: Iterable[tuple[npt.NDArray[np.int64], Features]],
        statistics: LevelStatistics,
        weight: float,
        read: Reads | None = None,
    ) -> None:
        """Add what a part of the frames says, each of which stands for `weight` frames.

        `around` gives some frames at a time, and their readings (n, 6, 68, k) at the `shifted`
        shapes; `read` reads frames at other shapes.
        """
        return  # by default `add` has said everything


@dataclass(frozen=True, slots=True)
class Continuous:
    """Continuous regression around each frame's own current shape.

    Every frame is read once, at its current shape. What the spread around it and the remainders add
    are second moments over all frames, which a part of them tells well enough: the part whose
    differences were read for the basis. `spread` is Sigma of the integral in units of the level's
    covariance, the neighbourhood over which the regression is continuous; the frames' own
    displacements, which a common mean would forget, carry what the levels before could not correct.
    `remainder` weighs the Taylor remainders' covariance (method.md, equation 3').
    """

    spread: float = SPREAD
    remainder: float = 3.0

    def shapes(
        self, current: Array, truth: Array, statistics: LevelStatistics, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Read at the current shape."""
        return current[None], ((current - truth).ravel() @ statistics.basis)[None]

    def add(
        self,
        sums: RegressionSums,
        readings: Features,
        displacements: Array,
        chosen: npt.NDArray[np.int64],
        statistics: LevelStatistics,
    ) -> None:
        """Add the frames at their own means (method.md, 3.4)."""
        sums.add_sampled(with_constant(readings[:, 0]), displacements[:, 0])

    def add_around(
        self,
        sums: RegressionSums,
        around: Iterable[tuple[npt.NDArray[np.int64], Features]],
        statistics: LevelStatistics,
        weight: float,
        read: Reads | None = None,
    ) -> None:
        """Add the spread around the means and the remainders (method.md, equations 2 and 3')."""
        covariance = self.spread * statistics.covariance
        for chosen, readings in around:
            gradients = differences(readings, statistics.step)
            left_over = remainders(readings, gradients, statistics.moves(chosen))
            sums.add_spread(gradients, statistics.basis, covariance, weight=weight)
            sums.add_remainder(left_over.reshape(len(chosen), -1), weight=self.remainder * weight)


@dataclass(frozen=True, slots=True)
class CommonMean(Method):
    """Continuous regression as the papers have it: one mean and covariance for all frames."""

    remainder: float = 1.0  # weight of the Taylor remainders' covariance; the papers have none (0)

    def shapes(
        self, current: Array, truth: Array, statistics: LevelStatistics, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Read at the current shape, at the truth and around it."""
        return shifted(current, truth, statistics.step), np.empty((6, 0))

    def add(
        self,
        sums: RegressionSums,
        readings: Features,
        displacements: Array,
        chosen: npt.NDArray[np.int64],
        statistics: LevelStatistics,
    ) -> None:
        """Add the frames with the common mean (method.md, equations 2 and 3')."""
        gradients = differences(readings, statistics.step)
        left_over = remainders(readings, gradients, statistics.moves(chosen))
        mean = (statistics.basis @ statistics.mean).reshape(68, 2).astype(np.float32)
        at_mean = readings[:, 1] + gradients[:, 0] * mean[:, :1] + gradients[:, 1] * mean[:, 1:]
        sums.add_continuous(
            with_constant(at_mean),
            gradients,
            statistics.basis,
            np.tile(statistics.mean, (len(chosen), 1)),
            statistics.covariance,
        )
        sums.add_remainder(left_over.reshape(len(chosen), -1), weight=self.remainder)


@dataclass(frozen=True, slots=True)
class Sampled(Method):
    """Sampled regression, SDM (Xiong and De la Torre 2013)."""

    draws: int = 10  # K, samples per frame: the current shape and K - 1 drawn ones

    def shapes(
        self, current: Array, truth: Array, statistics: LevelStatistics, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Draw shapes around the truth from the level's mean and covariance."""
        drawn = rng.multivariate_normal(
            statistics.mean, statistics.covariance, size=self.draws - 1, method="cholesky"
        )
        shapes = truth + (drawn @ statistics.basis.T).reshape(-1, 68, 2)
        own = (current - truth).ravel() @ statistics.basis
        return np.concatenate([current[None], shapes]), np.concatenate([own[None], drawn])

    def add(
        self,
        sums: RegressionSums,
        readings: Features,
        displacements: Array,
        chosen: npt.NDArray[np.int64],
        statistics: LevelStatistics,
    ) -> None:
        """Add every draw as a sample of weight 1 / K."""
        flat = readings.reshape(-1, *readings.shape[2:])
        targets = displacements.reshape(len(flat), -1)
        sums.add_sampled(with_constant(flat), targets, weight=1 / self.draws)


def with_constant(reduced: Features) -> Features:
    """Flatten reduced descriptors and append the constant feature 1."""
    features = np.ones((len(reduced), reduced[0].size + 1), dtype=np.float32)
    features[:, :-1] = reduced.reshape(len(reduced), -1)
    return features
