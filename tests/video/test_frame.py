from __future__ import annotations

import numpy as np
import pytest

from facetrack.errors import InputError
from facetrack.formats.picture import as_bgr
from facetrack.video.frame import frame_of


@pytest.mark.parametrize(
    "image",
    [
        np.full((4, 6), 200, np.uint8),
        np.full((4, 6, 1), 200, np.uint8),
        np.full((4, 6, 3), 200, np.uint8),
        np.dstack([np.full((4, 6, 3), 200, np.uint8), np.zeros((4, 6), np.uint8)]),
        np.full((4, 6), 200 * 257, np.uint16),
        np.full((8, 6, 3), 200, np.uint8)[::2],
    ],
)
def test_any_common_picture_becomes_8_bit_colour(image: np.ndarray) -> None:
    frame = frame_of(image, index=3, timestamp=0.5)
    assert frame.image.dtype == np.uint8
    assert frame.image.shape == (4, 6, 3)
    assert frame.image.flags.c_contiguous
    assert (frame.image == 200).all()
    assert (frame.grey == 200).all()
    assert (frame.index, frame.timestamp) == (3, 0.5)


def test_one_pixel_is_a_picture() -> None:
    frame = frame_of(np.array([[[10, 20, 30]]], np.uint8))
    assert frame.grey.shape == (1, 1)
    assert frame.grey[0, 0] == round(0.114 * 10 + 0.587 * 20 + 0.299 * 30)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((0, 5, 3), np.uint8), "no pixel"),
        (np.zeros((5, 0), np.uint8), "no pixel"),
        (np.zeros((5, 5, 2), np.uint8), "shape"),
        (np.zeros(5, np.uint8), "shape"),
        (np.zeros((5, 5)), "float64"),
        (np.zeros((5, 5), bool), "bool"),
    ],
)
def test_what_is_no_picture_is_named(image: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        as_bgr(image)


def test_a_frame_leaves_the_callers_picture_writeable() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    frame = frame_of(image)
    assert not frame.image.flags.writeable
    assert image.flags.writeable
