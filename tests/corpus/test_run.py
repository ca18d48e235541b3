"""`facetrack.track`: a plain loop over frames."""

from __future__ import annotations

import threading
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

import facetrack
import facetrack.face
from facetrack.errors import InputError, ModelError, VideoError
from facetrack.synthetic.portrait import astronaut


def test_gives_every_frame_with_its_faces(clip, model):
    tracked = facetrack.track(clip, model=model)
    seen = [(frame.index, [face.id for face in faces]) for frame, faces in tracked]
    assert seen == [(i, [0]) for i in range(40)]


def test_is_what_a_tracker_says(clip, model):
    tracker = facetrack.Tracker(model, smoothing=0.3)
    for frame, faces in facetrack.track(clip, model=model, smoothing=0.3):
        (expected,) = tracker.update(frame)
        assert faces[0].points.tobytes() == expected.points.tobytes()


def test_takes_a_model_by_its_path_and_the_demo(model_file):
    for frame, faces in islice(facetrack.track("demo", model=model_file), 3):
        assert frame.image.shape == (480, 640, 3)
        assert len(faces) == 1


def test_leaving_the_loop_leaves_no_thread(clip, model):
    loop = facetrack.track(clip, model=model)
    next(loop)
    loop.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "decoder"]


@pytest.mark.parametrize(
    ("spec", "options", "error"),
    [
        ("missing.mp4", {}, VideoError),
        (Path("missing"), {}, VideoError),
        ("demo", {"max_faces": 0}, InputError),
        ("demo", {"model": "missing.npz"}, ModelError),
    ],
)
def test_wrong_input_is_named(model, spec, options, error):
    with pytest.raises(error):
        next(facetrack.track(spec, **{"model": model, **options}))


def test_faces_of_a_picture_are_detected_whatever_the_order_of_its_channels():
    portrait = astronaut()
    (face,) = facetrack.detect(portrait.image)
    assert face.tracked
    error = np.linalg.norm(face.points - portrait.points, axis=1).mean()
    assert error < 0.06 * np.linalg.norm(portrait.points[36] - portrait.points[45])
    left, top, right, bottom = face.box
    assert (left, top) == tuple(face.points.min(axis=0))
    assert (right, bottom) == tuple(face.points.max(axis=0))
    (same,) = facetrack.detect(portrait.image[:, :, ::-1], rgb=True)
    assert same.points.tobytes() == face.points.tobytes()
    (other,) = facetrack.detect(portrait.image[:, :, ::-1])
    assert other.points.tobytes() != face.points.tobytes()  # red and blue weigh unlike in grey


def test_a_picture_without_a_face_has_none(model_file):
    assert facetrack.detect(np.zeros((90, 120), np.uint8), model=model_file) == []
    with pytest.raises(InputError, match="uint8 or uint16"):
        facetrack.detect(np.zeros((90, 120)), model=model_file)


def test_a_lost_face_has_no_box(model):
    nothing = facetrack.face.read_only_points(np.full((68, 2), np.nan))
    lost = facetrack.Face(0, facetrack.State.LOST, "covered", nothing, nothing, 0.0, None)
    assert np.isnan(lost.box).all()
