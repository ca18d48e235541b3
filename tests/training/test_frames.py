"""Training frames: pictures and shapes land at the same place."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from facetrack.features.crops import FRAME_SIZE
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.training.frames import make_frames
from facetrack.training.starts import StartNoise


def _items(face, shape_model: ShapeModel):
    """Give two pictures whose grey level tells the place: x / 2 in one, y / 2 in the other."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:400, :480] // 2
    start = [StartNoise().move(face, shape_model, rng, projected=True) for _ in range(2)]
    return [
        (7, columns.astype(np.uint8), start[0], face),
        (9, rows.astype(np.uint8), start[1], face),
    ]


def test_pictures_and_shapes_share_the_frame_of_the_start(face, shape_model: ShapeModel) -> None:
    items = _items(face, shape_model)
    frames = make_frames(items, shape_model)
    assert frames.patches.shape == (2, FRAME_SIZE, FRAME_SIZE)
    for k, axis in ((0, 0), (1, 1)):
        # what a patch shows at the landmarks is what the picture shows at the true ones
        for shapes, points in ((frames.truths, face), (frames.starts, items[k][2])):
            columns, rows = np.rint(shapes[k]).astype(int).T
            inside = (shapes[k] >= 0).all(axis=1) & (shapes[k] < FRAME_SIZE - 1).all(axis=1)
            assert inside.sum() > 40
            seen = frames.patches[k][rows[inside], columns[inside]]
            assert_allclose(seen, points[inside, axis] / 2, atol=1.5)


def test_frames_are_aligned_to_starts_not_to_truths(face, shape_model: ShapeModel) -> None:
    frames = make_frames(_items(face, shape_model), shape_model)
    for start, truth in zip(frames.starts, frames.truths, strict=True):
        assert_allclose(shape_model.to_reference(start).matrix, np.eye(2, 3), atol=1e-9)
        assert np.abs(shape_model.to_reference(truth).matrix - np.eye(2, 3)).max() > 0.1


def test_other_current_shapes_leave_the_rest(face, shape_model: ShapeModel) -> None:
    frames = make_frames(_items(face, shape_model), shape_model)
    assert len(frames) == 2
    assert frames.pictures.tolist() == [7, 9]
    moved = frames.with_starts(frames.starts + 1)
    assert_allclose(moved.starts, frames.starts + 1)
    assert moved.patches is frames.patches
    assert moved.truths is frames.truths
