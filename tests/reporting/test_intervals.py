"""Intervals of means."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facetrack.errors import InputError
from facetrack.reporting.intervals import (
    crossed_interval,
    mean_interval,
    paired_interval,
    standard_error,
)

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20)


def _rng() -> np.random.Generator:
    return np.random.default_rng(1)


def test_the_standard_error_leaves_out_what_is_not_finite() -> None:
    assert standard_error([1, 3, np.inf, 5, np.nan]) == pytest.approx(2 / np.sqrt(3))
    assert np.isnan(standard_error([1, np.nan]))


@given(VALUES)
def test_the_interval_lies_among_the_values(values: list[float]) -> None:
    found = mean_interval(values, _rng())
    slack = 1e-9 * max(map(abs, values))
    assert min(values) - slack <= found.low <= found.high <= max(values) + slack
    assert found.mean == pytest.approx(np.mean(values), abs=slack)


def test_the_true_mean_is_inside_as_often_as_promised() -> None:
    rng = np.random.default_rng(0)
    runs = [mean_interval(rng.exponential(1, 40), rng, level=0.8) for _ in range(200)]
    inside = sum(run.low <= 1 <= run.high for run in runs)
    assert 140 <= inside <= 176  # of 160 expected


def test_pairs_show_what_is_lost_among_the_differences_of_people() -> None:
    people = np.random.default_rng(0).normal(10, 3, 30)
    after = people + np.random.default_rng(1).normal(0.5, 0.2, 30)
    found = paired_interval(people, after, _rng())
    assert 0 < found.low < 0.5 < found.high < 0.7
    alone = [mean_interval(run, _rng()) for run in (people, after)]
    assert alone[0].high > alone[1].low
    assert paired_interval(people, people, _rng()).high == 0


@pytest.mark.parametrize("values", [[], [1], [1, np.nan], [[1, 2], [3, 4]]])
def test_what_has_no_interval_is_refused(values) -> None:
    with pytest.raises(InputError, match="two or more finite"):
        mean_interval(values, _rng())


def test_runs_of_other_things_are_refused() -> None:
    with pytest.raises(InputError, match=r"paired, got \(3,\) and \(2,\)"):
        paired_interval([1, 2, 3], [1, 2], _rng())


def test_a_crossed_interval_knows_that_runs_and_things_differ() -> None:
    rng = np.random.default_rng(0)
    base = (rng.random((5, 400)) < 0.5).astype(float)
    by_run = np.array([0.0, 0.05, 0.1, 0.15, 0.2])[:, None]
    other = base + by_run
    found = crossed_interval(base, other, np.random.default_rng(1))
    assert found.mean == pytest.approx(0.1)
    # runs alone: the deviation of their mean, 0.0707 / sqrt(5)
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.0316, rel=0.15)
    of_things = np.linspace(-1, 1, 400)
    found = crossed_interval(base[:1], base[:1] + of_things, np.random.default_rng(1))
    assert found.high - found.low == pytest.approx(2 * 1.96 * of_things.std() / 20, rel=0.1)
    for bad in (base[:, :3], base[0], base * np.nan):
        with pytest.raises(InputError, match="two ways must be"):
            crossed_interval(base, bad, rng)
