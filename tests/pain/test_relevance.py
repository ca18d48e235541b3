from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import scipy.linalg
from numpy.testing import assert_allclose

from facetrack.errors import InputError
from facetrack.pain.relevance import (
    RelevanceVectors,
    _Fitting,
    evidence,
    fit_relevance,
    fit_sparse,
    rbf,
)

Floats = npt.NDArray[np.float64]

GAMMA = 1 / 9


def sinc(count: int, noise: float, seed: int) -> tuple[Floats, Floats, Floats]:
    """Give places, the true curve there, and what is measured."""
    x = np.linspace(-10, 10, count)
    curve = np.sinc(x / np.pi)
    measured = curve + np.random.default_rng(seed).normal(0, noise, count)
    return x[:, None], curve, measured


def dense(fitting: _Fitting) -> tuple[Floats, Floats, float]:
    """Compute S, Q and the log evidence by their definitions, from C and all columns."""
    used = fitting.phi[:, fitting.active]
    n = len(fitting.t)
    c = np.eye(n) / fitting.beta + used @ np.diag(1 / fitting.alphas) @ used.T
    solved = np.linalg.solve(c, fitting.phi)
    _, log_determinant = np.linalg.slogdet(c)
    likelihood = -0.5 * (
        n * np.log(2 * np.pi) + log_determinant + fitting.t @ np.linalg.solve(c, fitting.t)
    )
    return (fitting.phi * solved).sum(0), solved.T @ fitting.t, float(likelihood)


def fitting_of(seed: int) -> _Fitting:
    x, _, t = sinc(60, 0.1, seed)
    return _Fitting(rbf(x, x, GAMMA), t)


@pytest.mark.parametrize("seed", [0, 1])
def test_updates_of_rank_one_equal_the_dense_definitions(seed: int) -> None:
    fitting = fitting_of(seed)
    actions = set()
    for step in range(60):
        S, Q, _ = dense(fitting)
        assert_allclose(fitting.S, S, rtol=1e-8, atol=1e-8)
        assert_allclose(fitting.Q, Q, rtol=1e-8, atol=1e-8)
        gain, best = fitting.gains()
        column = int(np.argmax(gain))
        if gain[column] < 1e-9:
            break
        if column not in fitting.active:
            actions.add("add")
        else:
            actions.add("change" if np.isfinite(best[column]) else "delete")
        fitting.take(column, float(best[column]))
        if step % 7 == 6:
            fitting.estimate_noise()
    assert actions == {"add", "change", "delete"}


@pytest.mark.parametrize("seed", [0, 1])
def test_every_step_raises_the_evidence_by_half_its_gain(seed: int) -> None:
    fitting = fitting_of(seed)
    for _ in range(40):
        *_, before = dense(fitting)
        gain, best = fitting.gains()
        column = int(np.argmax(gain))
        if gain[column] < 1e-6:
            break
        fitting.take(column, float(best[column]))
        *_, after = dense(fitting)
        assert after - before == pytest.approx(gain[column] / 2, abs=1e-6)
        assert after > before
    assert len(fitting.active) > 2


def test_taking_a_column_out_changes_the_evidence_as_foreseen() -> None:
    fitting = fitting_of(0)
    useless = int(np.argmin(fitting.Q**2 - fitting.S))
    fitting.add(useless, 1.0)  # no step would do so
    *_, before = dense(fitting)
    gain, best = fitting.gains()
    assert best[useless] == np.inf
    fitting.take(useless, np.inf)
    S, Q, after = dense(fitting)
    assert useless not in fitting.active
    assert after - before == pytest.approx(gain[useless] / 2, abs=1e-9)
    assert_allclose(fitting.S, S, atol=1e-8)
    assert_allclose(fitting.Q, Q, atol=1e-8)


def test_the_first_column_has_its_best_alpha() -> None:
    fitting = fitting_of(0)
    gain, best = fitting.gains()
    (first,) = fitting.active
    assert_allclose(fitting.alphas, best[first])
    assert gain[first] == pytest.approx(0.0, abs=1e-9)
    assert gain.argmax() != first


def test_the_evidence_is_that_of_a_gaussian() -> None:
    rng = np.random.default_rng(3)
    phi, t, alphas, beta = rng.normal(size=(7, 3)), rng.normal(size=7), np.array([0.5, 2, 9.0]), 4.0
    c = np.eye(7) / beta + phi @ np.diag(1 / alphas) @ phi.T
    density = np.exp(-t @ np.linalg.inv(c) @ t / 2) / np.sqrt(np.linalg.det(2 * np.pi * c))
    assert evidence(phi, t, alphas, beta) == pytest.approx(np.log(density))


def test_the_fit_has_the_posterior_of_its_columns_and_a_maximum_of_the_evidence() -> None:
    x, _, t = sinc(80, 0.1, 4)
    phi = rbf(x, x, GAMMA)
    fit = fit_sparse(phi, t)
    used = phi[:, fit.active]
    covariance = np.linalg.inv(fit.beta * used.T @ used + np.diag(fit.alphas))
    assert fit.converged
    assert_allclose(fit.covariance, covariance, rtol=1e-6)
    assert_allclose(fit.weights, fit.beta * covariance @ used.T @ t, rtol=1e-6)
    best = evidence(used, t, fit.alphas, fit.beta)
    for factor in (0.9, 1.1):
        assert evidence(used, t, fit.alphas, fit.beta * factor) < best
        for place in range(len(fit.alphas)):
            alphas = fit.alphas.copy()
            alphas[place] *= factor
            assert evidence(used, t, alphas, fit.beta) < best


def by_expectation(phi: Floats, t: Floats) -> tuple[Floats, float]:
    """Fit all columns at once by Tipping's own iterations (2001, eq. 16 and 18), plainly."""
    alphas, beta = np.ones(phi.shape[1]), 10 / t.var()
    columns = np.arange(phi.shape[1])
    for _ in range(3000):
        used = phi[:, columns]
        sigma = scipy.linalg.inv(beta * used.T @ used + np.diag(alphas))
        mu = beta * sigma @ used.T @ t
        known = 1 - alphas * np.diag(sigma)
        alphas = np.maximum(known, 1e-12) / mu**2
        beta = (len(t) - known.sum()) / ((t - used @ mu) ** 2).sum()
        kept = alphas < 1e6
        columns, alphas = columns[kept], alphas[kept]
    used = phi[:, columns]
    sigma = scipy.linalg.inv(beta * used.T @ used + np.diag(alphas))
    return phi[:, columns] @ (beta * sigma @ used.T @ t), evidence(used, t, alphas, beta)


@pytest.mark.parametrize("noise", [0.1, 0.2])
def test_predictions_agree_with_a_plain_fit_of_all_columns(noise: float) -> None:
    x, _, t = sinc(100, noise, 5)
    phi = rbf(x, x, GAMMA)
    fit = fit_sparse(phi, t)
    wanted, likelihood = by_expectation(phi, t)
    found = phi[:, fit.active] @ fit.weights
    assert np.sqrt(np.mean((found - wanted) ** 2)) < 0.25 * noise
    assert evidence(phi[:, fit.active], t, fit.alphas, fit.beta) > likelihood - 1.0


@pytest.mark.parametrize("noise", [0.1, 0.2])
def test_predictions_agree_with_scikit_learn(noise: float) -> None:
    linear = pytest.importorskip("sklearn.linear_model", reason="scikit-learn is not installed")
    x, _, t = sinc(100, noise, 6)
    phi = rbf(x, x, GAMMA)
    fit = fit_sparse(phi, t)
    other = linear.ARDRegression(fit_intercept=False, threshold_lambda=1e4).fit(phi, t)
    differences = phi[:, fit.active] @ fit.weights - other.predict(phi)
    assert np.sqrt(np.mean(differences**2)) < 0.25 * noise


@pytest.mark.parametrize("noise", [0.1, 0.2])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_noisy_sinc_needs_few_vectors(noise: float, seed: int) -> None:
    x, curve, t = sinc(100, noise, seed)
    fit = fit_relevance(x, t, GAMMA)
    assert fit.converged
    assert len(fit.vectors) < 10
    assert fit.noise == pytest.approx(noise, rel=0.25)
    assert np.sqrt(np.mean((fit.predict(x) - curve) ** 2)) < 0.5 * noise


def test_the_order_of_the_training_points_does_not_matter() -> None:
    x, _, t = sinc(100, 0.1, 7)
    order = np.random.default_rng(0).permutation(100)
    first, second = fit_relevance(x, t, GAMMA), fit_relevance(x[order], t[order], GAMMA)
    between = np.linspace(-12, 12, 77)[:, None]
    assert_allclose(first.predict(between), second.predict(between), atol=1e-3)


def test_a_repeated_point_is_used_once() -> None:
    x, curve, t = sinc(50, 0.1, 8)
    fit = fit_relevance(np.repeat(x, 3, axis=0), np.repeat(t, 3), GAMMA)
    distances = np.abs(fit.vectors - fit.vectors.T) + np.eye(len(fit.vectors))
    assert distances.min() > 0
    assert np.isfinite(fit.covariance).all()
    assert np.sqrt(np.mean((fit.predict(x) - curve) ** 2)) < 0.1


def test_a_column_like_one_in_use_is_refused_though_it_would_gain() -> None:
    rng = np.random.default_rng(9)
    column = rng.normal(size=40)
    t = 3 * column + rng.normal(0, 0.1, 40)
    fit = fit_sparse(np.stack([column, column * 2, rng.normal(size=40)], axis=1), t)
    assert len({0, 1} & set(fit.active.tolist())) == 1
    fitting = _Fitting(np.stack([column, column * 2, rng.normal(size=40)], axis=1), t)
    (first,) = fitting.active
    assert fitting.alike(1 - first)
    assert not fitting.alike(2)


def test_columns_of_zeros_are_never_used_and_keep_their_numbers() -> None:
    rng = np.random.default_rng(10)
    column = rng.normal(size=30)
    fit = fit_sparse(np.stack([0 * column, 0 * column, column], axis=1), 2 * column)
    assert fit.active.tolist() == [2]
    assert_allclose(fit.weights, 2, rtol=1e-3)


def test_the_limit_of_steps_is_reported() -> None:
    x, _, t = sinc(100, 0.1, 11)
    short = fit_sparse(rbf(x, x, GAMMA), t, steps=3)
    assert (short.steps, short.converged) == (3, False)
    assert not fit_relevance(x, t, GAMMA, steps=3).converged
    whole = fit_sparse(rbf(x, x, GAMMA), t)
    assert whole.converged
    assert whole.steps < 1000


def test_constant_targets_are_predicted_everywhere() -> None:
    x, *_ = sinc(30, 0.0, 0)
    fit = fit_relevance(x, np.full(30, 3.0), GAMMA)
    assert_allclose(fit.predict(x), 3.0, atol=1e-9)


def test_far_from_the_data_it_falls_to_the_mean_and_to_the_noise() -> None:
    x, _, t = sinc(100, 0.1, 12)
    fit = fit_relevance(x, t, GAMMA)
    mean, deviation, nearest = fit.judge([[0.0], [60.0]])
    assert_allclose(mean, fit.predict([[0.0], [60.0]]))
    assert mean[1] == pytest.approx(t.mean())
    assert deviation[0] > deviation[1] == pytest.approx(fit.noise)
    assert nearest[0] > 0.5
    assert nearest[1] < 1e-9


def test_the_deviation_is_that_of_the_posterior() -> None:
    vectors, covariance = np.array([[0.0], [1.0]]), np.array([[0.5, 0.1], [0.1, 0.2]])
    model = RelevanceVectors(vectors, np.array([2.0, -1.0]), covariance, 1.0, 0.5, 0.3)
    mean, deviation, nearest = model.judge([[1.0]])
    phi = np.array([np.exp(-1), 1.0])
    assert mean[0] == pytest.approx(0.5 + 2 * np.exp(-1) - 1)
    assert deviation[0] == pytest.approx(np.sqrt(0.09 + phi @ covariance @ phi))
    assert nearest[0] == 1.0


@pytest.mark.parametrize(
    ("phi", "t", "cause"),
    [
        (np.ones((3, 2)), np.ones(4), "do not fit"),
        (np.ones(3), np.ones(3), "do not fit"),
        (np.ones((0, 2)), np.ones(0), "do not fit"),
        (np.full((3, 2), np.nan), np.ones(3), "finite"),
        (np.ones((3, 2)), np.array([1, np.inf, 0]), "finite"),
        (np.zeros((3, 2)), np.ones(3), "nothing to fit with"),
    ],
)
def test_bad_input_is_refused(phi: Floats, t: Floats, cause: str) -> None:
    with pytest.raises(InputError, match=cause):
        fit_sparse(phi, t)
