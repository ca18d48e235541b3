"""The tracking thread of the live view, and a person who wants it to stand still."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from facetrack.detection.scene import CutDetector
from facetrack.face import Face
from facetrack.fitting.face_model import FaceModel
from facetrack.signals import choose
from facetrack.synthetic.clips import demo_video
from facetrack.tracking.tracker import Tracker
from facetrack.video.frame import Frame, frame_of
from facetrack_app.services.capture import Captured
from facetrack_app.services.latest_value import LatestValue
from facetrack_app.services.live_tracking import LiveTracking


class LateLock:
    """A lock that who waits for it gets only if it is free when they look, ten times a second.

    Real locks know no turns either: who lets go and takes it again at once mostly gets it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.release = self._lock.release

    def acquire(self) -> None:
        while not self._lock.acquire(blocking=False):
            time.sleep(0.1)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()


def test_a_tracker_that_is_never_idle_lets_a_person_in(shipped_model: FaceModel) -> None:
    """Frames wait all the time, as where tracking is slower than the camera."""
    frames: LatestValue[Captured] = LatestValue()
    picture = Captured(frame_of(np.zeros((120, 160, 3), np.uint8)), 0.0)
    tracking = LiveTracking(
        Tracker(shipped_model), frames, lambda: None, lambda text: None, choose()
    )
    tracking._busy = LateLock()  # type: ignore[assignment]

    def update(frame: Frame) -> list[Face]:
        frames.put(picture)  # the next one is there at once
        time.sleep(0.01)
        return []

    tracking._tracker.update = update  # type: ignore[method-assign,assignment]
    tracking.start()
    while tracking._last is None:
        frames.put(picture)
        time.sleep(0.01)
    waiting = threading.Thread(target=tracking.freeze, daemon=True)
    waiting.start()
    waiting.join(1.0)
    assert tracking.frozen
    last = tracking._last
    time.sleep(0.05)
    assert tracking._last is last  # it stands still
    tracking.resume()
    frames.put(picture)
    asked: list[int] = []
    tracking.change(lambda tracker, faces: asked.append(len(faces)))
    assert asked == [0]
    tracking.stop()


@pytest.mark.parametrize(("gap", "ids"), [(3.0, [0]), (0.1, [1])])
def test_who_was_taught_is_the_same_after_a_freeze(
    shipped_model: FaceModel, gap: float, ids: list[int]
) -> None:
    """Three seconds on, the head and all that is behind it are elsewhere: by itself a cut."""
    video = demo_video(shipped_model.shape_model, n_frames=200)
    tracking = LiveTracking(
        Tracker(shipped_model), LatestValue(), lambda: None, lambda text: None, choose()
    )
    early, late = ([video.frame(n) for n in range(n, n + 8)] for n in (58, 150))
    cuts = CutDetector()
    assert [cuts.update(frame.grey) for frame in (early[-1], late[0])] == [False, True]
    shift = early[-1].timestamp + gap - late[0].timestamp
    for frame in [*early, *(replace(f, timestamp=f.timestamp + shift) for f in late)]:
        tracking._track(Captured(frame, 0.0))
    assert tracking._last is not None
    assert [face.id for face in tracking._last.faces if face.tracked] == ids
