"""The reduction of descriptors: the directions in which a landmark's motion shows."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from facetrack.features.basis import BasisStatistics

N, LANDMARKS, SIZE, K = 400, 2, 6, 2
SPREAD = np.array([[[2.0, 0.5], [0.5, 1.0]], [[1.0, -0.3], [-0.3, 3.0]]])


def world(seed: int = 0) -> list[np.ndarray]:
    """Descriptors, gradients along x and y, remainders; each coordinate has a size of its own."""
    rng = np.random.default_rng(seed)
    sizes = [rng.uniform(0.2, 3, (LANDMARKS, SIZE)) for _ in range(3)]
    descriptors = 2 + sizes[0] * rng.normal(size=(N, LANDMARKS, SIZE))
    gradients = sizes[1] * rng.normal(size=(N, 2, LANDMARKS, SIZE))
    left_over = sizes[2] * rng.normal(size=(N, LANDMARKS, SIZE))
    return [x.astype(np.float32) for x in (descriptors, gradients, left_over)]


def solved(three: list[np.ndarray], k: int = K) -> tuple[np.ndarray, np.ndarray]:
    descriptors, gradients, left_over = three
    statistics = BasisStatistics(LANDMARKS, SIZE)
    half = len(descriptors) // 2
    for part in (slice(0, half), slice(half, None)):
        statistics.add(descriptors[part], gradients[part], left_over[part], SPREAD)
    return statistics.solve(k)


def test_it_maximises_what_motion_changes_over_what_else_does() -> None:
    """The plain twin: the largest eigenvectors of C_n^-1 C_s, made orthonormal."""
    descriptors, gradients, left_over = world()
    basis, offset = solved([descriptors, gradients, left_over])
    for i in range(LANDMARKS):
        g = gradients[:, :, i].astype(float)
        signal = np.einsum("nap,ab,nbq->pq", g, SPREAD[i], g) / N
        nuisance = np.cov(descriptors[:, i].T.astype(float), bias=True)
        nuisance += left_over[:, i].T.astype(float) @ left_over[:, i] / N
        nuisance += 0.03 * np.trace(nuisance) / SIZE * np.eye(SIZE)
        values, vectors = np.linalg.eig(np.linalg.solve(nuisance, signal))
        best = np.linalg.qr(vectors[:, np.argsort(values)[::-1][:K]])[0]
        found = basis[i].astype(float)
        assert_allclose(found @ found.T, best @ best.T, atol=2e-3)  # stored in half precision
    assert_allclose(offset, np.einsum("njk,nj->nk", basis, descriptors.mean(axis=0)), rtol=1e-4)


def test_what_varies_without_motion_is_left_out() -> None:
    """Second moments of descriptors alone would choose the first direction."""
    rng = np.random.default_rng(1)
    descriptors = 0.1 * rng.normal(size=(N, LANDMARKS, SIZE))
    descriptors[..., 0] *= 100
    gradients = 1e-3 * rng.normal(size=(N, 2, LANDMARKS, SIZE))
    gradients[..., 3] = 1
    left_over = np.zeros((N, LANDMARKS, SIZE))
    three = [x.astype(np.float32) for x in (descriptors, gradients, left_over)]
    found = solved(three, k=1)[0]
    assert_allclose(np.abs(found[:, 3, 0]), 1, atol=0.01)


def test_the_basis_is_orthonormal_and_survives_half_precision() -> None:
    basis, _ = solved(world())
    for reduction in basis:
        assert_allclose(reduction.T @ reduction, np.eye(K), atol=2e-3)
    assert (basis == basis.astype(np.float16)).all()
