"""A face leaves the picture when more than six of ten points are outside."""

from __future__ import annotations

import numpy as np
import pytest

from facetrack.tracking.faces import leaves_image

IMAGE = np.zeros((240, 320), np.uint8)
EDGES = {
    "left": (0.0, 120.0),
    "top": (160.0, 0.0),
    "right": (319.0, 120.0),
    "bottom": (160.0, 239.0),
}
BEYOND = {"left": (-1, 0), "top": (0, -1), "right": (1, 0), "bottom": (0, 1)}


@pytest.mark.parametrize("side", EDGES)
@pytest.mark.parametrize(("inside", "leaves"), [(28, False), (27, True)])
def test_points_on_the_border_are_inside(side: str, inside: int, leaves: bool) -> None:
    """28 of 68 are more than two fifths, 27 are less."""
    points = np.tile(EDGES[side], (68, 1))
    points[inside:] += 0.01 * np.array(BEYOND[side])
    assert leaves_image(points, IMAGE) == leaves


def test_a_face_that_is_all_inside_stays_and_one_that_is_all_outside_leaves() -> None:
    corners = np.array([[0.0, 0.0], [319.0, 239.0]])
    assert not leaves_image(np.tile(corners, (34, 1)), IMAGE)
    assert leaves_image(np.tile(corners, (34, 1)) + 400.0, IMAGE)
