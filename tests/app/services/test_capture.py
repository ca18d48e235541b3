"""The capture thread, its slot, and the recorder."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import av
import numpy as np
import pytest

from facetrack.corpus.task import Outputs
from facetrack.errors import CameraError, OutputError, VideoError
from facetrack.face import N_POINTS, Face, State
from facetrack.formats.openface import read_openface
from facetrack.formats.signals_csv import read_signals
from facetrack.signals import choose
from facetrack.video.devices import list_cameras
from facetrack.video.frame import Frame, Image, frame_of
from facetrack.video.sink import VideoWriter
from facetrack_app.model.live import BUSY, FROZEN, LiveFrame, missed_frame
from facetrack_app.model.recording import AWAY, FACELESS, KINDS, LANDMARKS, VIDEO, Wish
from facetrack_app.services.capture import SEAM, Capture, Captured, Source, cameras
from facetrack_app.services.latest_value import Backlog, LatestValue
from facetrack_app.services.recorder import Recorder
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
    slot: LatestValue[int] = LatestValue()
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


def test_what_nobody_will_take_is_handed_on() -> None:
    slot: LatestValue[int] = LatestValue()
    missed: list[int] = []
    slot.missed = missed.append
    slot.put(0)
    slot.put(1)
    slot.clear()
    slot.clear()
    assert missed == [0, 1]
    assert slot.dropped == 1


def test_a_camera_that_vanishes_is_said_and_found_again() -> None:
    said: list[str] = []
    slot: LatestValue[Captured] = LatestValue()
    camera = FakeCamera([3, CameraError("camera: missing"), 2])
    capture = Capture(Source("it", camera), slot, said.append, retry_every=0.01)  # type: ignore[arg-type]
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
    capture = Capture(Source("it", camera), LatestValue(), lambda text: None)  # type: ignore[arg-type]
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

    capture = Capture(Source("it", broken), LatestValue(), said.append)  # type: ignore[arg-type]
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


@pytest.mark.parametrize("kind", KINDS)
def test_recordings_hold_every_frame(tmp_path: Path, kind: str) -> None:
    recorder = Recorder(Wish(tmp_path / "rec", kind), choose())
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
    assert recorder.failure == ""


def test_a_faceless_recording_holds_no_pixel_of_the_camera(tmp_path: Path) -> None:
    """Every file is searched: what decodes is the line drawing, and no raw frame lies inside."""
    recorder = Recorder(Wish(tmp_path, FACELESS), choose())
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
        Recorder(Wish(tmp_path / "file"), choose())


def test_a_recording_whose_disk_is_full_ends_and_waits_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, calls = VideoWriter.write, iter(range(100))

    def full(writer: VideoWriter, image: Image, timestamp: float) -> None:
        if next(calls) == 2:
            raise OutputError(f"{writer.path}: cannot be written (the disk is full)")
        write(writer, image, timestamp)

    monkeypatch.setattr(VideoWriter, "write", full)
    recorder = Recorder(Wish(tmp_path, VIDEO), choose())
    for i in range(5):
        recorder(_live(i))
    recorder._thread.join(10)
    assert "the disk is full" in recorder.failure
    recorder(_live(9))
    assert recorder._waiting.qsize() <= 2  # what came before it failed
    files = recorder.close()
    table = read_openface(next(f for f in files if f.suffixes == [".csv"]))
    assert len(table) == 3
    assert len(read_signals(Outputs(recorder.base).path("signals"))) > 0
    with av.open(str(recorder.base.with_suffix(".mp4"))) as video:
        assert len(list(video.decode(video=0))) == 2


def test_two_recordings_in_one_second_do_not_meet(tmp_path: Path) -> None:
    first = Recorder(Wish(tmp_path), choose())
    second = Recorder(Wish(tmp_path), choose())
    assert first.base != second.base
    first.close()
    second.close()


def _missed(index: int, why: str) -> LiveFrame:
    tracked = _live(index)
    return missed_frame(tracked.frame, tracked.faces, choose(), why)


def test_a_freeze_stands_in_the_table_and_no_frame_is_missing(tmp_path: Path) -> None:
    recorder = Recorder(Wish(tmp_path, VIDEO, "Anna B."), choose())
    for i in range(10):
        if i == 4:  # dropped while frame 3 was tracked: it comes first
            recorder(_missed(4, BUSY))
            recorder(_live(3))
        elif i != 3:
            recorder(_missed(i, FROZEN) if 5 <= i < 9 else _live(i))
    recorder.close()
    table = read_openface(Outputs(recorder.base).path("csv"))
    assert table.frame.tolist() == list(range(10))
    np.testing.assert_allclose(table.timestamp, np.arange(10) / 30, atol=1e-6)
    assert [table.reason[i] for i in (3, 4, 5, 8, 9)] == ["", BUSY, FROZEN, FROZEN, ""]
    assert np.isnan(table.points[4:9]).all()
    signals = read_signals(Outputs(recorder.base).path("signals"))
    assert signals.frame.tolist() == list(range(10))
    assert signals.signals["quality"].reason[6] == FROZEN
    with av.open(str(recorder.base.with_suffix(".mp4"))) as video:
        times = [float(f.time) for f in video.decode(video=0)]
    np.testing.assert_allclose(times, np.arange(10) / 30, atol=1e-3)
    content = json.loads(recorder.base.with_suffix(".recording.json").read_text())
    assert content["subject"] == "Anna B."
    assert content["not tracked"] == {BUSY: 1, FROZEN: 4}
    assert content["gaps"] == [{"start": 0.167, "stop": 0.267, "reason": FROZEN}]
    assert recorder.account.lines() == [f"0.2 to 0.3 s: {FROZEN}"]


def test_a_frame_without_a_face_that_was_missed_says_why(tmp_path: Path) -> None:
    recorder = Recorder(Wish(tmp_path), choose())
    recorder(replace(_live(0), faces=()))
    recorder(missed_frame(_live(1).frame, (), choose(), FROZEN))
    recorder.close()
    signals = read_signals(Outputs(recorder.base).path("signals"))
    assert signals.signals["quality"].reason == ("no face", FROZEN)


def test_a_camera_that_was_away_is_a_gap(tmp_path: Path) -> None:
    recorder = Recorder(Wish(tmp_path), choose())
    recorder(_live(0))
    later = _live(1)
    recorder(replace(later, frame=replace(later.frame, timestamp=later.frame.timestamp + 4)))
    recorder.close()
    assert recorder.account.lines() == [f"0.0 to 4.0 s: {AWAY}"]


def test_a_frame_that_never_comes_stops_nothing(tmp_path: Path) -> None:
    """As where the tracker ended with an error while a frame was in its hands."""
    recorder = Recorder(Wish(tmp_path), choose())
    for i in range(100):
        if i != 3:
            recorder(_live(i))
    while recorder.account.frames < 60:
        time.sleep(0.01)
    recorder.close()
    table = read_openface(Outputs(recorder.base).path("csv"))
    assert table.frame.tolist() == [i for i in range(100) if i != 3]


@pytest.mark.parametrize(
    ("subject", "session", "stem"),
    [
        ("anna", "", "anna-2026-11-27-1530"),
        ("anna", "visit 2", "anna-visit-2-2026-11-27-1530"),
        ("../etc/passwd", "a\\b:c*", "etc-passwd-a-b-c-2026-11-27-1530"),
        ("Jörg", "", "Jörg-2026-11-27-1530"),
        (" ... ", "", "live-2026-11-27-1530"),
    ],
)
def test_names_of_recordings(tmp_path: Path, subject: str, session: str, stem: str) -> None:
    wish = Wish(tmp_path, subject=subject, session=session)
    assert wish.stem(datetime(2026, 11, 27, 15, 30)) == stem


def test_a_file_ends_at_its_end_and_waits_while_paused() -> None:
    """What is put in front of the tracker is played once."""
    said: list[str] = []
    ended = threading.Event()
    slot: LatestValue[Captured] = LatestValue()

    class Clip(FakeCamera):
        def __iter__(self) -> Iterator[Frame]:
            for i in range(3):
                yield frame_of(np.zeros((20, 30, 3), np.uint8), index=i, timestamp=i / 100)

    clip = Clip([1, 1])
    capture = Capture(Source("clip.mp4", clip, ends=True), slot, said.append, ended.set)  # type: ignore[arg-type]
    capture.pause()
    capture.start()
    first = slot.take(timeout=10)
    assert first is not None
    assert first.frame.index == 0  # to be looked at while kernels compile
    assert slot.take(timeout=0.1) is None
    capture.go_on()
    last = None
    while last is None or last.frame.index < 2:
        assert not ended.is_set()
        last = slot.take(timeout=10)
        assert last is not None
    assert ended.wait(10)
    capture._thread.join(10)
    assert clip.openings == [1]  # opened once
    assert last.frame.timestamp == 2 / 100
    capture.stop()


def test_a_paused_camera_is_let_go_and_taken_up_again() -> None:
    opened = threading.Semaphore(0)

    class Endless(FakeCamera):
        def __call__(self) -> Endless:
            opened.release()
            return self

        def __iter__(self) -> Iterator[Frame]:
            for i in range(10**6):
                time.sleep(0.002)
                yield frame_of(np.zeros((20, 30, 3), np.uint8), index=i, timestamp=i / 500)

    camera, slot = Endless([]), LatestValue[Captured]()
    said: list[str] = []
    capture = Capture(Source("it", camera), slot, said.append, retry_every=30)  # type: ignore[arg-type]
    capture.start()
    assert opened.acquire(timeout=10)
    before = slot.take(timeout=10)
    assert before is not None
    capture.pause()
    while not camera.closed:
        time.sleep(0.01)
    slot.clear()
    assert slot.take(timeout=0.1) is None
    capture.go_on()
    assert opened.acquire(timeout=10)
    after = slot.take(timeout=10)
    assert after is not None
    assert after.frame.index > before.frame.index
    assert after.frame.timestamp > before.frame.timestamp + 0.9
    capture.stop()
    assert [text for text in said if text] == []


def test_a_camera_that_does_not_open_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facetrack_app.services.capture.SLOW", 0.05)
    woken = threading.Event()
    said: list[str] = []

    def hangs() -> FakeCamera:
        woken.wait(30)
        raise CameraError("camera 0: cannot be opened")

    capture = Capture(Source("camera 0", hangs, device=True), LatestValue(), said.append)  # type: ignore[arg-type]
    capture.start()
    deadline = time.monotonic() + 10
    while not said and time.monotonic() < deadline:
        time.sleep(0.01)
    assert said == ["camera 0 does not answer; still waiting for it"]
    capture.stop()
    woken.set()
    capture._thread.join(10)
