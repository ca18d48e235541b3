"""Portraits with more room and an infant's proportions keep their landmarks on their pixels."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from facetrack.landmarks.markup import outer_eye_distance
from facetrack.synthetic.portrait import Portrait, astronaut
from facetrack.synthetic.proportions import infant, with_room


def _gradient_portrait() -> Portrait:
    """Give a picture whose every pixel says where it is: blue is x / 2, green is y / 2."""
    y, x = np.mgrid[:500, :500]
    image = np.dstack([x / 2, y / 2, x * 0]).round().astype(np.uint8)
    return Portrait(image, astronaut().points)


def test_more_room_keeps_the_face_as_it_is() -> None:
    tight = Portrait(astronaut().image[30:230, 130:330], astronaut().points - (130, 30))
    roomy = with_room(tight)
    margin = round(float((roomy.points - tight.points)[0, 0]))
    assert margin > outer_eye_distance(tight.points)
    inside = roomy.image[margin : margin + 200, margin : margin + 200]
    assert_array_equal(inside, tight.image)
    assert_allclose(roomy.points - margin, tight.points)
    border = roomy.image[0].astype(int)
    assert np.abs(np.diff(border, axis=0)).max() < 8  # out of focus


def test_an_infants_landmarks_went_where_their_pixels_did() -> None:
    old, new = _gradient_portrait(), infant(_gradient_portrait())
    for before, (x, y) in zip(old.points, new.points, strict=True):
        x0, y0 = int(x), int(y)
        patch = new.image[y0 : y0 + 2, x0 : x0 + 2, :2].astype(float)
        seen = np.array([1 - y % 1, y % 1]) @ np.einsum("yxc,x->yc", patch, [1 - x % 1, x % 1])
        assert_allclose(2 * seen, before, atol=1.5)


def test_an_infant_has_large_eyes_a_small_chin_and_wide_cheeks() -> None:
    def measures(points: np.ndarray) -> np.ndarray:
        eyes = outer_eye_distance(points)
        lids = points[41, 1] - points[37, 1]
        chin = points[8, 1] - points[57, 1]
        cheeks = points[13, 0] - points[3, 0]
        return np.array([lids, chin, cheeks]) / eyes

    grown, child = measures(astronaut().points), measures(infant(astronaut()).points)
    assert child[0] > 1.1 * grown[0]
    assert child[1] < 0.9 * grown[1]
    assert child[2] > grown[2]


@pytest.mark.parametrize("edge", [0, -1])
def test_an_infants_surroundings_stay(edge: int) -> None:
    old, new = _gradient_portrait(), infant(_gradient_portrait())
    assert np.abs(old.image[edge, ::50].astype(int) - new.image[edge, ::50]).max() < 6
