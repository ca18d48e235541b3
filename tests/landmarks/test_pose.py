"""Head pose: known cameras are recovered, and the signs are OpenFace's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from facetrack.errors import InputError
from facetrack.landmarks.pose import (
    RIGID_POINTS,
    default_focal_length,
    euler_angles,
    head_pose,
)
from tests.rotations import rotation_matrix

SIZE = (640, 480)


def a_head():
    """Points on an ellipsoid with a nose: 68 of them, millimetres, nose towards the camera."""
    rng = np.random.default_rng(3)
    x, y = rng.uniform(-45, 45, 68), rng.uniform(-20, 70, 68)
    z = 60 - np.sqrt(np.maximum(90.0**2 - x**2 - (y - 20) ** 2, 0))
    z[27:36] -= 20
    return np.stack([x, y, z], axis=1)


HEAD = a_head()


def seen(angles, place, *, focal=None, size=SIZE):
    focal = default_focal_length(size) if focal is None else focal
    p = HEAD @ rotation_matrix(*angles).T + place
    return p[:, :2] / p[:, 2:] * focal + [(size[0] - 1) / 2, (size[1] - 1) / 2]


angles = st.tuples(st.floats(-0.6, 0.6), st.floats(-0.9, 0.9), st.floats(-0.9, 0.9))
places = st.tuples(st.floats(-150, 150), st.floats(-150, 150), st.floats(300, 2000))


@given(angles=angles, place=places)
def test_recovers_known_poses(angles, place):
    pose = head_pose(seen(angles, place), HEAD, SIZE)
    assert_allclose(pose.rotation, angles, atol=1e-3)
    assert_allclose(pose.translation, place, atol=0.5, rtol=1e-3)


def plain_pose(points, head, size):
    """The kernel's plain twin: POS by singular values, then undamped Gauss-Newton to the end."""
    rigid = list(RIGID_POINTS)
    focal, head = default_focal_length(size), head[rigid]
    centred = points[rigid] - [(size[0] - 1) / 2, (size[1] - 1) / 2]
    h, c = head - head.mean(axis=0), centred - centred.mean(axis=0)
    u, scales, vt = np.linalg.svd(np.linalg.lstsq(h, c, rcond=None)[0].T, full_matrices=False)
    rows = u @ vt
    rotation = np.array([*rows, np.cross(*rows)])
    depth = focal / scales.mean()
    place = np.array([*(centred.mean(axis=0) / focal * depth), depth])
    place -= rotation @ head.mean(axis=0)

    def residual(w, shift):
        angle = np.linalg.norm(w) + 1e-300
        p = np.cos(angle) * turned + np.sin(angle) * np.cross(w / angle, turned)
        p = p + (1 - np.cos(angle)) * np.outer(turned @ w / angle, w / angle) + place + shift
        return (p[:, :2] / p[:, 2:] - centred / focal).ravel()

    for _ in range(20):
        turned, nothing = head @ rotation.T, np.zeros(3)
        steps = np.diag([1e-5] * 3 + [1e-3] * 3)
        jacobian = np.stack(
            [(residual(s[:3], s[3:]) - residual(-s[:3], -s[3:])) / (2 * s.max()) for s in steps], 1
        )
        step = np.linalg.lstsq(jacobian, -residual(nothing, nothing), rcond=None)[0]
        cross = np.cross(np.eye(3), step[:3]).T
        u, _, vt = np.linalg.svd((np.eye(3) - cross) @ rotation)
        rotation, place = u @ vt, place + step[3:]
    return np.array([*euler_angles(rotation), *place])


@pytest.mark.parametrize("seed", range(20))
def test_noisy_points_give_the_pose_of_the_plain_twin(seed):
    rng = np.random.default_rng(seed)
    points = seen(rng.uniform(-0.6, 0.6, 3), [*rng.uniform(-150, 150, 2), rng.uniform(300, 2000)])
    points += rng.standard_normal((68, 2))
    pose = head_pose(points, HEAD, SIZE)
    expected = plain_pose(points, HEAD, SIZE)
    assert_allclose(pose.rotation, expected[:3], atol=1e-3)
    assert_allclose(pose.translation, expected[3:], rtol=1e-3, atol=0.1)


def test_points_on_a_line_give_a_finite_pose():
    for direction in ([1.0, 0.0], [0.3, -2.0]):
        pose = head_pose(np.outer(np.linspace(100, 200, 68), direction), HEAD, SIZE)
        assert np.isfinite([*pose.rotation, *pose.translation]).all()


@given(angles=angles)
def test_angles_and_matrix_are_inverse(angles):
    rotation = rotation_matrix(*angles)
    assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert_allclose(euler_angles(rotation), angles, atol=1e-9)


def test_matrix_is_rx_ry_rz():
    x, y, z = (rotation_matrix(*(0.3 * np.eye(3)[i])) for i in range(3))
    assert_allclose(rotation_matrix(0.3, 0.3, 0.3), x @ y @ z, atol=1e-12)


def test_noise_of_a_pixel_moves_the_angles_little():
    rng = np.random.default_rng(0)
    points = seen((0.1, -0.3, 0.2), (20, 10, 500))
    errors = [
        np.array(head_pose(points + rng.standard_normal((68, 2)), HEAD, SIZE).rotation)
        - (0.1, -0.3, 0.2)
        for _ in range(50)
    ]
    assert np.abs(np.mean(errors, axis=0)).max() < 0.02
    assert np.std(errors, axis=0).max() < 0.06


def nose_shift(angles):
    """Motion of the nose in the image, (right, down), when the head turns from straight ahead."""
    tip = np.array([0.0, 30.0, -43.0])
    return ((rotation_matrix(*angles) - np.eye(3)) @ tip)[:2]


@pytest.mark.parametrize(
    ("angles", "axis", "sign"),
    [
        ((-0.3, 0, 0), 1, -1),  # head up: negative Rx, the nose goes up in the image
        ((0, 0.3, 0), 0, -1),  # to the person's right: positive Ry, towards the image's left
    ],
)
def test_signs_are_those_of_openface(angles, axis, sign):
    assert sign * nose_shift(angles)[axis] > 5
    pose = head_pose(seen(angles, (0, 0, 500)), HEAD, SIZE)
    assert_allclose(pose.rotation, angles, atol=1e-3)


def test_positive_roll_lowers_the_eye_on_the_right_of_the_image():
    right_eye_corner = rotation_matrix(0, 0, 0.2) @ [45, 0, 0]
    assert right_eye_corner[1] > 0
    assert head_pose(seen((0, 0, 0.2), (0, 0, 500)), HEAD, SIZE).rotation[2] > 0.19


def test_translation_is_in_front_of_the_camera_right_and_down():
    x, y, z = head_pose(seen((0, 0, 0), (80, 60, 500)), HEAD, SIZE).translation
    assert_allclose((x, y, z), (80, 60, 500), rtol=1e-3)


def test_focal_length_is_openfaces_guess():
    assert default_focal_length((640, 480)) == 500
    assert default_focal_length((1280, 960)) == 1000
    pose = head_pose(seen((0, 0, 0), (0, 0, 500), focal=1000), HEAD, SIZE, focal_length=1000)
    assert_allclose(pose.translation[2], 500, rtol=1e-3)


def test_the_jaw_and_the_lower_lip_say_nothing():
    points = seen((0.1, 0.2, 0.0), (0, 0, 500))
    moved = points.copy()
    moved[:17] += 30
    moved[55:60] += 30
    moved[64:] += 30
    assert head_pose(moved, HEAD, SIZE) == head_pose(points, HEAD, SIZE)


@given(points=arrays(np.float64, (68, 2), elements=st.floats(-1e5, 1e5)))
def test_any_finite_points_give_finite_numbers_or_an_input_error(points):
    try:
        pose = head_pose(points, HEAD, SIZE)
    except InputError:
        return
    assert np.isfinite([*pose.rotation, *pose.translation]).all()


@pytest.mark.parametrize(
    ("points", "size", "message"),
    [
        (np.full((68, 2), np.nan), SIZE, "finite"),
        (np.full((68, 2), np.inf), SIZE, "finite"),
        (np.zeros((68, 2)), SIZE, "coincide"),
        (np.zeros((66, 2)), SIZE, r"\(68, 2\)"),
        (np.ones((68, 2)), (0, 480), "image_size"),
    ],
)
def test_wrong_input_is_named(points, size, message):
    with pytest.raises(InputError, match=message):
        head_pose(points, HEAD, size)


def test_a_flat_head_is_named():
    with pytest.raises(InputError, match="flat"):
        head_pose(seen((0, 0, 0), (0, 0, 500)), HEAD * [1, 1, 0], SIZE)


@pytest.mark.parametrize("focal", [0, -1, np.nan])
def test_wrong_focal_length_is_named(focal):
    with pytest.raises(InputError, match="focal_length"):
        head_pose(seen((0, 0, 0), (0, 0, 500)), HEAD, SIZE, focal_length=focal)
