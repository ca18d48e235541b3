"""Reliability diagrams and calibration error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from facetrack.errors import InputError
from facetrack.evaluation.reliability import BINS, reliability


def test_a_worked_example() -> None:
    found = reliability([0.05, 0.95, 0.95, 1.0], [False, True, False, True])
    assert found.counts.tolist() == [1, *[0] * 8, 3]
    assert_allclose(found.predicted[[0, 9]], [0.05, 2.9 / 3])
    assert_allclose(found.observed[[0, 9]], [0, 2 / 3])
    assert np.isnan(found.predicted[1:9]).all()
    assert found.error == pytest.approx((1 * 0.05 + 3 * 0.3) / 4)
    assert found.brier == pytest.approx((0.05**2 + 0.05**2 + 0.95**2 + 0) / 4)
    assert found.base == 0.25
    assert found.ranking == pytest.approx(3.5 / 4)  # one tie of four pairs


def test_what_comes_true_as_often_as_said_has_no_error() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(200_000)
    y = rng.random(200_000) < p
    found = reliability(p, y)
    assert found.error < 0.005
    assert found.brier == pytest.approx(1 / 6, abs=0.005)
    assert found.ranking == pytest.approx(5 / 6, abs=0.005)
    boast = reliability(np.sqrt(p), y)
    assert boast.error == pytest.approx(2 / 3 - 1 / 2, abs=0.005)
    assert boast.ranking == pytest.approx(found.ranking)  # the order is the same
    assert boast.brier > found.brier


def test_one_probability_for_all_tells_nothing_apart() -> None:
    y = np.arange(100) < 70
    found = reliability(np.full(100, 0.7), y)
    assert found.error == pytest.approx(0)
    assert found.brier == pytest.approx(found.base)
    assert found.ranking == 0.5


def test_where_all_come_true_nothing_can_be_ranked() -> None:
    assert np.isnan(reliability([0.3, 0.8], [True, True]).ranking)


@given(
    p=arrays(np.float64, 40, elements=st.floats(0, 1)),
    y=arrays(np.bool_, 40, elements=st.booleans()),
)
def test_bins_hold_everything_once(p: np.ndarray, y: np.ndarray) -> None:
    found = reliability(p, y)
    full = found.counts > 0
    assert found.counts.sum() == 40
    assert len(found.counts) == BINS
    assert_allclose((found.counts * found.predicted)[full].sum(), p.sum(), atol=1e-9)
    assert_allclose((found.counts * found.observed)[full].sum(), y.sum(), atol=1e-9)
    assert 0 <= found.error <= 1
    # Brier's score is never below what its bins' calibration alone costs
    assert found.brier >= found.error**2 - 1e-12


@pytest.mark.parametrize(
    ("p", "y", "message"),
    [
        ([0.5], [True, False], "as many outcomes"),
        ([], [], "as many outcomes"),
        ([1.1], [True], "between 0 and 1"),
        ([np.nan], [True], "between 0 and 1"),
    ],
)
def test_wrong_input_is_named(p, y, message: str) -> None:
    with pytest.raises(InputError, match=message):
        reliability(p, y)
