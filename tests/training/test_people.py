"""Synthetic people of training pictures: who becomes one, and what cascades get to see of them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from facetrack.landmarks.markup import outer_eye_distance
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.synthetic.mesh import HeadState
from facetrack.synthetic.motion import Placement
from facetrack.synthetic.portrait import astronaut
from facetrack.synthetic.render import HeadRenderer
from facetrack.training import people
from facetrack.training.people import moving_people, still_people
from facetrack.training.pictures import Picture, mirrored

SIZE = (480, 640)


def _picture(number: int, side: int, shape_model: ShapeModel) -> Picture:
    """Draw an upright face with closed lips."""
    image = np.full((side, side, 3), 90, np.uint8)
    head = HeadState(0, -0.2, 0.01 * number, np.zeros(0), -1.0, 0)
    renderer = HeadRenderer(astronaut(), shape_model, eye_distance=side / 4, whole=True)
    points = renderer.draw(image, Placement(side / 2, 0.45 * side, side / 4), head)
    return Picture(number, cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.uint8), points)


@pytest.fixture(scope="module")
def pictures(shape_model: ShapeModel) -> list[Picture]:
    """Give three pictures that are fit and one that is too small, each with its mirrored copy."""
    sides = {2: 400, 5: 200, 7: 900, 9: 400}
    found = [_picture(number, side, shape_model) for number, side in sides.items()]
    return [either for picture in found for either in (picture, mirrored(picture))]


def _still(pictures: list[Picture], shape_model: ShapeModel, threads: int = 2) -> list[Picture]:
    return still_people(pictures, shape_model, np.random.default_rng(4), threads=threads)


def test_pictures_that_are_fit_become_people(
    pictures: list[Picture], shape_model: ShapeModel
) -> None:
    found = _still(pictures, shape_model)
    assert [picture.number for picture in found] == [2] * 4 + [7] * 4 + [9] * 4
    for picture in found:
        assert picture.grey.shape == SIZE
        assert picture.box is picture.five is None
        assert 30 < outer_eye_distance(picture.points) < 160
    gaps = [np.linalg.norm(p.points[62] - p.points[66]) for p in found]
    assert max(gaps) > 3 * min(gaps)  # mouths open
    assert not _still(pictures[2:4], shape_model)


def test_the_landmarks_lie_on_the_face(pictures: list[Picture], shape_model: ShapeModel) -> None:
    """Pupils are darker than the skin below the eyes, in most frames: light comes from beside."""

    def level(picture: Picture, place: np.ndarray) -> float:
        x, y = np.rint(place).astype(int)
        return float(picture.grey[y - 1 : y + 2, x - 1 : x + 2].mean())

    found = _still(pictures, shape_model)
    darker = [
        level(p, p.points[eye].mean(axis=0))
        < level(p, p.points[eye].mean(axis=0) + 0.7 * (p.points[30] - p.points[27]))
        for p in found
        for eye in (range(36, 42), range(42, 48))
    ]
    assert np.mean(darker) > 0.7


def test_threads_change_no_bit(pictures: list[Picture], shape_model: ShapeModel) -> None:
    one, two = (_still(pictures, shape_model, threads) for threads in (1, 2))
    assert [p.grey.tobytes() for p in one] == [p.grey.tobytes() for p in two]
    assert [p.points.tobytes() for p in one] == [p.points.tobytes() for p in two]


def test_some_people_are_followed(
    pictures: list[Picture], shape_model: ShapeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "_CLIPS", 2)
    monkeypatch.setattr(people, "_LENGTH", 12)
    clips = moving_people(pictures, shape_model, np.random.default_rng(0), threads=2)
    assert [clip[0].number for clip in clips] == [2, 9]
    for clip in clips:
        assert len(clip) == 12
        shapes = np.stack([picture.points for picture in clip])
        steps = np.linalg.norm(np.diff(shapes, axis=0), axis=2).mean(axis=1)
        assert 0 < steps.max() < 0.3 * outer_eye_distance(shapes[0])
