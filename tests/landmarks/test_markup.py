"""Which point is what: the numbers of iBUG's 68."""

from __future__ import annotations

import numpy as np
import pytest

from facetrack.fitting.face_model import FaceModel
from facetrack.landmarks.markup import (
    GROUPS,
    MARKUPS,
    MIRROR,
    OUTER_EYE_CORNERS,
    REGIONS,
    STABLE,
    outer_eye_distance,
    pupil_distance,
    to_markup,
)

SIZES = {"jaw": 17, "right_brow": 5, "left_brow": 5, "nose": 9, "right_eye": 6, "left_eye": 6,
         "outer_mouth": 12, "inner_mouth": 8}  # fmt: skip


def test_regions_follow_each_other() -> None:
    assert {name: len(points) for name, points in REGIONS.items()} == SIZES
    assert [point for points in REGIONS.values() for point in points] == list(range(68))
    assert [point for points in GROUPS.values() for point in points] == list(range(68))
    assert [len(points) for points in GROUPS.values()] == [17, 10, 9, 12, 20]
    assert [len(points) for points in MARKUPS.values()] == list(MARKUPS) == [68, 66, 51, 49]


def test_a_mirrored_point_is_the_other_side_s(shipped_model: FaceModel) -> None:
    """The point that lies nearest in the mirrored mean shape, which is symmetric."""
    mean = shipped_model.shape_model.mean
    flipped = mean * [-1, 1] + [2 * mean[:, 0].mean(), 0]
    nearest = np.linalg.norm(flipped[:, None] - mean, axis=2).argmin(axis=1)
    assert nearest.tolist() == list(MIRROR)


def test_stable_points_are_the_bridge_the_nose_s_base_and_the_corners_of_the_eyes() -> None:
    nose, right, left = REGIONS["nose"], REGIONS["right_eye"], REGIONS["left_eye"]
    assert (*nose[:4], nose[6], right[0], right[3], left[0], left[3]) == STABLE
    assert (right[0], left[3]) == OUTER_EYE_CORNERS


def test_distances_of_eyes_are_those_of_their_corners_and_their_middles() -> None:
    points = np.zeros((2, 68, 2))
    points[:, 36], points[:, 45] = (1, 2), (4, 6)
    assert outer_eye_distance(points).tolist() == [5, 5]
    points[:, 36:42] += [[0, 0], [6, 0], [0, 6], [0, 0], [0, 0], [-1, -2]]
    points[1, 42:48] += [12, 0]
    assert pupil_distance(points) == pytest.approx([np.hypot(2 / 3 - 1, 0), 12 - 1 + 2 / 3])


def test_inner_corners_of_the_mouth_are_left_out_of_66() -> None:
    points = np.arange(136.0).reshape(68, 2)
    assert np.delete(points, (60, 64), axis=0).tolist() == to_markup(points, 66).tolist()
