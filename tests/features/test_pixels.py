"""Pictures of every kind become uint8 grey or BGR."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from facetrack.errors import InputError
from facetrack.features.pixels import agreement, box_of, checked_image, grey, overlap, shrink


def test_uint8_is_not_copied():
    image = np.zeros((5, 6, 3), np.uint8)
    assert checked_image(image) is image


def test_alpha_is_dropped_and_single_channels_are_grey():
    image = np.arange(5 * 6 * 4, dtype=np.uint8).reshape(5, 6, 4)
    assert_array_equal(checked_image(image), image[:, :, :3])
    assert checked_image(image[:, :, :1]).shape == (5, 6)


def test_sixteen_bits_are_scaled():
    image = np.array([[0, 255, 256, 65535]], np.uint16)
    assert_array_equal(checked_image(image), [[0, 1, 1, 255]])


@pytest.mark.parametrize("shape", [(0, 0), (0, 5, 3), (1, 1), (1, 1, 4)])
def test_no_size_is_refused(shape):
    assert checked_image(np.zeros(shape, np.uint8)).shape[:2] == shape[:2]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 4), np.float32), "uint8 or uint16, got float32"),
        (np.zeros((4, 4), bool), "bool"),
        (np.zeros((4, 4, 2), np.uint8), r"\(4, 4, 2\)"),
        (np.zeros(4, np.uint8), "shape"),
        (None, "shape"),
    ],
)
def test_wrong_pictures_are_named(image, message):
    with pytest.raises(InputError, match=message):
        checked_image(image)


def test_grey_of_grey_colour_is_that_grey():
    image = np.full((3, 4, 3), 77, np.uint8)
    assert_array_equal(grey(image), np.full((3, 4), 77))
    assert_array_equal(grey(image[:, :, 0]), np.full((3, 4), 77))


@pytest.mark.parametrize(("factor", "shape"), [(0.5, (5, 10)), (2, (20, 40)), (0.001, (1, 1))])
def test_shrink_scales_both_sides(factor, shape):
    assert shrink(np.zeros((10, 20), np.uint8), factor).shape == shape


def test_agreement_is_intersection_over_union():
    """15 x 30 of 25 x 40 and 30 x 60 square pixels, neither box at the origin."""
    assert agreement((10, 20, 35, 60), (20, 30, 50, 90)) == pytest.approx(450 / (1000 + 1800 - 450))
    assert agreement((10, 20, 35, 60), (10, 20, 35, 60)) == 1
    assert agreement((10, 20, 35, 60), (35, 20, 50, 60)) == 0


def test_overlap_counts_the_smaller_box():
    assert overlap((0, 0, 10, 10), (2, 2, 4, 4)) == 1
    assert overlap((0, 0, 10, 10), (5, 0, 15, 10)) == 0.5
    assert overlap((10, 20, 35, 60), (20, 30, 50, 90)) == 450 / 1000
    assert overlap((0, 0, 1, 1), (1, 1, 2, 2)) == 0


def test_box_bounds_the_points():
    assert box_of([[3, 1], [2, 5], [4, 4]]) == (2, 1, 4, 5)
