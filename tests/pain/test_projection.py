"""Projections are those of singular values and of scikit-learn's partial least squares."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from numpy.testing import assert_allclose

from facetrack.pain.projection import fit_projection, fit_supervised

Floats = npt.NDArray[np.float64]


def values(n: int, d: int, *, seed: int = 0) -> Floats:
    """Draw values whose variances fall by a half from one direction to the next."""
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
    return np.asarray(5 + (rng.normal(size=(n, d)) * 2.0 ** -(np.arange(d) / 2)) @ turn)


def principal(v: Floats) -> Floats:
    """Hold 98 % of the variance."""
    _, singular, rows = np.linalg.svd(v - v.mean(axis=0), full_matrices=False)
    share = np.cumsum(singular**2) / (singular**2).sum()
    return np.asarray(rows[: int((share < 0.98).sum()) + 1].T)


@pytest.mark.parametrize(("n", "d"), [(200, 12), (9, 30)])
def test_components_are_those_of_singular_values(n: int, d: int) -> None:
    v = values(n, d)
    found, wanted = fit_projection(v), principal(v)
    assert found.components.shape == wanted.shape
    assert_allclose(np.abs(wanted.T @ found.components), np.eye(wanted.shape[1]), atol=1e-3)
    assert_allclose(found.mean, v.mean(axis=0), rtol=1e-5)
    assert_allclose(found.apply(v[:3]), (v[:3] - v.mean(axis=0)) @ found.components, atol=1e-4)


def test_values_of_other_kinds_count_by_their_own_deviation() -> None:
    v = values(200, 6)
    stretched = v * [1, 100, 0.01, 1, 7, 1]
    for fit in (
        lambda x: fit_projection(x, equal=True),
        lambda x: fit_supervised(x, v[:, 0], np.arange(200) % 4, equal=True),
    ):
        one, other = fit(v).apply(v), fit(stretched).apply(stretched)
        assert_allclose(np.abs(one), np.abs(other), rtol=1e-3, atol=1e-3)


def test_sixty_four_components_are_the_most() -> None:
    v = np.random.default_rng(0).normal(size=(300, 90))
    assert fit_projection(v).components.shape == (90, 64)


def test_directions_of_the_label_are_those_of_partial_least_squares() -> None:
    cross = pytest.importorskip("sklearn.cross_decomposition")
    rng = np.random.default_rng(1)
    subjects = np.arange(240) % 6
    own = values(240, 12, seed=2)
    labels = own @ rng.normal(size=12) + rng.normal(size=240)
    x, y = own.copy(), labels.copy()
    for subject in range(6):
        x[subjects == subject] -= x[subjects == subject].mean(axis=0)
        y[subjects == subject] -= y[subjects == subject].mean()
    wanted = cross.PLSRegression(5, scale=False).fit(x, y).x_weights_
    who = rng.normal(0, 20, (6, 12))[subjects]  # how each looks says nothing
    found = fit_supervised(own + who, labels + subjects, subjects).components
    assert found.shape == (12, 5)
    assert_allclose(np.abs(wanted.T @ found), np.eye(5), atol=2e-2)
