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
