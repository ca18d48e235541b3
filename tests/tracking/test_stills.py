from __future__ import annotations

import cv2
import numpy as np
import pytest

from facetrack.errors import InputError
from facetrack.fitting.face_model import FaceModel
from facetrack.landmarks.markup import outer_eye_distance
from facetrack.synthetic.portrait import astronaut
from facetrack.synthetic.video import SyntheticVideo
from facetrack.tracking.stills import StillTracker


def test_the_same_picture_gives_the_same_faces_whatever_came_before(
    shipped_model: FaceModel,
) -> None:
    video = SyntheticVideo(shipped_model.shape_model, n_frames=12, size=(320, 240), seed=1)
    first, *_, last = video
    both = np.hstack([last.image, first.image])
    tracker = StillTracker(shipped_model, max_faces=2)
    alone = tracker.update(first)
    assert tracker.update(np.zeros((20, 20), np.uint8)) == []  # too small to hold a face
    pair = tracker.update(both)
    again = tracker.update(first)
    assert [face.id for face in pair] == [0, 1]  # from left to right
    assert pair[0].points[:, 0].max() < 320 < pair[1].points[:, 0].min()
    np.testing.assert_array_equal(alone[0].points, again[0].points)
    assert alone[0].quality == again[0].quality > 0.9
    other = StillTracker(shipped_model, max_faces=2)
    other.restore(tracker.state())
    with pytest.raises(InputError, match="another tracker"):
        StillTracker(shipped_model).restore(tracker.state())


@pytest.mark.parametrize(("rows", "columns", "wanted"), [(2, 3, 30), (2, 4, 30), (2, 4, 5)])
def test_a_picture_gives_as_many_faces_as_are_asked_for(
    shipped_model: FaceModel, rows: int, columns: int, wanted: int
) -> None:
    face = cv2.resize(astronaut().image, (240, 240), interpolation=cv2.INTER_AREA)
    crowd = np.tile(face, (rows, columns, 1))
    faces = StillTracker(shipped_model, max_faces=wanted).update(crowd)
    found = sorted((int(y // 240), int(x // 240)) for x, y in (f.points[30] for f in faces))
    assert len(set(found)) == len(found) == min(rows * columns, wanted)


def test_a_small_face_in_a_large_picture_and_one_on_its_head_are_fitted(
    shipped_model: FaceModel,
) -> None:
    portrait = astronaut()
    side = 200  # the face is 50 px wide
    small = cv2.resize(portrait.image, (side, side), interpolation=cv2.INTER_AREA)
    large = np.full((1080, 1920, 3), 120, np.uint8)
    large[300 : 300 + side, 900 : 900 + side] = small
    truth = (portrait.points + 0.5) * (side / 512) - 0.5 + [900, 300]
    turned = np.ascontiguousarray(portrait.image[::-1, ::-1])
    for picture, points in ((large, truth), (turned, 511 - portrait.points)):
        (face,) = StillTracker(shipped_model).update(picture)
        assert face.tracked
        apart = np.linalg.norm(face.points - points, axis=1)[17:].mean()
        assert apart < 0.1 * outer_eye_distance(points)


def test_the_number_of_faces_must_be_positive(shipped_model: FaceModel) -> None:
    with pytest.raises(InputError, match="max_faces"):
        StillTracker(shipped_model, max_faces=0)
