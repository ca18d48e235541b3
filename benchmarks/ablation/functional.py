"""What continuous regression is compared with: functional regression, and other covariances.

Functional regression writes every feature as a function of the displacement, in a basis: here in
one dimension at a time, along the columns of the covariance's factor, since the product of one
basis for each of m dimensions has no end. First-order Taylor expansions are the basis 1, z.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy.interpolate import BSpline

from facetrack.regression.continuous import RegressionSums
from facetrack.training.methods import CommonMean, LevelStatistics, Reads, with_constant

Array = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

REACH: Final = 2.0  # standard deviations, on either side
NODES: Final = np.linspace(-REACH, REACH, 7)  # where a feature is read, the middle among them
_MIDDLE: Final = len(NODES) // 2
_KNOTS: Final = np.linspace(-REACH, REACH, 5)
_HARMONICS: Final = (1, 2)
_QUADRATURE: Final = 400
_EVERY: Final = 8  # of the frames that tell second moments: each brings a sample for every column


def splines(z: Array) -> Array:
    """Give cubic B-splines on five knots, shape (len(z), 7)."""
    knots = np.concatenate([[-REACH] * 3, _KNOTS, [REACH] * 3])
    design: Array = BSpline.design_matrix(z, knots, 3).toarray()
    return design


def fourier(z: Array) -> Array:
    """Give a Fourier series of two harmonics, one period in all, shape (len(z), 5)."""
    angles = [h * np.pi * z / REACH for h in _HARMONICS]
    waves = [wave(angle) for angle in angles for wave in (np.cos, np.sin)]
    return np.stack([np.ones_like(z), *waves], axis=1)


@dataclass(slots=True)
class Functional:
    """Functional regression around the truth, one mean and covariance for all frames.

    Attributes
    ----------
    basis : {"splines", "fourier"}

    Notes
    -----
    delta = mu + L z, L L^T the covariance; the features are f(0) + sum_j (f_j(z_j) - f_j(0)), f_j
    fitted to readings at `NODES` along column j. The z_j are independent; their density is the half
    ellipse over +-2, whose variance is 1, so that mean and covariance are the closed form's. The
    mean's displacement by curvature is taken as its average over a part of the frames.
    """

    basis: Literal["splines", "fourier"]
    _shift: Features | None = None

    def shapes(
        self, current: Array, truth: Array, statistics: LevelStatistics, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Read at the current shape and at the mean."""
        return np.stack([current, _at_mean(truth, statistics)]), np.empty((2, 0))

    def add(
        self,
        sums: RegressionSums,
        readings: Features,
        displacements: Array,
        chosen: Indices,
        statistics: LevelStatistics,
    ) -> None:
        """Add the frames at the mean, displaced by the features' curvature."""
        assert self._shift is not None  # from `add_around`, which comes first
        targets = np.tile(statistics.mean, (len(chosen), 1))
        sums.add_sampled(with_constant(readings[:, 1] + self._shift), targets)

    def add_around(
        self,
        sums: RegressionSums,
        around: Iterable[tuple[Indices, Features]],
        statistics: LevelStatistics,
        weight: float,
        read: Reads | None = None,
    ) -> None:
        """Add what the features' expansions say of the spread."""
        assert read is not None  # training gives it
        part = np.concatenate([chosen for chosen, _ in around])
        chosen = part[::_EVERY]
        weight *= len(part) / len(chosen)
        values, vectors = np.linalg.eigh(statistics.covariance)
        root = vectors * np.sqrt(np.maximum(values, 0))
        moves = _moves(statistics.basis @ root)
        spread, curved, slope = moments(self.basis)
        total = np.zeros(sums.gram.shape[0] - 1)
        for _, readings in read(chosen, lambda _, truth: _at_mean(truth, statistics) + moves):
            seen = _along(readings, root.shape[1])  # (n, m, nodes, d)
            rows = np.einsum("rq,nmqd->nmrd", spread, seen, optimize=True)
            rows = rows.reshape(-1, rows.shape[-1])
            sums.gram[:-1, :-1] += weight * (rows.T @ rows)
            sums.cross[:, :-1] += weight * (root @ np.einsum("q,nmqd->md", slope, seen))
            total += np.einsum("q,nmqd->d", curved, seen)
        per_frame = (total / len(chosen)).astype(np.float32)
        self._shift = per_frame.reshape(68, -1)


def moments(basis: Literal["splines", "fourier"]) -> tuple[Features, Features, Features]:
    """Give what turns readings at the nodes into moments of the expansion.

    Returns
    -------
    spread : ndarray, shape (r, nodes), float32
        The features' covariance along one column is the sum of squares of these.
    curved, slope : ndarray, shape (nodes,), float32
        Their mean less their value in the middle, and the mean of their product with z.
    """
    functions = {"splines": splines, "fourier": fourier}[basis]
    angles = np.pi * np.arange(1, _QUADRATURE + 1) / (_QUADRATURE + 1)
    z = REACH * np.cos(angles)  # Gauss' rule for the half ellipse
    density = 2 / (_QUADRATURE + 1) * np.sin(angles) ** 2
    at, fit = functions(z), np.linalg.pinv(functions(NODES))
    mean = density @ at
    values, vectors = np.linalg.eigh((at - mean).T @ (density[:, None] * (at - mean)))
    kept = values > 1e-12
    root = vectors[:, kept] * np.sqrt(values[kept])
    middle = functions(np.zeros(1))[0]
    found = root.T @ fit, (mean - middle) @ fit, ((density * z) @ at) @ fit
    spread, curved, slope = (part.astype(np.float32) for part in found)
    return spread, curved, slope


def _at_mean(truth: Array, statistics: LevelStatistics) -> Array:
    moved: Array = truth + (statistics.basis @ statistics.mean).reshape(68, 2)
    return moved


def _moves(columns: Array) -> Array:
    """List displacements: none, then the outer nodes along each column."""
    outer = np.delete(NODES, _MIDDLE)
    along = (columns.T[:, None] * outer[:, None]).reshape(-1, 68, 2)
    return np.concatenate([np.zeros((1, 68, 2)), along])


def _along(readings: Features, n_columns: int) -> Features:
    """Sort readings at the `_moves` by column and node, (n, m, nodes, d)."""
    flat = readings.reshape(len(readings), readings.shape[1], -1)
    outer = flat[:, 1:].reshape(len(flat), n_columns, len(NODES) - 1, -1)
    middle = np.broadcast_to(flat[:, None, :1], (*outer.shape[:2], 1, outer.shape[-1]))
    before, after = outer[:, :, :_MIDDLE], outer[:, :, _MIDDLE:]
    return np.concatenate([before, middle, after], axis=2)


@dataclass(frozen=True, slots=True)
class Assumed(CommonMean):
    """The papers' closed form with a covariance that is assumed instead of the measured one.

    Attributes
    ----------
    kind : {"uniform", "diagonal"}
        "uniform": independent, within two standard deviations of no displacement; "diagonal": the
        measured mean and variances without their correlations.
    """

    kind: Literal["uniform", "diagonal"] = "diagonal"

    def add(
        self,
        sums: RegressionSums,
        readings: Features,
        displacements: Array,
        chosen: Indices,
        statistics: LevelStatistics,
    ) -> None:
        """Add the frames as if their displacements were so."""
        variances = np.diag(statistics.covariance)
        covariance = np.diag(variances)
        mean = statistics.mean
        if self.kind == "uniform":
            covariance, mean = np.diag(REACH**2 * variances / 3), np.zeros_like(mean)
        assumed = replace(statistics, covariance=covariance, mean=mean)
        CommonMean.add(self, sums, readings, displacements, chosen, assumed)
