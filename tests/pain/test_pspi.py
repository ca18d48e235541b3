from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from facetrack.errors import InputError
from facetrack.pain.pspi import MAX_PSPI, PAIN_UNITS, held, pspi

GRADES = range(6)
COMBINATIONS = np.array([(*g, c) for g in itertools.product(GRADES, repeat=5) for c in (0, 1)])
ALL = dict(zip(PAIN_UNITS, COMBINATIONS.T, strict=True))
# Frames of the UNBC-McMaster archive with a score of 0, 1, 2, ... (Lucey et al. 2011, Table 1).
ARCHIVE = (40029, 2909, 2351, 1412, 802, 242, 270, 53, 79, 32, 67, 76, 48, 22, 1, 5)


def test_all_15552_combinations_stay_within_16_and_equal_the_formula() -> None:
    scores = pspi(ALL)
    plain = [b[0] + max(b[1:3]) + max(b[3:5]) + b[5] for b in COMBINATIONS.tolist()]
    assert len(scores) == 6**5 * 2
    assert_array_equal(scores, plain)
    assert scores.min() == 0
    assert scores.max() == MAX_PSPI == 16


@pytest.mark.parametrize(("weaker", "stronger"), [(7, 6), (6, 7), (10, 9), (9, 10)])
def test_the_weaker_of_a_pair_does_not_count(weaker: int, stronger: int) -> None:
    below = ALL[weaker] <= ALL[stronger]
    without = pspi(ALL | {weaker: np.zeros(len(COMBINATIONS))})
    assert_array_equal(pspi(ALL)[below], without[below])
    assert (pspi(ALL)[~below] > without[~below]).all()


def test_the_score_does_not_count_units() -> None:
    full: dict[int, float] = {4: 5, 6: 5, 7: 5, 9: 5, 10: 5, 43: 1}
    assert pspi(full) == pspi({4: 5, 6: 5, 9: 5, 43: 1}) == 16


@pytest.mark.parametrize(
    ("units", "score"),
    [({}, 0), ({12: 5, 6: 1}, 1), ({43: 1}, 1), ({12: 5}, 0), ({4: 2, 10: 3}, 5)],
)
def test_what_surprises(units: dict[int, float], score: float) -> None:
    assert pspi(units) == score


@given(st.sampled_from(list(PAIN_UNITS)), st.integers(0, len(COMBINATIONS) - 1))
def test_more_of_a_unit_never_lowers_the_score(unit: int, row: int) -> None:
    units = {u: float(v) for u, v in zip(PAIN_UNITS, COMBINATIONS[row], strict=True)}
    stronger = units | {unit: min(units[unit] + 1, 1 if unit == 43 else 5)}
    assert pspi(stronger) >= pspi(units)


def test_what_is_unknown_makes_the_score_unknown() -> None:
    assert_array_equal(pspi({4: [1, np.nan, 2], 9: 1}), [2, np.nan, 3])


@pytest.mark.parametrize("units", [{4: 5.5}, {6: -1}, {43: 2}])
def test_impossible_intensities_are_refused(units: dict[int, float]) -> None:
    with pytest.raises(InputError, match=f"action unit {next(iter(units))} .* are possible"):
        pspi(units)


def test_eyes_must_stay_closed_for_half_a_second() -> None:
    closed = np.repeat([True, False, True, False, True], [8, 2, 7, 1, 9])
    assert_array_equal(held(closed, 15), np.repeat([True, False, True], [8, 10, 9]))
    assert_array_equal(held(closed, 14), closed)
    assert not held(closed, 30).any()
    assert held(np.zeros(0, dtype=bool), 15).shape == (0,)


def test_the_archive_s_distribution_gives_the_published_constants() -> None:
    scores = np.repeat(np.arange(len(ARCHIVE)), ARCHIVE)
    assert len(scores) == 48398
    assert scores.std() == pytest.approx(1.302, abs=5e-4)  # the error of "always the mean"
    assert np.sqrt(np.mean(scores**2.0)) == pytest.approx(1.377, abs=5e-4)  # of "always zero"
    assert scores.mean() == pytest.approx(0.447, abs=5e-4)
    assert np.abs(scores - scores.mean()).mean() == pytest.approx(0.739, abs=5e-4)
