from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facetrack.errors import InputError
from facetrack.face import Face, Pose, State, read_only_points
from facetrack.landmarks.markup import mirror
from facetrack.landmarks.procrustes import Similarity
from facetrack.signals import SIGNALS, FaceSignal, Signal, register

NAMES = [
    "eye_opening_right", "eye_opening_left", "mouth_opening",
    "pose_pitch", "pose_yaw", "pose_roll", "quality",
]  # fmt: skip


def face_with(points: np.ndarray) -> Face:
    shape = read_only_points(points)
    pose = Pose((math.radians(-10), math.radians(20), math.radians(5)), (0.0, 0.0, 500.0))
    return Face(0, State.TRACKED, "", shape, shape, 0.75, pose)


@pytest.fixture
def points() -> np.ndarray:
    """Only the points that matter: eyes 40 px wide, outer corners 120 px apart."""
    p = np.zeros((68, 2))
    p[[36, 39, 42, 45], 0] = [0, 40, 80, 120]
    p[[37, 38, 40, 41]] = [[10, -4], [30, -4], [30, 4], [10, 4]]  # right eye: 8 px open
    p[[43, 44, 46, 47]] = [[90, -1], [110, -2], [110, 2], [90, 1]]  # left eye: 2 and 4 px open
    p[[61, 62, 63, 65, 66, 67]] = [[50, 60], [60, 60], [70, 60], [70, 90], [60, 84], [50, 78]]
    return p


def test_the_shipped_signals_are_registered() -> None:
    assert list(SIGNALS)[: len(NAMES)] == NAMES
    for name, signal in SIGNALS.items():
        assert isinstance(signal, Signal)
        assert signal.name == name
        assert signal.unit in ("1", "deg")
        assert signal.range[0] < signal.range[1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("eye_opening_right", 8 / 40),
        ("eye_opening_left", 3 / 40),
        ("mouth_opening", 24 / 120),
        ("pose_pitch", -10),
        ("pose_yaw", 20),
        ("pose_roll", 5),
        ("quality", 0.75),
    ],
)
def test_values_are_what_was_drawn(points: np.ndarray, name: str, value: float) -> None:
    assert SIGNALS[name](face_with(points)) == pytest.approx(value)


@given(a=st.floats(0.1, 3), b=st.floats(-2, 2), tx=st.floats(-500, 500), ty=st.floats(-500, 500))
def test_openings_do_not_depend_on_place_size_and_roll(
    a: float, b: float, tx: float, ty: float
) -> None:
    shape = np.random.default_rng(1).uniform(0, 100, (68, 2))
    moved = face_with(Similarity(a, b, tx, ty).apply(shape))
    for name in NAMES[:3]:
        assert SIGNALS[name](moved) == pytest.approx(SIGNALS[name](face_with(shape)))


def test_a_mirrored_face_changes_its_eyes(points: np.ndarray) -> None:
    mirrored = face_with(mirror(points, 640))
    face = face_with(points)
    right, left = SIGNALS["eye_opening_right"], SIGNALS["eye_opening_left"]
    assert right(mirrored) == pytest.approx(left(face))
    assert left(mirrored) == pytest.approx(right(face))


@pytest.mark.parametrize("name", NAMES)
def test_a_lost_face_has_no_values(points: np.ndarray, name: str) -> None:
    lost = dataclasses.replace(face_with(points), state=State.LOST, reason="hidden")
    assert math.isnan(SIGNALS[name](lost))


def test_what_cannot_be_measured_is_nan(points: np.ndarray) -> None:
    points[37] = np.nan
    points[45] = points[36]
    face = dataclasses.replace(face_with(points), pose=None)
    for name in ("eye_opening_right", "mouth_opening", "pose_yaw"):
        assert math.isnan(SIGNALS[name](face))
    assert math.isfinite(SIGNALS["eye_opening_left"](face))


def test_others_can_join(points: np.ndarray) -> None:
    signal = FaceSignal("face_width", "px", (0.0, 1000.0), lambda f: float(np.ptp(f.points[:, 0])))
    assert register(signal) is signal
    try:
        assert SIGNALS["face_width"](face_with(points)) == 120
        with pytest.raises(InputError, match="'face_width' is there already"):
            register(signal)
    finally:
        del SIGNALS["face_width"]


@pytest.mark.parametrize(
    ("name", "span", "message"),
    [
        ("Pain Level", (0.0, 1.0), "lower-case identifier"),
        ("", (0.0, 1.0), "lower-case identifier"),
        ("pain", (1.0, 1.0), "range of signal 'pain' is empty"),
        ("pain", (0.0, math.nan), "range of signal 'pain' is empty"),
    ],
)
def test_wrong_signals_are_refused(name: str, span: tuple[float, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        register(FaceSignal(name, "1", span, lambda face: 0.0))
    assert list(SIGNALS) == NAMES
