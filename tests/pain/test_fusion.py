from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from facetrack.pain import fusion
from facetrack.pain.fusion import choose_fusion, fit_linear, fit_vectors
from facetrack.pain.measures import rmse

Floats = npt.NDArray[np.float64]


@pytest.fixture(autouse=True)
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fusion, "ROWS", 200)


def scores_of(
    seed: int, count: int = 400, groups: int = 4
) -> tuple[Floats, npt.NDArray[np.intp], np.random.Generator]:
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 6, (count, 3)), np.arange(count) * groups // count, rng


@settings(max_examples=30)
@given(st.integers(0, 10**6))
def test_weights_are_never_negative(seed: int) -> None:
    scores, _, rng = scores_of(seed, 60)
    labels = scores @ rng.normal(0, 1, 3) + rng.normal(0, 1) * 5
    assert (fit_linear(scores, labels).weights >= 0).all()


@pytest.mark.parametrize("offset", [2.0, -2.0, 0.0])
def test_a_sum_is_found_again(offset: float) -> None:
    scores, _, _ = scores_of(0)
    found = fit_linear(scores, scores @ [0.5, 0.0, 1.5] + offset)
    assert_allclose(found.weights, [0.5, 0.0, 1.5], atol=1e-8)
    assert found.offset == pytest.approx(offset, abs=1e-8)
    assert_allclose(found.apply(np.ones((1, 3))), 2.0 + offset)


def test_a_set_that_misleads_is_not_used() -> None:
    scores, _, _ = scores_of(1)
    found = fit_linear(scores, scores @ [1.0, -0.4, 0.0])
    assert found.weights[1] == 0.0
    assert found.weights[0] > 0.8


def test_the_form_that_errs_less_on_others_is_kept() -> None:
    scores, groups, rng = scores_of(2)
    straight = scores @ [0.5, 0.2, 0.3] + rng.normal(0, 0.3, len(scores))
    chosen, left_out = choose_fusion(scores, straight, groups, rng)
    assert chosen.regression is None
    assert rmse(straight, left_out) < 0.35
    bent = 3 * np.sin(scores[:, 0]) + rng.normal(0, 0.1, len(scores))
    chosen, left_out = choose_fusion(scores, bent, groups, rng)
    assert chosen.regression is not None
    assert rmse(bent, left_out) < 0.5 < rmse(bent, fit_linear(scores, bent).apply(scores))
    assert_allclose(chosen.apply(scores[:5]), bent[:5], atol=0.6)


def test_chance_in_one_group_does_not_choose_the_regression() -> None:
    """In two groups of four it errs more, in the last much less: on average less, by chance."""
    rng = np.random.default_rng(0)
    scores, groups = rng.uniform(0, 6, (200, 3)), np.arange(200) // 50
    labels = scores @ [0.5, 0.2, 0.3] + rng.normal(0, 1.5, 200)
    labels += 1.2 * np.sin(scores[:, 0]) * (groups == 1)
    chosen, _ = choose_fusion(scores, labels, groups, np.random.default_rng(0))
    assert chosen.regression is None


@pytest.mark.parametrize("bend", [0.0, 3.0])  # for which the sum is kept, and the regression
def test_what_is_left_out_is_really_left_out(bend: float) -> None:
    """What is peculiar to the labels of one group changes nothing of its own scores."""
    scores, groups, _ = scores_of(3)
    labels = scores @ [0.5, 0.2, 0.3] + bend * np.sin(scores[:, 0])
    planted = labels + 0.5 * (groups == 2)
    first, clean = choose_fusion(scores, labels, groups, np.random.default_rng(0))
    second, left_out = choose_fusion(scores, planted, groups, np.random.default_rng(0))
    assert (first.regression is None) == (second.regression is None) == (bend == 0)
    assert_allclose(left_out[groups == 2], clean[groups == 2], atol=1e-9)
    assert np.abs(left_out - clean)[groups != 2].mean() > 0.01


def test_the_regression_is_fitted_on_scores_of_any_scale() -> None:
    scores, _, _ = scores_of(4)
    labels = np.sin(scores[:, 0])
    stretched = scores * (100, 0.01, 1) + 7
    found = fit_vectors(stretched, labels, np.random.default_rng(0)).apply(stretched)
    wanted = fit_vectors(scores, labels, np.random.default_rng(0)).apply(scores)
    assert_allclose(found, wanted, atol=1e-3)
    assert rmse(labels, found) < 0.2
