"""Masks: as large as their polygons, mirrored with the face, thin lines for closed eyes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from skimage.draw import polygon2mask

from facetrack.errors import InputError
from facetrack.features.masks import PARTS, coverage, mask
from facetrack.landmarks.markup import REGIONS, mirror

SIZE = (96, 64)
PLACES = st.tuples(st.floats(30, 60), st.floats(25, 40))


def face(centre=(48.0, 32.0), radius=12.0, turn=0.03) -> np.ndarray:
    """Make landmarks whose eyes, lips and outline of the face are regular polygons."""
    points = np.tile(np.array(centre), (68, 1))
    outline = [*range(17), *range(26, 16, -1)]
    for part, r in (
        (outline, 1.2),
        (REGIONS["right_eye"], 0.4),
        (REGIONS["left_eye"], 0.4),
        (REGIONS["outer_mouth"], 1.0),
        (REGIONS["inner_mouth"], 0.5),
    ):
        angles = np.arange(len(part)) * 2 * np.pi / len(part) + turn
        circle = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        points[list(part)] = np.array(centre) + r * radius * circle
    points[list(REGIONS["right_eye"]), 0] -= 9
    points[list(REGIONS["left_eye"]), 0] += 9
    points[31:36] += [[-8, 3], [-4, 4], [0, 5], [4, 4], [8, 3]]
    return points


def area(corners: np.ndarray) -> float:
    (x, y), (u, v) = corners.T, np.roll(corners, -1, axis=0).T
    return abs(float((x * v - y * u).sum())) / 2


@given(centre=PLACES, turn=st.floats(0, 1))
def test_coverage_has_the_area_of_the_polygons(centre, turn):
    points = face(centre, turn=turn)
    outer, inner = (area(points[list(REGIONS[r])]) for r in ("outer_mouth", "inner_mouth"))
    eyes = sum(area(points[list(REGIONS[r])]) for r in ("right_eye", "left_eye"))
    assert_allclose(coverage(points, SIZE, "mouth").sum(), outer, rtol=0.01)
    assert_allclose(coverage(points, SIZE, "lips").sum(), outer - inner, rtol=0.01)
    assert_allclose(coverage(points, SIZE, "eyes").sum(), eyes, rtol=0.01)


@given(centre=PLACES, turn=st.floats(0, 1))
def test_masks_are_filled_polygons(centre, turn):
    """The same to the pixel: networks were trained on them."""
    points = face(centre, turn=turn)

    def filled(name: str) -> np.ndarray:
        corners = points[list(REGIONS[name])]
        return np.asarray(polygon2mask(SIZE[::-1], corners[:, ::-1]))

    eyes, lips = mask(points, SIZE, "eyes"), mask(points, SIZE, "lips")
    assert_array_equal(eyes, filled("right_eye") | filled("left_eye"))
    assert_array_equal(lips, filled("outer_mouth") & ~filled("inner_mouth"))


@given(centre=PLACES, turn=st.floats(0, 1))
def test_the_mask_is_where_pixels_are_covered(centre, turn):
    points = face(centre, turn=turn)
    for part in ("lips", "right_eye"):
        share, marked = coverage(points, SIZE, part), mask(points, SIZE, part)
        assert marked[share == 1].all()
        assert not marked[share == 0].any()
        assert 0 < share.sum() < share.size


@given(centre=PLACES, turn=st.floats(0.01, 1))
def test_the_mask_of_the_mirrored_face_is_mirrored(centre, turn):
    points = face(centre, turn=turn)
    flipped = mirror(points, SIZE[0])
    for part, other in (("lips", "lips"), ("right_eye", "left_eye"), ("face", "face")):
        assert_array_equal(mask(flipped, SIZE, part), mask(points, SIZE, other)[:, ::-1])


@pytest.mark.parametrize("draw", [mask, coverage])
def test_a_closed_eye_is_a_thin_line(draw):
    points = face()
    points[list(REGIONS["right_eye"]), 1] = 20.0
    eye = points[list(REGIONS["right_eye"]), 0]
    drawn = draw(points, SIZE, "right_eye")
    assert drawn[18:23].sum() == drawn.sum()
    assert np.ptp(eye) <= drawn.sum() < np.ptp(eye) + 3


def test_a_closed_mouth_has_no_hole():
    points = face()
    points[list(REGIONS["inner_mouth"]), 1] = 32.3
    assert_array_equal(mask(points, SIZE, "lips"), mask(points, SIZE, "mouth"))


def test_lines_are_as_thick_as_they_are_said_to_be():
    points = face()
    points[31:36] = [[20, 30], [30, 30], [40, 30], [50, 30], [60, 30]]
    drawn = mask(points, SIZE, "nostrils")
    assert 2 <= drawn[:, 25:55].sum(axis=0).mean() <= 3
    assert PARTS["nostrils"].thickness == 2
    assert_allclose(coverage(points, SIZE, "nostrils")[:, 25:55].sum(axis=0), 2, atol=0.3)


def test_parts_are_joined():
    points = face()
    joined = mask(points, SIZE, "lips", "right_eye", "nostrils")
    single = [mask(points, SIZE, part) for part in ("lips", "right_eye", "nostrils")]
    assert_array_equal(joined, np.any(single, axis=0))
    assert not mask(points, SIZE).any()


def test_a_face_beside_the_crop_leaves_it_empty():
    for shift in ([500.0, 0.0], [0.0, -1e300]):
        assert not mask(face() + shift, SIZE, *PARTS).any()


@pytest.mark.parametrize("points", [np.zeros((66, 2)), np.full((68, 2), np.nan)])
def test_wrong_points_are_named(points):
    with pytest.raises(InputError, match="finite and of shape"):
        mask(points, SIZE, "lips")


def test_an_unknown_part_is_named():
    with pytest.raises(InputError, match=r"parts are face, .*, got 'ear'"):
        coverage(face(), SIZE, "ear")


def test_nostrils_are_the_base_of_the_nose_and_brows_are_thick():
    assert PARTS["nostrils"].lines == (REGIONS["nose"][4:],)
    assert PARTS["brows"].lines == (REGIONS["right_brow"], REGIONS["left_brow"])
    assert PARTS["brows"].thickness == 3
