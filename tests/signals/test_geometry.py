from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facetrack.face import Face, Pose, State, read_only_points
from facetrack.landmarks.markup import mirror
from facetrack.landmarks.procrustes import Similarity
from facetrack.signals.geometry import GEOMETRY

RATIOS = ["eye_opening_right", "eye_opening_left", "mouth_opening"]
BROWS = ["brow_height_right", "brow_height_left"]
UNLIKE = ["eye_asymmetry", "brow_asymmetry", "mouth_asymmetry"]
OF_TWO_SIDES = {"eye_opening": ("eye_opening_right", "eye_opening_left"),
                "brow_height": ("brow_height_right", "brow_height_left")}  # fmt: skip


def face_with(points: np.ndarray, yaw: float = 0.0) -> Face:
    shape = read_only_points(points)
    pose = Pose((0.0, math.radians(yaw), 0.0), (0.0, 0.0, 500.0))
    return Face(0, State.TRACKED, "", shape, shape, 0.75, pose)


@pytest.fixture
def points() -> np.ndarray:
    """Only the points that matter: eyes 40 px wide, outer corners 120 px apart."""
    p = np.zeros((68, 2))
    p[[36, 39, 42, 45], 0] = [0, 40, 80, 120]
    p[[37, 38, 40, 41]] = [[10, -4], [30, -4], [30, 4], [10, 4]]  # right eye: 8 px open
    p[[43, 44, 46, 47]] = [[90, -1], [110, -2], [110, 2], [90, 1]]  # left eye: 2 and 4 px open
    p[[18, 19, 20]] = [[5, -20], [20, -26], [35, -26]]  # right brow: 24 px above the eye
    p[[23, 24, 25]] = [[85, -18], [100, -18], [115, -18]]  # left brow: 18 px
    p[[48, 54]] = [[35, 70], [85, 64]]  # the left corner 6 px higher
    p[[61, 62, 63, 65, 66, 67]] = [[50, 60], [60, 60], [70, 60], [70, 90], [60, 84], [50, 78]]
    return p


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("eye_opening_right", 8 / 40),
        ("eye_opening_left", 3 / 40),
        ("mouth_opening", 24 / 120),
        ("brow_height_right", 24 / 120),
        ("brow_height_left", 18 / 120),
        ("eye_asymmetry", (3 - 8) / (3 + 8)),
        ("brow_asymmetry", (18 - 24) / (18 + 24)),
        ("mouth_asymmetry", 6 / 120),
    ],
)
def test_values_are_what_was_drawn(points: np.ndarray, name: str, value: float) -> None:
    assert GEOMETRY.read(face_with(points))[name].value == pytest.approx(value)


@given(a=st.floats(0.1, 3), b=st.floats(-2, 2), tx=st.floats(-500, 500), ty=st.floats(-500, 500))
def test_nothing_depends_on_place_size_and_roll(a: float, b: float, tx: float, ty: float) -> None:
    shape = np.random.default_rng(1).uniform(0, 100, (68, 2))
    before = GEOMETRY.read(face_with(shape))
    after = GEOMETRY.read(face_with(Similarity(a, b, tx, ty).apply(shape)))
    for name in [*RATIOS, *BROWS, "mouth_asymmetry"]:
        assert after[name].value == pytest.approx(before[name].value)


def test_a_mirrored_face_changes_its_sides(points: np.ndarray) -> None:
    face, mirrored = (GEOMETRY.read(face_with(p)) for p in (points, mirror(points, 640)))
    for right, left in OF_TWO_SIDES.values():
        assert mirrored[right].value == pytest.approx(face[left].value)
        assert mirrored[left].value == pytest.approx(face[right].value)
    for name in UNLIKE:
        assert mirrored[name].value == pytest.approx(-face[name].value)


def test_a_lost_face_has_no_values_but_a_reason(points: np.ndarray) -> None:
    lost = dataclasses.replace(face_with(points), state=State.LOST, reason="hidden")
    for reading in GEOMETRY.read(lost).values():
        assert math.isnan(reading.value)
        assert reading.reason == "lost: hidden"


def test_what_cannot_be_measured_is_nan(points: np.ndarray) -> None:
    points[37] = np.nan
    points[45] = points[36]
    said = GEOMETRY.read(dataclasses.replace(face_with(points), pose=None))
    for name in ("eye_opening_right", "mouth_opening", "mouth_asymmetry"):
        assert math.isnan(said[name].value)
        assert said[name].reason
    assert said["eye_opening_left"].value > 0


def test_a_turned_head_compares_no_sides(points: np.ndarray) -> None:
    said = GEOMETRY.read(face_with(points, yaw=-40))
    assert all("turned" in said[name].reason for name in UNLIKE)
    assert math.isfinite(said["eye_opening_left"].value)


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize(("yaw", "compared"), [(25.0, True), (25.1, False)])
def test_sides_are_compared_up_to_twenty_five_degrees(
    points: np.ndarray, side: int, yaw: float, compared: bool
) -> None:
    assert math.degrees(math.radians(25.0)) == 25.0
    said = GEOMETRY.read(face_with(points, yaw=side * yaw))
    assert all(math.isfinite(said[name].value) == compared for name in UNLIKE)


def test_an_open_mouth_has_a_level() -> None:
    (mouth,) = [spec for spec in GEOMETRY.specs if spec.name == "mouth_opening"]
    assert mouth.level is not None
    assert mouth.range[0] < mouth.level < mouth.range[1]
