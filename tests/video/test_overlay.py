from __future__ import annotations

import numpy as np
import pytest

from facetrack.face import Face, State
from facetrack.synthetic.portrait import astronaut
from facetrack.video.overlay import draw


def _face(points: np.ndarray, *, state: State = State.TRACKED, reason: str = "") -> Face:
    return Face(1, state, reason, points, points, 0.9, None)


@pytest.mark.parametrize("tone", [0, 128, 255])
def test_faces_show_on_any_ground(tone: int) -> None:
    ground = np.full((240, 320, 3), tone, np.uint8)
    points = (astronaut().points - (150, 60)) * 1.5
    drawn = draw(ground, [_face(points)])
    assert (ground == tone).all()
    contrast = np.abs(drawn.astype(int) - tone).max(axis=2)
    for x, y in np.rint(points).astype(int):
        assert contrast[y - 2 : y + 3, x - 2 : x + 3].max() > 60


def test_nothing_is_drawn_without_faces() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    np.testing.assert_array_equal(draw(image, []), image)


def test_lines_are_drawn_between_pixels() -> None:
    ground = np.zeros((240, 320, 3), np.uint8)
    points = (astronaut().points - (150, 60)) * 1.5
    a, b = (draw(ground, [_face(points + shift)]) for shift in (0.0, 0.4))
    assert (a != b).any()


def test_lost_faces_are_named_in_the_corner() -> None:
    ground = np.zeros((100, 400, 3), np.uint8)
    lost = _face(np.full((68, 2), np.nan), state=State.LOST, reason="hinausgegangen: Tür")
    drawn = draw(ground, [lost])
    assert drawn[:40].any()
    assert not drawn[50:].any()


@pytest.mark.parametrize(
    "points",
    [
        np.full((68, 2), np.nan),
        np.full((68, 2), 1e12),
        np.full((68, 2), -1e4),
        np.full((68, 2), np.inf),
        np.where(np.arange(136).reshape(68, 2) % 5 == 0, np.nan, 10.0),
    ],
)
@pytest.mark.parametrize("shape", [(1, 1), (7, 500, 3), (60, 80, 4)])
def test_any_points_and_pictures_can_be_drawn(points: np.ndarray, shape: tuple[int, ...]) -> None:
    assert draw(np.zeros(shape, np.uint8), [_face(points)]).shape == (*shape[:2], 3)


@pytest.mark.parametrize("tone", [0, 128, 255])
@pytest.mark.parametrize("number", range(6))
def test_words_are_white_on_dark_on_any_ground(tone: int, number: int) -> None:
    ground = np.full((480, 640, 3), tone, np.uint8)
    nowhere = np.full((68, 2), np.nan)
    drawn = draw(ground, [Face(number, State.LOST, "covered", nowhere, nowhere, 0.0, None)])
    plate = drawn[6:20, 14:100].max(axis=2)
    assert plate.max() > 230
    assert np.median(plate) < 90


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 500, 3), (200, 20, 3)])
def test_words_stay_inside_small_pictures(shape: tuple[int, ...]) -> None:
    lost = _face(np.full((68, 2), np.nan), state=State.LOST, reason="covered or out of view")
    assert draw(np.zeros(shape, np.uint8), [lost] * 9).shape == shape
