"""The capture thread, its slot, and the recorder."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from facetrack.errors import CameraError, OutputError, VideoError
from facetrack.face import N_POINTS, Face, State
from facetrack.formats.openface import read_openface
from facetrack.signals import choose
from facetrack.video.devices import list_cameras
from facetrack.video.frame import Frame, frame_of
from facetrack.video.sink import VideoWriter
from facetrack_app.model.live import LiveFrame
from facetrack_app.services.capture import SEAM, Capture, Captured, cameras
from facetrack_app.services.recorder import FACELESS, LANDMARKS, VIDEO, Recorder
from facetrack_app.services.slot import Backlog, Slot
from tests.app.conftest import shape


class FakeCamera:
    """A camera that gives some frames and then vanishes, each time it is opened."""

    def __init__(self, openings: list[int | Exception]) -> None:
        self.openings = openings
        self.closed = 0

    def __call__(self) -> FakeCamera:
        self.count = self.openings.pop(0) if self.openings else CameraError("camera: still gone")
        if isinstance(self.count, Exception):
            raise self.count
        return self

    def __iter__(self) -> Iterator[Frame]:
        for i in range(self.count):  # type: ignore[arg-type]
            yield frame_of(np.zeros((20, 30, 3), np.uint8), index=i, timestamp=i / 30)
        raise CameraError("camera: has vanished")

    def close(self) -> None:
        self.closed += 1


def test_the_newest_wins_and_the_others_are_counted() -> None:
    slot: Slot[int] = Slot()
    for i in range(5):
        slot.put(i)
    assert slot.take() == 4
    assert slot.dropped == 4
    assert slot.take(timeout=0) is None
    waiting = threading.Thread(target=slot.take)
    waiting.start()
    slot.close()
    waiting.join(timeout=5)
    assert not waiting.is_alive()


def test_a_full_backlog_forgets_the_oldest_and_counts_it() -> None:
    backlog: Backlog[int] = Backlog(3)
    for i in range(5):
        backlog.put(i)
    assert backlog.take() == [2, 3, 4]
    assert backlog.dropped == 2
    assert backlog.take() == []


def test_starting_over_forgets_what_was_dropped() -> None:
    slot: Slot[int] = Slot()
    slot.put(0)
    slot.put(1)
    slot.start_over()
    assert slot.dropped == 0
    assert slot.take(timeout=0) is None


def test_a_camera_that_vanishes_is_said_and_found_again() -> None:
    said: list[str] = []
    slot: Slot[Captured] = Slot()
    camera = FakeCamera([3, CameraError("camera: missing"), 2])
    capture = Capture(camera, slot, said.append, retry_every=0.01)  # type: ignore[arg-type]
    capture.start()
    deadline = time.monotonic() + 10
    while "camera: still gone; looking for it again" not in said and time.monotonic() < deadline:
        time.sleep(0.01)
    capture.stop()
    assert said[:5] == [
        "",
        "camera: has vanished; looking for it again",
        "camera: missing; looking for it again",
        "",
        "camera: has vanished; looking for it again",
    ]
    assert camera.closed == 2
    last = slot.take(timeout=0)
    assert last is not None
    assert last.frame.index == 4  # numbers and times go on over the gap
    assert last.frame.timestamp >= 3 / 30 + SEAM  # and nothing is measured across it


def test_a_camera_that_hangs_is_let_go_when_it_wakes() -> None:
    hangs, woken = threading.Event(), threading.Event()

    class Hanging(FakeCamera):
        def __iter__(self) -> Iterator[Frame]:
            hangs.set()
            woken.wait(30)
            yield frame_of(np.zeros((20, 30, 3), np.uint8))

    camera = Hanging([1])
    capture = Capture(camera, Slot(), lambda text: None)  # type: ignore[arg-type]
    capture.start()
    hangs.wait(10)
    capture.stop()  # comes back although the camera does not
    assert capture._thread.is_alive()
    woken.set()
    capture._thread.join(10)
    assert camera.closed == 1


def test_cameras_without_names_are_offered_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    assert [camera.index for camera in cameras()][:2] == [0, 1]
    monkeypatch.setattr("sys.platform", "linux")
    assert cameras() == list_cameras()


def test_a_broken_file_is_said_once() -> None:
    said: list[str] = []

    def broken() -> FakeCamera:
        raise VideoError("clip.mp4", "cannot be opened")

    capture = Capture(broken, Slot(), said.append)  # type: ignore[arg-type]
    capture.start()
    capture._thread.join(timeout=5)
    assert said == ["clip.mp4: cannot be opened"]


def _live(index: int) -> LiveFrame:
    noise = np.random.default_rng(index).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    points = shape() * 0.25
    face = Face(0, State.TRACKED, "", points, points, 0.9, None)
    lost = Face(0, State.LOST, "covered", np.full((N_POINTS, 2), np.nan), points, 0.0, None)
    frame = frame_of(noise, index=index + 100, timestamp=50 + index / 30)
    return LiveFrame(frame, (face if index % 5 else lost,), 0.0, 0.0)


@pytest.mark.parametrize("kind", [LANDMARKS, FACELESS, VIDEO])
def test_recordings_hold_every_frame(tmp_path: Path, kind: str) -> None:
    said: list[str] = []
    recorder = Recorder(tmp_path / "rec", kind, said.append, choose())
    for i in range(12):
        recorder(_live(i))
    files = recorder.close()
    table = read_openface(next(f for f in files if f.suffixes == [".csv"]))
    assert len(table) == 12
    assert table.timestamp[0] == 0
    assert table.success.sum() == 9
    videos = [f for f in files if f.suffix == ".mp4"]
    assert len(videos) == (kind != LANDMARKS)
    if videos:
        with av.open(str(videos[0])) as video:
            assert len(list(video.decode(video=0))) == 12
    assert said == []


def test_a_faceless_recording_holds_no_pixel_of_the_camera(tmp_path: Path) -> None:
    """Every file is searched: what decodes is the line drawing, and no raw frame lies inside."""
    recorder = Recorder(tmp_path, FACELESS, lambda text: None, choose())
    frames = [_live(i) for i in range(10)]
    for live in frames:
        recorder(live)
    recorder.close()
    pictures = []
    for path in tmp_path.rglob("*"):
        content = path.read_bytes()
        for live in frames:
            for row in (0, 60, 119):
                assert live.frame.image[row].tobytes() not in content
                assert live.frame.grey[row].tobytes() not in content
        try:
            with av.open(str(path)) as video:
                pictures += [f.to_ndarray(format="gray") for f in video.decode(video=0)]
        except av.error.FFmpegError:
            continue
    assert len(pictures) == 10
    for picture, live in zip(pictures, frames, strict=True):
        shown = np.corrcoef(picture.ravel(), live.frame.grey.ravel())[0, 1]
        assert abs(shown) < 0.05  # a decodable copy of the noise would be near 1


def test_a_recording_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot be written"):
        Recorder(tmp_path / "file", LANDMARKS, lambda text: None, choose())


def test_a_recording_whose_disk_is_full_ends_and_waits_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(writer: VideoWriter, image: object, timestamp: float) -> None:
        raise OutputError(f"{writer.path}: cannot be written (the disk is full)")

    monkeypatch.setattr(VideoWriter, "write", full)
    said: list[str] = []
    recorder = Recorder(tmp_path, VIDEO, said.append, choose())
    for i in range(5):
        recorder(_live(i))
    recorder._thread.join(10)
    assert recorder.failed
    recorder(_live(9))
    assert recorder._waiting.qsize() <= 4  # what came before it failed
    files = recorder.close()
    assert any("the disk is full" in text for text in said)
    table = read_openface(next(f for f in files if f.suffixes == [".csv"]))
    assert len(table) == 1


def test_two_recordings_in_one_second_do_not_meet(tmp_path: Path) -> None:
    first = Recorder(tmp_path, LANDMARKS, lambda text: None, choose())
    second = Recorder(tmp_path, LANDMARKS, lambda text: None, choose())
    assert first.base != second.base
    first.close()
    second.close()
