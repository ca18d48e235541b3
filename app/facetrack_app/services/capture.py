# SPDX-License-Identifier: GPL-3.0-or-later
"""The capture thread: from a camera, or a file or the demo clip played as one, into a slot."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facetrack.errors import CameraError, FacetrackError
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.opening import open_source
from facetrack.video.devices import CameraInfo, list_cameras
from facetrack.video.frame import Frame
from facetrack.video.source import VideoSource
from facetrack_app.services.slot import Slot

RETRY_EVERY: Final = 2.0  # seconds between looks for a camera that has gone
PATIENCE: Final = 0.5  # seconds for which the window waits for a thread that is to end
SEAM: Final = 1.0  # seconds that pass at least where a source begins anew: no signal spans them
_UNNAMED: Final = 4  # cameras that are offered by number

Opener = Callable[[], VideoSource]


@dataclass(frozen=True, slots=True)
class Captured:
    """A frame and when it came.

    Attributes
    ----------
    frame : Frame
        Its time goes on growing over a lost camera and a clip that starts anew.
    at : float
        `time.perf_counter` when the frame was handed over by the source.
    """

    frame: Frame
    at: float


class SystemClock:
    """The clock that makes a synthetic clip behave like a camera."""

    def now(self) -> float:
        """Return seconds that never go back."""
        return time.perf_counter()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Capture:
    """Reads a source in a thread of its own, and looks for it again when it has gone.

    Parameters
    ----------
    open_it : callable
        Opens the source.
    slot : Slot of Captured
        Where frames go.
    say : callable
        Told in words what is wrong, in the capture thread; "" when all is well again.
    paced : bool
        Whether frames wait until their time has come and the source starts anew at its end.
    retry_every : float
        Seconds.
    """

    def __init__(
        self,
        open_it: Opener,
        slot: Slot[Captured],
        say: Callable[[str], None],
        *,
        paced: bool = False,
        retry_every: float = RETRY_EVERY,
    ) -> None:
        self._open, self._slot, self._say = open_it, slot, say
        self._paced, self._retry_every = paced, retry_every
        self._stop = threading.Event()
        self._time = self._came = 0.0  # when the next frame would be due; when the last one came
        self._count = 0
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and let go of the camera; one that hangs is let go when it wakes."""
        self._stop.set()
        self._thread.join(timeout=PATIENCE)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._read()
                trouble = "" if self._paced else "the source has ended"
            except CameraError as error:
                trouble = str(error)
            except FacetrackError as error:  # a broken file will not mend itself
                self._say(str(error))
                return
            if trouble and not self._stop.is_set():
                self._say(f"{trouble}; looking for it again")
                self._stop.wait(self._retry_every)

    def _read(self) -> None:
        source = self._open()
        try:
            begin = time.perf_counter()
            offset = self._time + max(SEAM, begin - self._came) if self._count else 0.0
            for frame in source:
                if self._stop.is_set():
                    return
                if self._paced:
                    self._stop.wait(max(0.0, begin + frame.timestamp - time.perf_counter()))
                if not frame.index:
                    self._say("")
                self._time = offset + frame.timestamp + 1 / 30
                renumbered = Frame(self._count, offset + frame.timestamp, frame.picture)
                self._count += 1
                self._came = time.perf_counter()
                self._slot.put(Captured(renumbered, self._came))
        finally:
            source.close()


def cameras() -> list[CameraInfo]:
    """List the cameras to choose from; where the system gives no names, the first numbers."""
    if sys.platform == "linux":
        return list_cameras()
    return [CameraInfo(number, "", f"camera {number}") for number in range(_UNNAMED)]


def opener(spec: str, shape_model: ShapeModel, size: tuple[int, int]) -> tuple[Opener, bool]:
    """Choose how a source is opened.

    Parameters
    ----------
    spec : str
        A camera's number or device file, "demo", or a path.
    shape_model : ShapeModel
    size : (int, int)
        Width and height to ask a camera for.

    Returns
    -------
    callable
        Opens it.
    bool
        Whether frames have to be paced: a file comes as fast as it can be read.
    """
    if spec == "demo":
        return lambda: _endless_demo(shape_model, size), False
    if spec.isdecimal() or spec.startswith("/dev/video"):
        from facetrack.video.camera import CameraSource

        camera = int(spec) if spec.isdecimal() else spec
        return lambda: CameraSource(camera, size=size), False
    return lambda: open_source(Path(spec)), True


def _endless_demo(shape_model: ShapeModel, size: tuple[int, int]) -> VideoSource:
    from facetrack.synthetic.video import SyntheticVideo

    return SyntheticVideo(
        shape_model, n_frames=30 * 3600 * 8, size=size, seed=1, clock=SystemClock()
    )
