import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.errors import InputError
from facetrack.features.crops import warp_to_frame
from facetrack.landmarks.procrustes import Similarity


def smooth_image(height: int = 400, width: int = 500):
    y, x = np.mgrid[:height, :width]
    image: np.ndarray = (128 + 60 * np.sin(x / 40) + 60 * np.cos(y / 50)).astype(np.uint8)
    return image


def sample(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    maps = points.astype(np.float32)
    return cv2.remap(image, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR).astype(float)


@pytest.mark.parametrize("scale", [0.2, 0.4, 0.66, 0.9, 1.8])
def test_a_pixel_of_the_frame_shows_its_place_in_the_image(scale):
    image = smooth_image()
    angle = 0.2
    to_frame = Similarity(scale * np.cos(angle), scale * np.sin(angle), 0, 0)
    centre = to_frame.apply([250.0, 200.0])
    to_frame = Similarity(to_frame.a, to_frame.b, *(16 - centre))
    patch = warp_to_frame(image, to_frame, size=32)
    y, x = np.mgrid[:32, :32]
    where = to_frame.inverse().apply(np.stack([x, y], axis=-1))
    inside = (where > 5).all(axis=-1) & (where < [494, 394]).all(axis=-1)
    difference = np.abs(patch.astype(float) - sample(image, where))[inside]
    assert difference.mean() < 1.5


def test_shrinking_averages_instead_of_aliasing():
    stripes = np.zeros((400, 400), np.uint8)
    stripes[:, ::2] = 255
    patch = warp_to_frame(stripes, Similarity(0.3, 0, 0, 0), size=64)
    assert patch.std() < 20


def test_colour_is_converted_like_grey():
    grey = smooth_image()
    colour = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    to_frame = Similarity(0.8, 0.1, -50, -60)
    assert_allclose(warp_to_frame(colour, to_frame), warp_to_frame(grey, to_frame))


@pytest.mark.parametrize(
    "to_frame", [Similarity(1, 0, 1e6, 0), Similarity(1, 0, -1e6, 3), Similarity(1e-9, 0, 1e9, 1e9)]
)
def test_a_frame_beside_the_image_is_empty(to_frame):
    assert warp_to_frame(smooth_image(), to_frame).shape == (160, 160)


@pytest.mark.parametrize(
    "image",
    [np.zeros((5, 5), np.float32), np.zeros((5, 5, 4), np.uint8), np.zeros(5, np.uint8)],
)
def test_wrong_images_are_named(image):
    with pytest.raises(InputError, match="uint8"):
        warp_to_frame(image, Similarity(1, 0, 0, 0))


@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (1, 300)])
def test_tiny_images_give_an_empty_frame(shape):
    patch = warp_to_frame(np.full(shape, 200, np.uint8), Similarity(1, 0, 0, 0))
    assert not patch.any()
