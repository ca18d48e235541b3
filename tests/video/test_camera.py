"""Cameras, through a fake capture object: no machine of the tests has one."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facetrack.errors import CameraError
from facetrack.video.camera import BAD_GRABS, CameraSource
from facetrack.video.devices import CameraInfo, check_permission, list_cameras


class FakeCapture:
    """A camera whose frames carry their number, one for each permit."""

    def __init__(self, permits: int = 0, *, opened: bool = True, ends: bool = True) -> None:
        self.permits = threading.Semaphore(permits)
        self.posted = threading.Semaphore(0)
        self.opened, self.ends = opened, ends
        self.number = -1
        self.released = threading.Event()
        self.settings: list[int] = []
        self.threads: set[int] = set()

    def isOpened(self) -> bool:
        return self.opened

    def grab(self) -> bool:
        self.threads.add(threading.get_ident())
        self.posted.release()
        if not self.permits.acquire(timeout=0.01 if self.ends else 3600):
            return False
        self.number += 1
        return True

    def retrieve(self) -> tuple[bool, Any]:
        return True, np.full((4, 6, 3), self.number, np.uint8)

    def get(self, prop: int) -> float:
        return 0.0

    def set(self, prop: int, value: float) -> bool:
        self.settings.append(prop)
        return True

    def release(self) -> None:
        self.threads.add(threading.get_ident())
        self.released.set()


def _opener(capture: FakeCapture) -> Callable[[int | str], FakeCapture]:
    return lambda camera: capture


def test_times_are_those_of_the_grabs() -> None:
    capture = FakeCapture(1, ends=False)
    ticks = iter(range(5_000_000_000, 10_000_000_000, 40_000_000))
    with CameraSource(0, open_capture=_opener(capture), clock=lambda: next(ticks)) as camera:
        frames = iter(camera)
        seen = [next(frames)]
        for _ in range(3):
            capture.permits.release()
            seen.append(next(frames))
        capture.permits.release(1)
    assert [f.index for f in seen] == [0, 1, 2, 3]
    assert [f.timestamp for f in seen] == pytest.approx([0, 0.04, 0.08, 0.12])
    assert [f.image[0, 0, 0] for f in seen] == [0, 1, 2, 3]
    assert (camera.size, camera.n_frames, camera.duration) == ((6, 4), None, None)
    assert camera.report.decoded == 4
    assert camera.started.tzinfo is not None


def test_a_slow_consumer_gets_the_newest_frame() -> None:
    capture = FakeCapture(1, ends=False)
    with CameraSource(0, open_capture=_opener(capture)) as camera:
        frames = iter(camera)
        assert next(frames).image[0, 0, 0] == 0
        for _ in range(5):
            capture.permits.release()
        for _ in range(7):  # the grab after the fifth frame begins when that has been posted
            assert capture.posted.acquire(timeout=10)
        assert next(frames).image[0, 0, 0] == 5
        assert camera.dropped == 4
        capture.permits.release()


def test_a_vanished_camera_ends_in_words_after_its_last_frame() -> None:
    capture = FakeCapture(3)
    camera = CameraSource(2, open_capture=_opener(capture))
    with pytest.raises(CameraError, match="camera 2: has vanished"):
        list(camera)
    assert camera.report.undecodable == BAD_GRABS
    assert capture.released.wait(10)


def test_a_camera_that_hangs_is_given_up() -> None:
    capture = FakeCapture(1, ends=False)
    camera = CameraSource(0, open_capture=_opener(capture), frame_patience=0.05)
    frames = iter(camera)
    next(frames)
    with pytest.raises(CameraError, match="gave no frame for"):
        next(frames)
    capture.permits.release()


def test_a_camera_that_never_answers_is_given_up_at_the_start() -> None:
    capture = FakeCapture(0, ends=False)
    with pytest.raises(CameraError, match="gave no frame"):
        CameraSource(7, open_capture=_opener(capture), opening_patience=0.05)
    threads = threading.active_count()
    for _ in range(3):
        with pytest.raises(CameraError, match="camera 7: still hangs; unplug it"):
            CameraSource(7, open_capture=_opener(FakeCapture(1)))
    assert threading.active_count() == threads
    capture.permits.release()
    assert capture.released.wait(10)
    while threading.active_count() == threads:
        time.sleep(0.01)
    CameraSource(7, open_capture=_opener(FakeCapture(1))).close()


def test_a_busy_camera_is_named() -> None:
    with pytest.raises(CameraError, match="missing or busy; close other programs"):
        CameraSource(0, open_capture=_opener(FakeCapture(opened=False)))


def test_refused_permission_is_named() -> None:
    def refuse(camera: int | str) -> FakeCapture:
        raise PermissionError(13, "Permission denied", str(camera))

    with pytest.raises(CameraError, match="Permission denied"):
        CameraSource("/dev/video0", open_capture=refuse)


def test_the_device_belongs_to_one_thread() -> None:
    capture = FakeCapture(2, ends=False)
    with CameraSource(0, open_capture=_opener(capture)) as camera:
        next(iter(camera))
        capture.permits.release(5)
    assert capture.released.wait(10)
    assert len(capture.threads) == 1
    assert threading.get_ident() not in capture.threads


def test_closing_ends_the_iteration() -> None:
    capture = FakeCapture(1, ends=False)
    camera = CameraSource(0, open_capture=_opener(capture))
    frames = iter(camera)
    next(frames)
    closer = threading.Timer(0.05, camera.close)
    closer.start()
    assert next(frames, None) is None
    capture.permits.release()
    closer.join()


def _node(sysfs: Path, number: int, name: str, index: str) -> None:
    folder = sysfs / f"video{number}"
    folder.mkdir()
    (folder / "name").write_text(f"{name}\n")
    (folder / "index").write_text(f"{index}\n")


def test_cameras_are_listed_by_what_their_nodes_can_do(tmp_path: Path) -> None:
    for number, name in ((0, "Webcam"), (1, "Webcam"), (2, "Grabber"), (10, "Codec"), (11, "Shy")):
        _node(tmp_path, number, name, "1" if number == 1 else "0")
    (tmp_path / "v4l-subdev0").mkdir()
    can = {"video0": 0x04200001, "video1": 0x04A00000, "video2": 0x1, "video10": 0x8000}
    cameras = list_cameras(
        sysfs=tmp_path, devices=Path("/dev"), capabilities=lambda path: can.get(path.name)
    )
    assert cameras == [
        CameraInfo(0, "/dev/video0", "Webcam"),
        CameraInfo(2, "/dev/video2", "Grabber"),
        CameraInfo(11, "/dev/video11", "Shy"),
    ]


def test_nodes_that_may_not_be_asked_are_told_by_their_index(tmp_path: Path) -> None:
    _node(tmp_path, 0, "Webcam", "0")
    _node(tmp_path, 1, "Webcam", "1")
    found = list_cameras(sysfs=tmp_path, devices=tmp_path / "nowhere")
    assert [c.index for c in found] == [0]
    assert list_cameras(sysfs=tmp_path / "none") == []


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux's /dev")
def test_permission_is_told_from_absence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CameraError, match="no such camera"):
        check_permission(str(tmp_path / "video9"))
    device = tmp_path / "video0"
    device.touch()
    check_permission(str(device))
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(CameraError, match="usermod -aG video"):
        check_permission(str(device))
