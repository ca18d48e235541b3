"""What a detection says, moved and compared by hand."""

from __future__ import annotations

import math

import pytest

from facetrack.detection.detections import (
    SMALLEST_FACE,
    Detection,
    check_smallest,
    count_confirming,
    distinct,
    surroundings,
)
from facetrack.errors import InputError

BOX = (10.0, 20.0, 30.0, 40.0)


@pytest.mark.parametrize(
    ("score", "certain", "plausible"),
    [(0.0, True, True), (-1e-9, False, True), (-0.5, False, True), (-0.51, False, False)],
)
def test_scores_are_certain_from_nought_and_plausible_from_a_half_below(
    score: float, certain: bool, plausible: bool
) -> None:
    one = Detection(BOX, score)
    assert (one.confirms, one.plausible) == (certain, plausible)
    assert count_confirming([one, one]) == 2 * certain


def test_a_detection_moves_with_its_five_points() -> None:
    five = ((15.0, 28.0), (25.0, 28.0), (20.0, 31.0), (17.0, 36.0), (24.0, 36.0))
    moved = Detection(BOX, 0.7, 2, five).moved(0.5, -0.25, 2.0)
    assert moved.box == (10.0, 5.0, 50.0, 45.0)  # from the middle (20, 30) to (30, 25)
    assert moved.five == ((20, 21), (40, 21), (30, 27), (24, 37), (38, 37))
    assert (moved.score, moved.view) == (0.7, 2)
    assert Detection(BOX, 0.7).moved(0.0, 0.0, 1.0) == Detection(BOX, 0.7)


def test_boxes_that_share_a_half_are_one_face() -> None:
    best, half, less = (Detection((x, 0.0, x + 10, 10.0), -x) for x in (0.0, 5.0, 5.1))
    assert distinct([half, best]) == [best]
    assert distinct([less, best]) == [best, less]


@pytest.mark.parametrize(
    ("box", "margin", "expected"),
    [
        ((40.0, 30.0, 60.0, 40.0), 0.5, (30, 15, 70, 55)),  # by the longer side, from the middle
        ((45.0, 20.0, 55.0, 40.0), 0.5, (30, 10, 70, 50)),
        ((40.5, 30.0, 60.5, 50.0), 0.0, (40, 30, 61, 50)),  # whole pixels
        ((-5.0, -5.0, 5.0, 5.0), 0.0, (0, 0, 5, 5)),
        ((95.0, 55.0, 105.0, 65.0), 0.0, (95, 55, 100, 60)),
        ((40.0, 30.0, 40.0, 30.0), 1.0, (0, 0, 0, 0)),
        ((math.nan, 30.0, 60.0, 40.0), 1.0, (0, 0, 0, 0)),
        ((math.inf, 30.0, math.inf, 40.0), 1.0, (0, 0, 0, 0)),
    ],
)
def test_what_lies_around_a_box_is_bounded_by_the_picture(
    box: tuple[float, float, float, float], margin: float, expected: tuple[int, int, int, int]
) -> None:
    assert surroundings((60, 100, 3), box, margin) == expected


def test_faces_to_look_for_are_12_to_10000_pixels_wide() -> None:
    for width in (12, SMALLEST_FACE, 10_000):
        check_smallest(width)
    for width in (11.9, 10_001, math.nan):
        with pytest.raises(InputError, match="12 to 10,000 pixels wide"):
            check_smallest(width)
    assert SMALLEST_FACE == 40
