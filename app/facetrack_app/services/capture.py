# SPDX-License-Identifier: GPL-3.0-or-later
"""The capture thread: frames of a camera, or of a file or demo clip played as one."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facetrack.errors import CameraError, FacetrackError
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.opening import open_source
from facetrack.video.devices import CameraInfo, list_cameras
from facetrack.video.frame import Frame
from facetrack.video.source import VideoSource
from facetrack_app.services.latest_value import LatestValue

RETRY_EVERY: Final = 2.0  # seconds between looks for a camera that has gone
PATIENCE: Final = 0.5  # seconds for which the window waits for a thread that is to end
SLOW: Final = 2.5  # seconds without an answer after which a camera counts as hanging
SEAM: Final = 1.0  # seconds that pass at least where a source begins anew: no signal spans them
PAUSE: Final = 0.5  # seconds without a frame after which a change of the picture is no cut
_UNNAMED: Final = 4  # cameras that are offered by number


@dataclass(frozen=True, slots=True)
class Source:
    """Where frames come from."""

    name: str  # for messages
    open: Callable[[], VideoSource]
    ends: bool = False  # a file: frames wait until their time has come, and there is a last one
    device: bool = False  # may hang


@dataclass(frozen=True, slots=True)
class Captured:
    """A frame and when it came."""

    frame: Frame  # its number and time go on growing over a lost camera
    at: float  # `time.perf_counter` when the source handed it over


class SystemClock:
    """The clock that makes a synthetic clip behave like a camera."""

    def now(self) -> float:
        """Return seconds that never go back."""
        return time.perf_counter()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Capture:
    """Reads a source in a thread of its own, and looks for it again when it has gone."""

    def __init__(
        self,
        source: Source,
        latest: LatestValue[Captured],
        say: Callable[[str], None],
        ended: Callable[[], None] = lambda: None,
        *,
        retry_every: float = RETRY_EVERY,
    ) -> None:
        self._source, self._latest, self._say, self._ended = source, latest, say, ended
        self._retry_every = retry_every
        self._stop, self._going = threading.Event(), threading.Event()
        self._going.set()
        self._time = self._came = 0.0  # when the next frame would be due; when the last one came
        self._count = 0
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def pause(self) -> None:
        """Let go of the camera until `go_on`; a file waits where it is."""
        self._going.clear()

    def go_on(self) -> None:
        """Take the camera up again; numbers and times go on."""
        self._going.set()

    def stop(self) -> None:
        """End, and let go of the camera; one that hangs is let go when it wakes."""
        self._stop.set()
        self._going.set()
        self._thread.join(timeout=PATIENCE)

    def _run(self) -> None:
        while not self._stop.is_set():
            if not self._source.ends:
                self._going.wait()
            try:
                self._read()
                trouble = "the source has ended" if self._going.is_set() else ""
            except CameraError as error:
                trouble = str(error)
            except FacetrackError as error:  # a broken file will not mend itself
                self._say(str(error))
                return
            if self._stop.is_set():
                return
            if self._source.ends:
                self._end()
                return
            if trouble:
                self._say(f"{trouble}; looking for it again")
                self._stop.wait(self._retry_every)

    def _read(self) -> None:
        with closing(self._open()) as source:
            begin = time.perf_counter()
            offset = self._time + max(SEAM, begin - self._came) if self._count else 0.0
            for frame in source:
                if self._source.ends and self._count:
                    begin += self._wait_to_go_on()
                    self._stop.wait(max(0.0, begin + frame.timestamp - time.perf_counter()))
                if self._stop.is_set() or not (self._source.ends or self._going.is_set()):
                    return
                if not frame.index:
                    self._say("")
                self._time = offset + frame.timestamp + 1 / 30
                renumbered = Frame(self._count, offset + frame.timestamp, frame.square.picture)
                self._count += 1
                self._came = time.perf_counter()
                self._latest.put(Captured(renumbered, self._came))

    def _open(self) -> VideoSource:
        """Open the source; says so where a device does not answer."""
        if not self._source.device:
            return self._source.open()
        watch = threading.Timer(
            SLOW, lambda: self._say(f"{self._source.name} does not answer; still waiting for it")
        )
        watch.daemon = True
        watch.start()
        try:
            return self._source.open()
        finally:
            watch.cancel()

    def _wait_to_go_on(self) -> float:
        """Stand still while paused; returns for how many seconds."""
        begin = time.perf_counter()
        self._going.wait()
        return time.perf_counter() - begin

    def _end(self) -> None:
        """Say that there is no more, once the last frame was taken."""
        while self._latest.waiting and not self._stop.wait(0.02):
            pass
        if not self._stop.is_set():
            self._ended()


def cameras() -> list[CameraInfo]:
    """List the cameras to choose from; where the system gives no names, the first numbers."""
    if sys.platform == "linux":
        return list_cameras()
    return [CameraInfo(number, "", f"camera {number}") for number in range(_UNNAMED)]


def source_of(spec: str, shape_model: ShapeModel, size: tuple[int, int]) -> Source:
    """Choose how a source is opened."""
    if spec == "demo":
        return Source("the demo clip", lambda: _endless_demo(shape_model, size))
    if spec.isdecimal() or spec.startswith("/dev/video"):
        camera = int(spec) if spec.isdecimal() else spec
        return Source(f"camera {camera}", lambda: _camera(camera, size), device=True)
    path = Path(spec)
    return Source(path.name, lambda: open_source(path), ends=True)


def _camera(camera: int | str, size: tuple[int, int]) -> VideoSource:
    from facetrack.video.camera import CameraSource

    return CameraSource(camera, size=size, frame_patience=SLOW)


def _endless_demo(shape_model: ShapeModel, size: tuple[int, int]) -> VideoSource:
    from facetrack.synthetic.clips import demo_video

    return demo_video(shape_model, n_frames=30 * 3600 * 8, size=size, clock=SystemClock())
