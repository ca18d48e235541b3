"""Errors, areas under curves and failure rates."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from facetrack.errors import InputError
from facetrack.evaluation.errors import (
    auc,
    cumulative_curve,
    failure_rate,
    normalised_errors,
    summary,
)


def faces(n: int, seed: int = 0) -> npt.NDArray[np.float64]:
    """Random shapes with an outer-eye distance of 50 px."""
    points = np.random.default_rng(seed).uniform(0, 100, (n, 68, 2))
    points[:, 36], points[:, 45] = (20, 40), (70, 40)
    return points


@given(arrays(np.float64, st.integers(1, 40), elements=st.floats(0, 0.2)))
def test_auc_is_the_integral_of_the_step_curve(errors: npt.NDArray[np.float64]) -> None:
    knots = np.unique(np.concatenate([[0.0, 0.08], errors[errors < 0.08]]))
    integral = (np.diff(knots) * cumulative_curve(errors, knots[:-1])).sum() / 0.08
    assert_allclose(auc(errors), integral, atol=1e-12)


def test_perfect_predictions_have_an_area_of_one() -> None:
    truth = faces(4)
    result = summary(normalised_errors(truth, truth))
    assert (result.n, result.found, result.mean, result.auc08, result.over08) == (4, 1, 0, 1, 0)


@pytest.mark.parametrize("markup", [68, 66, 51, 49])
def test_a_shift_is_measured_in_eye_distances(markup: int) -> None:
    truth = faces(3)
    assert_allclose(normalised_errors(truth + np.array([3, 4]), truth, markup), 0.1)


def test_small_markups_do_not_see_the_jaw() -> None:
    truth = faces(1)
    moved = truth.copy()
    moved[:, :17] += 10
    assert_allclose(normalised_errors(moved, truth, 51), 0)
    assert normalised_errors(moved, truth)[0] > 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_prediction_that_is_not_finite_is_a_failure(bad: float) -> None:
    truth = faces(2)
    points = truth.copy()
    points[0, 5, 1] = bad
    errors = normalised_errors(points, truth)
    assert errors.tolist() == [np.inf, 0]
    assert (auc(errors), failure_rate(errors), summary(errors).found) == (0.5, 0.5, 0.5)
    assert summary(errors).mean == 0


def test_nan_errors_are_failures() -> None:
    assert failure_rate([np.nan, 0.01]) == 0.5
    assert auc([np.nan, 0.0]) == 0.5


def test_nothing_found_has_no_mean() -> None:
    result = summary([np.inf, np.nan])
    assert np.isnan(result.mean)
    assert (result.found, result.auc08, result.over08) == (0, 0, 1)


def test_the_curve_reaches_the_success_rate() -> None:
    errors = np.array([0.01, 0.08, 0.081, np.inf])
    assert_allclose(cumulative_curve(errors, [0.08]), [1 - failure_rate(errors)])


@pytest.mark.parametrize(
    ("points", "truth", "message"),
    [
        (faces(2), faces(3), r"\(2, 68, 2\) and \(3, 68, 2\)"),
        (faces(1)[0], faces(1)[0], r"must both be \(n, 68, 2\)"),
        (faces(2), np.full((2, 68, 2), np.nan), "truth of face 0"),
        (faces(2), np.zeros((2, 68, 2)), "outer eye corners coincide"),
    ],
)
def test_wrong_shapes_are_named(
    points: npt.NDArray[np.float64], truth: npt.NDArray[np.float64], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        normalised_errors(points, truth)


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(InputError, match="no face"):
        summary([])
