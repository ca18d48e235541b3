"""The ways to fill a level's sums, on features that are affine in the landmarks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.landmarks.shape_model import ShapeModel
from facetrack.regression.continuous import RegressionSums
from facetrack.regression.expansion import differences, remainders, shifted
from facetrack.training.methods import (
    CommonMean,
    Continuous,
    LevelStatistics,
    Method,
    Sampled,
    with_constant,
)

K, M, N = 2, 6, 12
D = 68 * K + 1


class World(NamedTuple):
    """Frames whose reduced descriptors are x + G (s - truth), landmark by landmark."""

    truths: np.ndarray
    currents: np.ndarray
    at_truth: np.ndarray  # (N, 68, K)
    slopes: np.ndarray  # (N, 68, 2, K)
    statistics: LevelStatistics

    def readings(self, index: int, shapes: np.ndarray) -> np.ndarray:
        moved = shapes - self.truths[index]
        change = np.einsum("sna,nak->snk", moved, self.slopes[index])
        return np.asarray(self.at_truth[index] + change, dtype=np.float32)

    def models(self):
        """D = [x, J] of every frame, the constant feature included."""
        rows = self.statistics.basis.reshape(68, 2, M)
        for x, g in zip(self.at_truth, self.slopes, strict=True):
            jacobian = np.einsum("nak,nam->nkm", g, rows).reshape(-1, M)
            jacobian = np.vstack([jacobian, np.zeros(M)])
            yield np.column_stack([np.append(x.ravel(), 1), jacobian])


@pytest.fixture(scope="module")
def world(shape_model: ShapeModel) -> World:
    rng = np.random.default_rng(0)
    basis = shape_model.basis[:, :M]
    root = rng.normal(size=(M, M))
    covariance = 2 * (root @ root.T / M + 0.3 * np.eye(M))
    mean = rng.normal(size=M)
    deltas = rng.multivariate_normal(mean, covariance, size=N)
    truths = shape_model.mean + rng.normal(0, 2, (N, 68, 2))
    return World(
        truths,
        truths + (deltas @ basis.T).reshape(N, 68, 2),
        rng.normal(size=(N, 68, K)),
        rng.normal(0, 0.5, size=(N, 68, 2, K)),
        LevelStatistics(basis, deltas, mean, covariance, step=1.3),
    )


def _sums(method: Method, world: World) -> RegressionSums:
    sums = RegressionSums(D, M)
    readings, displacements = [], []
    for index in range(N):
        shapes, moved = method.shapes(
            world.currents[index],
            world.truths[index],
            world.statistics,
            np.random.default_rng(index),
        )
        readings.append(world.readings(index, shapes))
        displacements.append(moved)
    chosen = np.arange(N)
    method.add(sums, np.stack(readings), np.stack(displacements), chosen, world.statistics)
    method.add_around(sums, [(chosen, _around(world, chosen))], world.statistics, 1.0)
    return sums


def _around(world: World, chosen: np.ndarray) -> np.ndarray:
    """Readings of some frames at the shifted shapes, (n, 6, 68, K)."""
    step = world.statistics.step
    return np.stack(
        [world.readings(i, shifted(world.currents[i], world.truths[i], step)) for i in chosen]
    )


def _integral(world: World, means: np.ndarray, covariance: np.ndarray):
    """Sum the moments of features and displacements, delta ~ N(mean of the frame, covariance)."""
    gram, cross = np.zeros((D, D)), np.zeros((M, D))
    for model, mean in zip(world.models(), means, strict=True):
        second = np.zeros((M + 1, M + 1))
        second[0, 0] = 1
        second[0, 1:] = second[1:, 0] = mean
        second[1:, 1:] = covariance + np.outer(mean, mean)
        gram += model @ second @ model.T
        cross += second[1:] @ model.T
    return gram, cross


def _agree(sums: RegressionSums, gram: np.ndarray, cross: np.ndarray) -> None:
    assert_allclose(sums.gram, gram, atol=1e-5 * np.abs(gram).max())  # the sums run in float32
    assert_allclose(sums.cross, cross, atol=1e-5 * np.abs(cross).max())
    assert sums.weight == pytest.approx(N)


@pytest.mark.parametrize("remainder", [0.0, 5.0])
def test_a_common_mean_gives_the_textbook_sums(world: World, remainder: float) -> None:
    """Equation (2); affine features leave no remainder to weigh."""
    statistics = world.statistics
    means = np.tile(statistics.mean, (N, 1))
    _agree(_sums(CommonMean(remainder), world), *_integral(world, means, statistics.covariance))


def test_a_part_of_the_frames_stands_for_all(world: World) -> None:
    """Frames that stand for two each add what they would add if each were there twice."""
    chosen, method = np.arange(0, N, 2), Continuous()
    readings = _around(world, chosen)
    once, twice = RegressionSums(D, M), RegressionSums(D, M)
    method.add_around(once, [(chosen, readings)], world.statistics, 2.0)
    method.add_around(twice, [(chosen, readings)] * 2, world.statistics, 1.0)
    assert_allclose(once.gram, twice.gram, atol=1e-5 * np.abs(twice.gram).max())
    assert_allclose(once.cross, twice.cross, atol=1e-5 * np.abs(twice.cross).max())


@pytest.mark.parametrize("spread", [0.4, 1.0])
def test_continuous_regression_integrates_around_each_frame(world: World, spread: float) -> None:
    statistics = world.statistics
    expected = _integral(world, statistics.deltas, spread * statistics.covariance)
    _agree(_sums(Continuous(spread, remainder=3), world), *expected)


def test_the_default_is_continuous_over_four_tenths_of_the_covariance(world: World) -> None:
    """And remainders weigh three times: half of it on the diagonal only."""
    sums, chosen = _sums(Continuous(), world), np.arange(N)
    gram, cross = _integral(world, world.statistics.deltas, 0.4 * world.statistics.covariance)
    _agree(sums, gram, cross)
    curved = _around(world, chosen)
    left_over = np.random.default_rng(3).normal(0, 2, (N, 68, K)).astype(np.float32)
    curved[:, 0] += left_over  # at the current shapes
    straight = sums.gram.copy()
    Continuous(spread=0).add_around(sums, [(chosen, curved)], world.statistics, 1.0)
    flat = left_over.reshape(N, -1).astype(np.float64)
    covariance = 3.0 * flat.T @ flat
    expected = 0.5 * (covariance + np.diag(np.diag(covariance)))
    added = (sums.gram - straight)[:-1, :-1]
    assert_allclose(added, expected, atol=1e-4 * np.abs(expected).max())


def test_without_spread_and_remainder_it_is_least_squares(world: World) -> None:
    sums = _sums(Continuous(spread=0, remainder=0), world)
    at_current = np.stack([world.readings(i, world.currents[i][None])[0] for i in range(N)])
    features = with_constant(at_current).astype(np.float64)
    _agree(sums, features.T @ features, world.statistics.deltas.T @ features)
    ridge = 1e-3
    # least squares with a ridge as additional equations
    weight = np.sqrt(ridge * np.trace(features.T @ features) / D)
    equations = np.vstack([features, weight * np.eye(D)])
    targets = np.vstack([world.statistics.deltas, np.zeros((D, M))])
    expected = np.linalg.lstsq(equations, targets, rcond=None)[0].T
    assert_allclose(sums.solve(ridge=ridge), expected, atol=5e-3 * np.abs(expected).max())


def test_what_is_not_affine_weighs_on_the_gram_matrix_only(world: World) -> None:
    rng = np.random.default_rng(5)
    readings = rng.normal(size=(N, 6, 68, K)).astype(np.float32)
    sums = []
    for remainder in (0.0, 2.0):
        sums.append(RegressionSums(D, M))
        around = [(np.arange(N), readings)]
        Continuous(0.4, remainder).add_around(sums[-1], around, world.statistics, 1.0)
    gradients = differences(readings, world.statistics.step)
    left_over = remainders(readings, gradients, world.statistics.moves(np.arange(N)))
    covariance = left_over.reshape(N, -1).T @ left_over.reshape(N, -1)
    added = sums[1].gram - sums[0].gram
    expected = covariance + np.diag(np.diag(covariance))  # 2 times half full, half diagonal
    assert_allclose(added[:-1, :-1], expected, atol=1e-4 * np.abs(expected).max())
    assert (sums[1].cross == sums[0].cross).all()


def test_differences_and_remainders_of_affine_features(world: World) -> None:
    step = world.statistics.step
    shapes = [shifted(world.currents[i], world.truths[i], step) for i in range(N)]
    readings = np.stack([world.readings(i, shapes[i]) for i in range(N)])
    gradients = differences(readings, step)
    assert_allclose(gradients, world.slopes.transpose(0, 2, 1, 3), atol=1e-5)
    moves = world.statistics.moves(np.arange(N))
    assert_allclose(moves, world.currents - world.truths, atol=1e-5)
    assert_allclose(remainders(readings, gradients, moves), 0, atol=1e-4)


def test_the_spread_is_that_of_the_landmarks(world: World) -> None:
    statistics = world.statistics
    drawn = np.random.default_rng(6).multivariate_normal(
        statistics.mean, statistics.covariance, size=100_000
    )
    moved = (drawn @ statistics.basis.T).reshape(-1, 68, 2)
    for landmark in (0, 30, 67):
        second = moved[:, landmark].T @ moved[:, landmark] / len(moved)
        assert_allclose(statistics.spread[landmark], second, rtol=0.05, atol=0.002)


def test_drawn_displacements_have_the_levels_moments(world: World) -> None:
    statistics, draws = world.statistics, 40_000
    shapes, displacements = Sampled(draws).shapes(
        world.currents[0], world.truths[0], statistics, np.random.default_rng(7)
    )
    assert shapes.shape == (draws, 68, 2)
    assert (shapes[0] == world.currents[0]).all()
    assert_allclose(displacements[0], statistics.deltas[0], atol=1e-9)
    moved = (shapes - world.truths[0]).reshape(draws, -1)
    assert_allclose(moved, displacements @ statistics.basis.T, atol=1e-9)
    drawn = displacements[1:]
    deviation = np.sqrt(np.diag(statistics.covariance))
    assert_allclose(drawn.mean(axis=0), statistics.mean, atol=5 * deviation.max() / np.sqrt(draws))
    scale = np.outer(deviation, deviation)
    assert_allclose(np.cov(drawn.T) / scale, statistics.covariance / scale, atol=0.03)


def test_samples_weigh_as_much_as_their_frame(world: World) -> None:
    draws = 5
    sums = _sums(Sampled(draws), world)
    gram, cross = np.zeros((D, D)), np.zeros((M, D))
    for index in range(N):
        shapes, moved = Sampled(draws).shapes(
            world.currents[index],
            world.truths[index],
            world.statistics,
            np.random.default_rng(index),
        )
        features = with_constant(world.readings(index, shapes)).astype(np.float64)
        gram += features.T @ features / draws
        cross += moved.T @ features / draws
    _agree(sums, gram, cross)


def test_the_constant_comes_last() -> None:
    reduced = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    expected = [[0, 1, 2, 3, 4, 5, 1], [6, 7, 8, 9, 10, 11, 1]]
    assert with_constant(reduced).tolist() == expected
