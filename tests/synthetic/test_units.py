"""Action units: both sides alike, sums that do not overdo it, lids that never cross."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.landmarks.markup import MIRROR
from facetrack.synthetic.units import CHEEKS, N_CONTROL, UNITS, displacements

OPPOSITE = [*MIRROR, 70, 71, 68, 69]


@pytest.fixture
def rest() -> np.ndarray:
    """A face whose eyes are so wide open that no lid is held back."""
    points = np.zeros((N_CONTROL, 2))
    points[[41, 40, 47, 46], 1] = 0.2
    points[68:] = CHEEKS
    return points


@pytest.mark.parametrize("unit", UNITS)
def test_mirrored_units_mirror(unit: str, rest: np.ndarray) -> None:
    right = displacements({unit: (1.0, 0.3)}, rest, turns={unit: 0.2})
    left = displacements({unit: (0.3, 1.0)}, rest, turns={unit: 0.2})
    assert_allclose(left, right[OPPOSITE] * (-1, 1), atol=1e-12)
    assert np.abs(right).max() > 0.01


@pytest.mark.parametrize("unit", UNITS)
def test_displacements_are_those_of_the_table_and_grow_with_the_factor(
    unit: str, rest: np.ndarray
) -> None:
    whole = displacements({unit: (1.0, 1.0)}, rest)
    for point, shift in UNITS[unit].items():
        assert_allclose(whole[point], np.divide(shift, 1000))
    assert_allclose(displacements({unit: (0.4, 0.4)}, rest), 0.4 * whole)


def test_one_side_leaves_the_other_and_half_moves_the_middle(rest: np.ndarray) -> None:
    moved = displacements({"9": (1.0, 0.0)}, rest)
    whole = displacements({"9": (1.0, 1.0)}, rest)
    assert_allclose(moved[[35, 34, 52, 22, 71]], 0)
    assert_allclose(moved[[31, 50, 21]], whole[[31, 50, 21]])
    assert_allclose(moved[[27, 33, 51]], 0.5 * whole[[27, 33, 51]])


@pytest.mark.parametrize(("one", "other"), [("6", "7"), ("9", "10")])
def test_units_that_share_points_do_not_overdo_it(one: str, other: str, rest: np.ndarray) -> None:
    a, b = (displacements({unit: (1.0, 1.0)}, rest) for unit in (one, other))
    both = displacements({one: (1.0, 1.0), other: (1.0, 1.0)}, rest)
    larger = np.where(np.linalg.norm(a, axis=1) >= np.linalg.norm(b, axis=1), 1.0, 0.5)[:, None]
    assert_allclose(both, larger * a + (1.5 - larger) * b)
    assert np.linalg.norm(both, axis=1).max() < np.linalg.norm(a + b, axis=1).max()


def test_other_units_add_up(rest: np.ndarray) -> None:
    factors = {"4": (0.7, 0.7), "12": (1.0, 1.0)}
    parts = [displacements({unit: sides}, rest) for unit, sides in factors.items()]
    assert_allclose(displacements(factors, rest), parts[0] + parts[1])


def test_a_narrow_eye_is_not_shut_by_displacements(rest: np.ndarray) -> None:
    rest[[41, 40, 47, 46], 1] = 0.04
    moved = rest + displacements({"6": (1.2, 1.2), "7": (1.2, 1.2)}, rest)
    assert_allclose(moved[[41, 40, 47, 46], 1] - moved[[37, 38, 43, 44], 1], 0.004)
