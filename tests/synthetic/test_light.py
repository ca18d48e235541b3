"""Side light: it shades the head by where its surface faces, and nothing around it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from facetrack.landmarks.shape_model import ShapeModel
from facetrack.synthetic.light import COARSE, Lamp, LightPath, Relief, shade
from facetrack.synthetic.mesh import HeadMesh, HeadState, rotation
from facetrack.synthetic.portrait import astronaut

FRONT, LEFT, RIGHT = (np.array(d, dtype=float) for d in ((0, 0, -1), (-1, 0, 0), (1, 0, 0)))


@pytest.fixture(scope="module")
def relief(shape_model: ShapeModel) -> Relief:
    mesh = HeadMesh(astronaut(), shape_model)
    return Relief(mesh.vertices, mesh.depth, (512, 512), mesh.eye_distance)


def _at(gain: np.ndarray, number: int) -> int:
    x, y = (astronaut().points[number] / COARSE).astype(int)
    return int(gain[y, x])


def test_each_cheek_is_lit_from_its_own_side(relief: Relief) -> None:
    from_left, from_right = (relief.gain(Lamp(d, 0.8)) for d in (LEFT, RIGHT))
    for right_cheek, left_cheek in ((2, 14), (4, 12)):
        assert _at(from_left, right_cheek) > 2 * _at(from_left, left_cheek)
        assert _at(from_right, left_cheek) > 2 * _at(from_right, right_cheek)


def test_no_strength_is_no_light(relief: Relief) -> None:
    assert (relief.gain(Lamp(LEFT, 0.0)) == 128).all()


def test_the_surroundings_face_the_viewer(relief: Relief) -> None:
    gain = relief.gain(Lamp(LEFT, 0.8))
    corners = gain[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert_array_equal(corners, corners[0])
    assert relief.gain(Lamp(FRONT, 0.8))[0, 0] > 128


def test_a_head_that_turns_to_the_lamp_is_lit(relief: Relief) -> None:
    lamp = Lamp(RIGHT, 0.8)
    turned = lamp.turned_with(rotation(HeadState(0.6, 0, 0, np.zeros(0), 0, 0)))
    assert turned.direction[2] < 0  # for the head, the lamp has come to the front
    assert _at(relief.gain(turned), 30) > _at(relief.gain(lamp), 30)


def test_the_lamp_goes_from_side_to_side() -> None:
    path = LightPath(np.random.default_rng(2), 0.8)
    lamps = [path.lamp(t) for t in np.arange(0, 30, 0.5)]
    x = np.array([lamp.direction[0] for lamp in lamps])
    assert x.min() < -0.5
    assert x.max() > 0.5
    assert_allclose([np.linalg.norm(lamp.direction) for lamp in lamps], 1)
    uneven = np.array([path.unevenness(t) for t in np.arange(0, 30, 0.5)])
    assert uneven.argmax() == np.abs(x).argmax()
    assert 0.7 < uneven.max() <= 0.8


@pytest.mark.parametrize("channels", [3, 4])
def test_shading_multiplies_colours_and_keeps_opacity(channels: int) -> None:
    drawn = np.full((4, 6, channels), 100, np.uint8)
    gain = np.array([[64, 64], [192, 192]], np.uint8)
    y, x = np.mgrid[:4, :6].astype(np.float32)
    places = np.stack([x, np.where(y < 2, 1.5, 5.5)], axis=-1).astype(np.float32)
    shade(drawn, gain, places)
    assert (drawn[:2, :, :3] == 50).all()
    assert (drawn[2:, :, :3] == 150).all()
    assert (drawn[..., 3:] == 100).all()
