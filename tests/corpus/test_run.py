"""`facetrack.track`: a plain loop over frames."""

from __future__ import annotations

import threading
from itertools import islice
from pathlib import Path

import pytest

import facetrack
from facetrack.errors import InputError, ModelError, VideoError


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
