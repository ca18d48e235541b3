from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from facetrack.errors import InputError
from facetrack.pain import measures
from facetrack.pain.measures import (
    LEVELS,
    agreement,
    by_subject,
    confusion,
    icc,
    level_of,
    pcc,
    rmse,
)

# Frames of the UNBC-McMaster archive with a score of 0, 1, 2, ... (Lucey et al. 2011, Table 1).
ARCHIVE = np.repeat(
    np.arange(16.0),
    [40029, 2909, 2351, 1412, 802, 242, 270, 53, 79, 32, 67, 76, 48, 22, 1, 5],
)
scores = st.lists(
    st.tuples(st.integers(0, 16), st.floats(0, 16).map(lambda p: round(p, 6))),
    min_size=2,
    max_size=60,
)


def test_a_shift_is_seen_by_the_error_alone() -> None:
    assert icc(ARCHIVE, ARCHIVE + 3) == pytest.approx(1.0)
    assert pcc(ARCHIVE, ARCHIVE + 3) == pytest.approx(1.0)
    assert rmse(ARCHIVE, ARCHIVE + 3) == pytest.approx(3.0)


@pytest.mark.parametrize("scale", [0.5, 0.25, 2.0])
def test_a_scale_is_seen_by_the_icc_and_not_by_the_pcc(scale: float) -> None:
    wanted = 2 * scale / (1 + scale**2)  # 0.8 of a half
    assert icc(ARCHIVE, scale * ARCHIVE) == pytest.approx(wanted, abs=1e-9)
    assert pcc(ARCHIVE, scale * ARCHIVE) == pytest.approx(1.0)


def test_a_constant_has_no_pcc_and_an_icc_of_0() -> None:
    constant = np.full(len(ARCHIVE), 0.1)
    assert math.isnan(pcc(ARCHIVE, constant))
    assert math.isnan(pcc(constant, ARCHIVE))
    assert icc(ARCHIVE, constant) == pytest.approx(0.0, abs=1e-9)
    assert math.isnan(icc(constant, constant))
    assert math.isnan(agreement(ARCHIVE, constant)["pcc"])


def test_the_icc_is_that_of_the_two_way_table() -> None:
    """The table of Shrout and Fleiss 1979 (their Table 2), the first two judges."""
    first, second = [9, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2]
    table = np.array([first, second], dtype=float).T
    rows, columns = table.mean(1), table.mean(0)
    total = ((table - table.mean()) ** 2).sum()
    between = 2 * ((rows - table.mean()) ** 2).sum()
    judges = 6 * ((columns - table.mean()) ** 2).sum()
    bms, ems = between / 5, (total - between - judges) / 5
    assert icc(first, second) == pytest.approx((bms - ems) / (bms + ems))


def test_silence_is_rewarded_by_the_mae_and_not_by_the_others() -> None:
    silent = agreement(ARCHIVE, 0 * ARCHIVE)
    assert silent["mae"] == pytest.approx(0.447, abs=5e-4)
    assert silent["rmse"] == pytest.approx(1.377, abs=5e-4)
    counts = [np.sum(level_of(ARCHIVE) == k) for k in range(6)]
    means = [ARCHIVE[level_of(ARCHIVE) == k].mean() for k in range(6)]
    assert silent["macro_mae"] == pytest.approx(np.mean(means))
    assert counts[0] == 40029
    assert silent["rmse_present"] == pytest.approx(np.sqrt(np.mean(ARCHIVE[ARCHIVE > 0] ** 2)))


def test_the_macro_mae_counts_only_levels_that_occur() -> None:
    assert agreement([0, 0, 0, 5], [1, 1, 1, 8])["macro_mae"] == pytest.approx((1 + 3) / 2)


@given(scores)
def test_no_error_is_below_what_the_correlation_allows(pairs: list[tuple[int, float]]) -> None:
    y, p = np.array(pairs).T
    found = agreement(y, p)  # it raises if it were
    if math.isfinite(found["pcc"]):
        assert found["rmse"] ** 2 >= y.var() * (1 - found["pcc"] ** 2 - 1e-9)
        assert -1 - 1e-9 <= found["icc"] <= 1 + 1e-9
        assert found["icc"] <= abs(found["pcc"]) + 1e-9


@pytest.mark.parametrize("y", [[0, 1], [0, 0, 16], [0.1, 0.2, 0.7], ARCHIVE])
def test_perfect_scores_are_possible(y: list[float]) -> None:
    assert agreement(y, y)["rmse"] == 0.0
    assert agreement(y, y)["icc"] == pytest.approx(1.0)


def test_an_impossible_pair_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    y = np.arange(10.0)
    p = np.sin(9 * y)
    least = y.std() * math.sqrt(1 - pcc(y, p) ** 2)
    monkeypatch.setattr(measures, "rmse", lambda y, p: 1.001 * least)
    agreement(y, p)
    monkeypatch.setattr(measures, "rmse", lambda y, p: 0.999 * least)
    with pytest.raises(ArithmeticError, match="is below the possible"):
        agreement(y, p)


@given(scores)
def test_every_frame_is_counted_once(pairs: list[tuple[int, float]]) -> None:
    y, p = np.array(pairs).T
    counts = confusion(y, p)
    assert counts.sum() == len(y)
    for level, name in enumerate(LEVELS):
        low = int(name[0])
        high = {"4-5": 5, "6+": 16}.get(name, low)
        assert counts[level].sum() == ((y >= low) & (y <= high)).sum()
        assert counts[:, level].sum() == (level_of(p) == level).sum()


def test_rows_are_labels_and_columns_scores() -> None:
    counts = confusion([0, 0, 3, 6, 15], [0.4, 0.6, 5.4, 5.6, 2.0])
    wanted = np.zeros((6, 6))
    for label, score in ((0, 0), (0, 1), (3, 4), (5, 5), (5, 2)):
        wanted[label, score] += 1
    assert_array_equal(counts, wanted)


def test_subjects_are_measured_apart() -> None:
    found = by_subject(["b", "a", "b", "a", "a"], [0, 1, 0, 2, 3], [1, 1, 3, 2, 3])
    assert list(found) == ["a", "b"]
    assert found["a"] == {"rmse": 0.0, "pcc": pytest.approx(1.0)}
    assert found["b"]["rmse"] == pytest.approx(math.sqrt(5))
    assert math.isnan(found["b"]["pcc"])


def test_nothing_to_measure_is_not_a_number() -> None:
    assert math.isnan(rmse([], []))
    assert math.isnan(icc([1], [1]))
    assert math.isnan(icc([3, 3], [0, 1e-200]))  # whose squares are 0
    assert math.isnan(pcc([1], [1]))
    assert math.isnan(agreement([0, 0], [1, 0])["rmse_present"])
    assert all(math.isnan(value) for value in agreement([], []).values())


def test_other_shapes_are_refused() -> None:
    for function in (rmse, pcc, icc, confusion, agreement):
        with pytest.raises(InputError, match="of equal length"):
            function([1, 2, 3], [1, 2])
