"""Cameras: read in a thread of their own, so that a slow consumer sees the newest frame."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import cv2
import numpy as np

from facetrack.errors import CameraError
from facetrack.video.devices import check_permission
from facetrack.video.frame import ArrayPicture, Frame, Image
from facetrack.video.source import ClosesItself, DecodeReport

OPENING_PATIENCE: Final = 30.0  # seconds: Media Foundation on Windows takes up to this
FRAME_PATIENCE: Final = 5.0  # seconds without a frame after which a camera counts as gone
_RATE: Final = 30.0  # frames per second to ask for
BAD_GRABS: Final = 10  # in a row; single ones happen while a camera starts
_HANGING: Final[dict[int | str, threading.Thread]] = {}  # threads that outlived their source


class Capture(Protocol):
    """The part of `cv2.VideoCapture` that is used."""

    def isOpened(self) -> bool:
        """Return whether the device is open."""

    def grab(self) -> bool:
        """Wait for the next frame."""

    def retrieve(self) -> tuple[bool, Any]:
        """Decode the frame that was grabbed."""

    def get(self, prop: int) -> float:
        """Read a property."""

    def set(self, prop: int, value: float) -> bool:
        """Set a property."""

    def release(self) -> None:
        """Close the device."""


class CameraSource(ClosesItself):
    """A camera: gives its newest frame, and counts those that it missed as `dropped`.

    The `size` is a wish; the attribute is what was granted. `started` (UTC) is when
    it was opened, as frames' times tell no date. `open_capture` goes from the camera to an open
    `Capture` (OpenCV's by default), `clock` gives monotonic nanoseconds, the patience is in
    seconds. Raises CameraError if the camera is missing, busy, may not be used, gives no picture,
    or still hangs.
    """

    n_frames = None
    duration = None

    def __init__(
        self,
        camera: int | str,
        *,
        size: tuple[int, int] | None = (640, 480),
        open_capture: Callable[[int | str], Capture] | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
        opening_patience: float = OPENING_PATIENCE,
        frame_patience: float = FRAME_PATIENCE,
    ) -> None:
        self.name = f"camera {camera}" if isinstance(camera, int) else camera
        self._camera, self._wish, self._clock = camera, size, clock
        self._patience = frame_patience
        self._mailbox = threading.Condition()
        self._newest: tuple[int, Image] | None = None
        self._first: tuple[int, Image] | None = None  # proves that the camera works
        self._failure: str | None = None
        self._stop = threading.Event()
        self._origin: int | None = None
        self.dropped, self.size = 0, (0, 0)
        self.report = DecodeReport()
        self.started = datetime.now(UTC)
        if open_capture is None:
            check_permission(camera)
        if camera in _HANGING and _HANGING[camera].is_alive():  # or each try would leave a thread
            raise CameraError(f"{self.name}: still hangs; unplug it and plug it in again")
        # A daemon: a driver that hangs must not keep the program from ending.
        self._thread = threading.Thread(
            target=self._capture, args=(open_capture or _open,), name=self.name, daemon=True
        )
        self._thread.start()
        try:
            self._first = self._wait(opening_patience)
        except CameraError:
            self.close()
            raise

    def __iter__(self) -> Iterator[Frame]:
        """Give the newest frame whenever the consumer is ready; raises CameraError if it vanishes.

        `timestamp` counts from the first frame handed over and is taken when the frame was grabbed,
        not when it was asked for.
        """
        while not self._stop.is_set():
            newest, self._first = self._first or self._wait(self._patience), None
            if newest is None:
                return
            grabbed, image = newest
            if self._origin is None:
                self._origin = grabbed
            seconds = (grabbed - self._origin) * 1e-9
            self.report.decoded += 1
            yield Frame(self.report.decoded - 1, seconds, ArrayPicture(image))

    def close(self) -> None:
        """Let go of the camera."""
        self._stop.set()
        with self._mailbox:
            self._mailbox.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=2.0)
            if self._thread.is_alive():
                _HANGING[self._camera] = self._thread

    def _wait(self, patience: float) -> tuple[int, Image] | None:
        """Take the newest frame out of the mailbox; None when the source was closed."""
        with self._mailbox:
            came = self._mailbox.wait_for(
                lambda: self._newest is not None or self._failure or self._stop.is_set(), patience
            )
            if self._stop.is_set():
                return None
            if self._newest is not None:
                newest, self._newest = self._newest, None
                return newest
            if self._failure is None and not came:
                self._failure = f"gave no frame for {patience:g} s; plug it in again"
            raise CameraError(f"{self.name}: {self._failure}")

    def _capture(self, open_capture: Callable[[int | str], Capture]) -> None:
        """Read until told to stop; runs in the camera's thread, which also opens and closes it."""
        try:
            capture = open_capture(self._camera)
        except (CameraError, OSError, cv2.error) as error:
            self._fail(str(error))
            return
        try:
            if not capture.isOpened():
                self._fail(_why_closed(self._camera))
                return
            _configure(capture, self._wish)
            self._read(capture)
        except cv2.error as error:
            self._fail(f"stopped working ({error.err})")
        finally:
            capture.release()

    def _read(self, capture: Capture) -> None:
        failures = 0
        while not self._stop.is_set():
            good = capture.grab()
            grabbed = self._clock()  # right after the frame was taken from the driver
            image = None
            if good:
                good, image = capture.retrieve()
            if not good or image is None or not image.size:
                failures += 1
                self.report.undecodable += 1
                if failures >= BAD_GRABS:
                    self._fail("has vanished or stopped sending; check its cable, then start again")
                    return
                self._stop.wait(0.02)
                continue
            failures = 0
            self._post(grabbed, np.ascontiguousarray(image, dtype=np.uint8))

    def _post(self, grabbed: int, image: Image) -> None:
        with self._mailbox:
            self.dropped += self._newest is not None
            self._newest = grabbed, image
            self.size = (image.shape[1], image.shape[0])
            self._mailbox.notify_all()

    def _fail(self, reason: str) -> None:
        with self._mailbox:
            self._failure = reason
            self._mailbox.notify_all()


def _open(camera: int | str) -> Capture:
    backend = cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY
    capture: Capture = cv2.VideoCapture(camera, backend)
    return capture


def _configure(capture: Capture, size: tuple[int, int] | None) -> None:
    """Ask for compressed pictures first: uncompressed ones do not fit through USB 2 at 720p."""
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    if size is not None:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
    capture.set(cv2.CAP_PROP_FPS, _RATE)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)


def _why_closed(camera: int | str) -> str:
    remedy = "close other programs that use it (video calls, browsers)"
    if sys.platform == "darwin":
        remedy += ", and allow the terminal to use the camera in the privacy settings"
    return f"cannot be opened: it is missing or busy; {remedy}, or choose another number"
