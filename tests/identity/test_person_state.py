"""What a person says is checked, and completed by the fit where nothing is said."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from facetrack.errors import InputError
from facetrack.identity.person_state import checked_correction

SIZE = (640, 480)
FITTED = np.full((68, 2), 7.0)
INSIDE = np.tile([100.0, 200.0], (68, 1))


def test_what_is_not_vouched_for_is_the_fit_s() -> None:
    mask = np.arange(68) < 3
    points, vouched = checked_correction(
        np.where(mask[:, None], INSIDE, np.nan), mask, FITTED, SIZE
    )
    assert_array_equal(points, np.where(mask[:, None], INSIDE, FITTED))
    assert_array_equal(vouched, mask)
    points, vouched = checked_correction(INSIDE, None, FITTED, SIZE)
    assert_array_equal(points, INSIDE)
    assert vouched.all()


@pytest.mark.parametrize(
    ("place", "inside"),
    [((0, 0), True), ((639, 479), True), ((639.1, 9), False), ((9, 479.1), False),
     ((-0.1, 9), False), ((9, -0.1), False)],
)  # fmt: skip
@pytest.mark.parametrize("away", [34, 35])
def test_half_of_the_points_may_lie_outside(
    place: tuple[float, float], inside: bool, away: int
) -> None:
    points = INSIDE.copy()
    points[:away] = place
    if inside or away == 34:
        checked_correction(points, None, FITTED, SIZE)
        return
    with pytest.raises(
        InputError, match="35 of 68 corrected points lie outside of the frame of 640"
    ):
        checked_correction(points, None, FITTED, SIZE)


def test_only_vouched_points_must_lie_inside_and_be_finite() -> None:
    points, mask = INSIDE.copy(), np.arange(68) == 40
    points[:40] = -5
    checked_correction(points, mask, FITTED, SIZE)
    points[40, 1] = np.nan
    with pytest.raises(InputError, match="must be finite, point 40 is not"):
        checked_correction(points, mask, FITTED, SIZE)


@pytest.mark.parametrize(
    ("points", "mask", "cause"),
    [
        (INSIDE[:66], None, r"\(66, 2\)"),
        (INSIDE, np.ones(66, bool), r"\(66,\)"),
        (INSIDE, np.zeros(68, bool), "at least one point"),
    ],
)
def test_other_shapes_and_empty_masks_are_refused(
    points: np.ndarray, mask: np.ndarray | None, cause: str
) -> None:
    with pytest.raises(InputError, match=cause):
        checked_correction(points, mask, FITTED, SIZE)
