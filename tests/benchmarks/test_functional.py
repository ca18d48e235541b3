"""Functional regression and assumed covariances, which continuous regression is compared with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from benchmarks.ablation import functional
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.regression.continuous import RegressionSums
from facetrack.training.methods import CommonMean, LevelStatistics

K, M, N = 2, 6, 40
D = 68 * K + 1


@pytest.fixture(scope="module")
def statistics(shipped_model) -> LevelStatistics:
    rng = np.random.default_rng(0)
    shape_model: ShapeModel = shipped_model.shape_model
    root = rng.normal(size=(M, M))
    covariance = 2 * (root @ root.T / M + 0.3 * np.eye(M))
    mean = rng.normal(size=M)
    return LevelStatistics(shape_model.basis[:, :M], np.zeros((N, M)), mean, covariance, step=1.3)


class World:
    """Frames whose features are given functions of the landmarks' displacement."""

    def __init__(self, curvature: float) -> None:
        rng = np.random.default_rng(1)
        self.truths = rng.normal(0, 20, (N, 68, 2))
        self.at_truth = rng.normal(size=(N, 68, K))
        self.slopes = rng.normal(0, 0.5, size=(N, 68, 2, K))
        self.curvature = curvature

    def readings(self, index: int, shapes: np.ndarray) -> np.ndarray:
        moved = shapes - self.truths[index]
        change = np.einsum("sna,nak->snk", moved, self.slopes[index])
        bent = self.curvature * (moved**2).sum(axis=2)[..., None]
        return np.asarray(self.at_truth[index] + change + bent, dtype=np.float32)

    def sums(self, method, statistics: LevelStatistics) -> RegressionSums:
        sums, rng = RegressionSums(D, M), np.random.default_rng(2)
        everything = np.arange(N)

        def read(chosen, where):
            for index in chosen:
                shapes = where(self.truths[index], self.truths[index])
                yield np.array([index]), self.readings(index, shapes)[None]

        around = [(everything, np.zeros((N, 6, 68, K), np.float32))]
        method.add_around(sums, around, statistics, 1.0, read)
        read_at = [
            self.readings(i, method.shapes(self.truths[i], self.truths[i], statistics, rng)[0])
            for i in range(N)
        ]
        method.add(sums, np.stack(read_at), np.zeros((N, 1, M)), everything, statistics)
        return sums


def test_splines_of_affine_features_give_the_closed_form(statistics, monkeypatch) -> None:
    monkeypatch.setattr(functional, "_EVERY", 1)
    world = World(0)
    ours = world.sums(functional.Functional("splines"), statistics)
    theirs = world.sums(CommonMean(remainder=0), statistics)
    assert_allclose(ours.gram, theirs.gram, atol=1e-4 * np.abs(theirs.gram).max())
    assert_allclose(ours.cross, theirs.cross, atol=1e-4 * np.abs(theirs.cross).max())


def test_curved_features_lie_at_their_mean(statistics, monkeypatch) -> None:
    """The mean of |d|^2 over d = B (mu + L z) is |B mu|^2 + trace(B Sigma B^T), by landmark."""
    monkeypatch.setattr(functional, "_EVERY", 1)
    flat, bent = (World(c).sums(functional.Functional("splines"), statistics) for c in (0, 0.1))
    second = statistics.covariance + np.outer(statistics.mean, statistics.mean)
    rows = statistics.basis.reshape(68, 2, M)
    expected = 0.1 * np.einsum("nam,mp,nap->n", rows, second, rows)
    found = ((bent.gram - flat.gram)[-1, :-1] / N).reshape(68, K)
    assert_allclose(found, np.repeat(expected[:, None], K, axis=1), rtol=1e-3)


def test_a_fourier_series_expands_waves_exactly() -> None:
    z = np.linspace(-2, 2, 9)
    fit = np.linalg.pinv(functional.fourier(functional.NODES))
    wave = lambda x: 1 + np.sin(np.pi * x / 2) - 2 * np.cos(np.pi * x)  # noqa: E731
    assert_allclose(functional.fourier(z) @ (fit @ wave(functional.NODES)), wave(z), atol=1e-9)


def test_assumed_covariances_are_the_closed_form_with_others(statistics) -> None:
    from dataclasses import replace

    world = World(0)
    cases: list[tuple[Any, Any, float]] = [("diagonal", statistics.mean, 1), ("uniform", 0, 4 / 3)]
    for kind, mean, factor in cases:
        diagonal = factor * np.diag(np.diag(statistics.covariance))
        assumed = replace(statistics, covariance=diagonal, mean=mean * np.ones(M))
        ours = world.sums(functional.Assumed(0, kind), statistics)
        theirs = world.sums(CommonMean(remainder=0), assumed)
        assert_allclose(ours.gram, theirs.gram, atol=1e-6 * np.abs(theirs.gram).max())
        assert_allclose(ours.cross, theirs.cross, atol=1e-6 * np.abs(theirs.cross).max())
