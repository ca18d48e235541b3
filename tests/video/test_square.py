from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.video.frame import ArrayPicture, Frame
from facetrack.video.seeking import FrameCache
from facetrack.video.square import Stretch, checked_aspect, stretch_of


@pytest.mark.parametrize("aspect", [0.5, 45 / 64, 8 / 9, 1.0, 64 / 45, 2.0])
def test_points_move_with_the_picture(aspect: float) -> None:
    image = np.zeros((60, 80, 3), np.uint8)
    image[20:30, 30:50] = 255
    frame = Frame(3, 0.5, ArrayPicture(image), "a.png", aspect)
    square = frame.square
    assert (square.index, square.timestamp, square.name, square.aspect) == (3, 0.5, "a.png", 1.0)
    assert square.grey.shape == square.image.shape[:2]
    stretch = stretch_of(aspect)
    assert min(stretch) == 1
    assert stretch.x / stretch.y == pytest.approx(aspect)
    ys, xs = np.nonzero(square.grey > 127)
    centre = [[39.5, 24.5]]
    assert_allclose(stretch.square(centre), [[xs.mean(), ys.mean()]], atol=0.51)
    assert_allclose(stretch.stored(stretch.square(centre)), centre)


@pytest.mark.parametrize("aspect", [32 / 27, 27 / 32, 40 / 33, 1.42])
@pytest.mark.parametrize("side", [100, 118])
def test_pictures_move_as_their_points_do_whatever_the_rounded_size(
    aspect: float, side: int
) -> None:
    rising = np.tile(2 * np.arange(side, dtype=np.uint8), (side, 1))
    stretch = stretch_of(aspect)
    for picture, axis in ((rising, 0), (np.ascontiguousarray(rising.T), 1)):
        stretched = stretch.picture(picture)
        assert stretched.shape[::-1] == stretch.size((side, side))
        line = stretched[0] if axis == 0 else stretched[:, 0]
        there = np.arange(len(line), dtype=float)
        here = stretch.stored(np.column_stack([there, there]))[:, axis]
        assert_allclose(line[2:-2], 2 * here[2:-2], atol=0.75)  # grey values are whole numbers


def test_square_frames_stay_as_they_are() -> None:
    frame = Frame(0, 0.0, ArrayPicture(np.zeros((4, 4, 3), np.uint8)))
    assert frame.square is frame
    assert stretch_of(1.0) == Stretch()


@pytest.mark.parametrize(
    ("stated", "taken"), [(1.0001, 1.0), (0.995, 1.0), (1.422, 1.422), (1000.0, 1.0), (0.0, 1.0)]
)
def test_aspects_that_cannot_be_true_are_left_out(stated: float, taken: float) -> None:
    assert checked_aspect(stated) == taken


def test_a_cached_frame_keeps_its_aspect() -> None:
    cache = FrameCache()
    cache.put(Frame(3, 0.5, ArrayPicture(np.zeros((4, 4, 3), np.uint8)), "a.png", 2.0))
    known = cache.get(3)
    assert known is not None
    assert (known.name, known.aspect, known.square.grey.shape) == ("a.png", 2.0, (4, 8))
