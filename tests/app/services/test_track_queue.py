"""A queue of videos in a process of its own gives what `facetrack track` gives, and goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

import av
import cv2
import numpy as np
import pytest

from facetrack.cli.main import main
from facetrack.fitting.face_model import FaceModel
from facetrack.formats.openface import read_openface
from facetrack.synthetic.portrait import astronaut
from facetrack.synthetic.video import SyntheticVideo
from facetrack.video.sink import write_video
from facetrack_app.model.queue import Order, Queue, Queued, Stage
from facetrack_app.services import queue_worker
from facetrack_app.services.track_queue import TrackQueue

PATIENCE = 120.0  # seconds


class Loop:
    """Runs what is posted, as the window's thread does."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.post = self._waiting.put

    def until(self, reached: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not reached():
            assert time.monotonic() < end
            try:
                self._waiting.get(timeout=0.05)()
            except Empty:
                continue


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def tracking(loop: Loop) -> Iterator[TrackQueue]:
    made = TrackQueue(loop.post)
    yield made
    made.close()


@pytest.fixture(scope="module")
def videos(shipped_model: FaceModel, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("videos")
    paths = [folder / "one.mp4", folder / "two.mp4"]
    for seed, (path, n_frames) in enumerate(zip(paths, (20, 1400), strict=True)):
        size = (320, 240)
        video = SyntheticVideo(shipped_model.shape_model, n_frames=n_frames, size=size, seed=seed)
        write_video(video, path)
    return paths


def bytes_in(folder: Path) -> dict[str, bytes]:
    kept = [p for p in folder.iterdir() if not p.name.endswith(".timing.json")]
    return {p.name: p.read_bytes() for p in kept if p.is_file()}


def test_what_was_stopped_goes_on_and_the_files_are_those_of_the_command_line(
    tracking: TrackQueue, loop: Loop, videos: list[Path], tmp_path: Path
) -> None:
    order = Order(tuple(map(str, videos)), str(tmp_path / "out"))
    tracking.start(order)
    loop.until(lambda: len(tracking.queue.videos) == 2 and tracking.queue.videos[1].frame > 350)
    assert tracking.queue.videos[0].stage == Stage.DONE
    assert tracking.queue.videos[1].stage == Stage.TRACKING
    tracking.cancel()
    loop.until(lambda: not tracking.running)
    assert tracking.queue.ended
    assert tracking.queue.troubles == []
    assert "1 left: start again to continue" in tracking.queue.summary
    assert not (tmp_path / "out" / "two.ledger.json").exists()
    tracking.start(order)
    loop.until(lambda: not tracking.running)
    assert tracking.queue.summary == "2 videos tracked"
    first, second = tracking.queue.videos
    assert first.line.endswith("finished before")
    assert second.line.endswith("resumed at frame 300")
    status = main(["track", *map(str, videos), "-o", str(tmp_path / "line")])
    assert status == 0
    assert bytes_in(tmp_path / "out") == bytes_in(tmp_path / "line")


@pytest.mark.parametrize("rate", [None, 30.0])
def test_raw_streams_are_taken_at_the_rate_that_is_said_and_the_row_says_it(
    tracking: TrackQueue, loop: Loop, videos: list[Path], tmp_path: Path, rate: float | None
) -> None:
    raw = tmp_path / "camera.h264"
    with av.open(str(videos[0])) as given, av.open(str(raw), "w") as out:
        stream = out.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    tracking.start(Order((str(raw),), str(tmp_path / "out"), rate=rate))
    loop.until(lambda: tracking.queue.ended)
    (row,) = tracking.queue.videos
    table = read_openface(tmp_path / "out" / "camera.csv")
    assert f"spaced by the rate of {rate or 25:g} a second" in row.words
    assert table.timestamp[1] == pytest.approx(1 / (rate or 25), abs=1e-5)


def test_a_video_that_cannot_be_read_is_named_and_the_others_are_tracked(
    tracking: TrackQueue, loop: Loop, videos: list[Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    gone = tmp_path / "gone.mp4"
    inputs = (str(broken), str(gone), str(videos[0]))
    tracking.start(Order(inputs, str(tmp_path / "out")))
    loop.until(lambda: not tracking.running)
    first, second = tracking.queue.videos
    assert (first.stage, second.stage) == (Stage.FAILED, Stage.DONE)
    assert "broken.mp4" in first.line
    assert any("gone.mp4" in trouble for trouble in tracking.queue.troubles)


def test_a_model_that_is_gone_is_said(tracking: TrackQueue, loop: Loop, tmp_path: Path) -> None:
    tracking.start(Order(("x.mp4",), str(tmp_path), model="gone.npz"))
    loop.until(lambda: not tracking.running)
    assert "gone.npz" in tracking.queue.troubles[0]


def test_how_far_it_is_in_words() -> None:
    queue = Queue()
    queue.take({"planned": ["a", "b"], "errors": []})
    queue.take({"at": 0, "frame": 1, "total": 4})
    assert (queue.videos[0].words, queue.videos[0].share) == ("1 frame of 4", 0.25)
    queue.take({"done": 0, "line": "decoded 4", "failed": False})
    assert (queue.videos[0].words, queue.videos[0].share) == ("decoded 4", 1.0)
    assert queue.videos[1] == Queued("b")
    assert queue.videos[1].words == "waiting"


def test_pictures_of_a_folder_stand_each_by_itself(
    tracking: TrackQueue, loop: Loop, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    image = astronaut().image
    for name, picture in (("anna", image), ("wall", np.full_like(image, 90))):
        cv2.imwrite(str(folder / f"{name}.png"), picture)
    tracking.start(Order((str(folder),), str(tmp_path / "out")))
    loop.until(lambda: tracking.queue.ended)
    ledger = next((tmp_path / "out").glob("*.ledger.json")).read_text()
    assert '"stills": true' in ledger
    table = read_openface(next((tmp_path / "out").glob("pictures.csv")))
    assert table.success.tolist() == [True, False]


def test_a_lost_interrupt_ends_at_the_next_frame(
    videos: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, object]] = []
    monkeypatch.setattr(queue_worker, "_ended", threading.Event())
    queue_worker._ended.set()
    with pytest.raises(KeyboardInterrupt):
        queue_worker.track(Order((str(videos[0]),), str(tmp_path / "out")), told.append)
    assert [*told[0]] == ["planned", "errors"]
    assert not any("done" in message for message in told)
