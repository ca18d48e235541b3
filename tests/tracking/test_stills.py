from __future__ import annotations

import numpy as np
import pytest

from facetrack.errors import InputError
from facetrack.synthetic.video import SyntheticVideo
from facetrack.tracking.face_model import FaceModel
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


def test_the_number_of_faces_must_be_positive(shipped_model: FaceModel) -> None:
    with pytest.raises(InputError, match="max_faces"):
        StillTracker(shipped_model, max_faces=0)
