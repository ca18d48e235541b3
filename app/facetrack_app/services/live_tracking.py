# SPDX-License-Identifier: GPL-3.0-or-later
"""The tracking thread of the live view: one frame in, faces out, newest first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import FacetrackError
from facetrack.face import Face
from facetrack.tracking.tracker import Tracker
from facetrack.tracking.warm_up import warm_up
from facetrack_app.model.engine import Points, teach_live
from facetrack_app.model.live import LiveFrame, SteadinessMeter
from facetrack_app.services.capture import PATIENCE, Captured
from facetrack_app.services.slot import Slot

PREPARING: Final = "preparing the tracker (the very first start compiles it: up to a minute)"
_MEASURE_EVERY: Final = 30  # frames
Mask = npt.NDArray[np.bool_]
Sink = Callable[[LiveFrame], None]


class LiveTracking:
    """Tracks what the capture thread brings.

    Parameters
    ----------
    tracker : Tracker
    frames : Slot of Captured
    ready : callable
        Told in the tracking thread that `results` holds a new frame.
    say : callable
        Told in words when the tracker cannot go on.

    Attributes
    ----------
    results : Slot of LiveFrame
    steadiness : (float, float, float)
        Jitter raw and smoothed in %, lag in ms.
    frozen : bool
        Whether the thread stands still, for a correction.
    sinks : list of callable
        Given every tracked frame, in the tracking thread: the recorder.
    """

    def __init__(
        self,
        tracker: Tracker,
        frames: Slot[Captured],
        ready: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        self.results: Slot[LiveFrame] = Slot()
        self.steadiness = (float("nan"),) * 3
        self.sinks: list[Sink] = []
        self.frozen = False
        self._tracker, self._frames = tracker, frames
        self._ready, self._say = ready, say
        self._busy = threading.Lock()  # held while a frame is tracked, and while frozen
        self._free = threading.Event()  # cleared while somebody waits for the lock: locks know no
        self._free.set()  # turns, and with frames waiting this thread would take it again and again
        self._stop = threading.Event()
        self._last: LiveFrame | None = None
        self._meter = SteadinessMeter()
        self._thread = threading.Thread(target=self._run, name="live tracking", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the frame at hand; compiling, which nothing can stop, ends by itself."""
        self._stop.set()
        self._frames.close()
        self.resume()
        self._thread.join(timeout=PATIENCE)

    def freeze(self) -> LiveFrame | None:
        """Stand still after the frame at hand and give it: what is taught now belongs to it."""
        if not self.frozen:
            self._free.clear()
            self._busy.acquire()
            self._free.set()
            self.frozen = True
        return self._last

    def resume(self) -> None:
        """Go on with the newest frame."""
        if self.frozen:
            self._frames.clear()
            self._unfreeze()

    def _unfreeze(self) -> None:
        self.frozen = False
        self._busy.release()

    def teach(self, face: Face, points: Points, mask: Mask) -> int:
        """Teach the tracker on the frame at which it stands still.

        Returns
        -------
        int
            How many lessons the person has by now.

        Raises
        ------
        FacetrackError
            If the correction is broken or the model cannot learn.
        """
        return teach_live(self._tracker, face, points, mask)

    def change(self, act: Callable[[Tracker, list[Face]], None]) -> None:
        """Do something to the tracker between two frames.

        Parameters
        ----------
        act : callable
            Given the tracker and the faces that it tracks at that moment.
        """
        was_frozen = self.frozen
        live = self.freeze()
        try:
            faces = live.faces if live is not None else ()
            act(self._tracker, [face for face in faces if face.tracked])
            self._meter.clear()
        finally:
            if not was_frozen:
                self._unfreeze()

    def _run(self) -> None:
        self._say(PREPARING)
        warm_up()
        self._frames.clear()
        self._say("")
        while not self._stop.is_set():
            captured = self._frames.take(timeout=0.5)
            if captured is None:
                continue
            self._free.wait()
            with self._busy:
                try:
                    self._track(captured)
                except FacetrackError as error:
                    self._say(str(error))
                    return

    def _track(self, captured: Captured) -> None:
        faces = tuple(self._tracker.update(captured.frame))
        captured.frame.image  # noqa: B018  (converted here, not where it is painted)
        done = time.perf_counter()
        self._last = LiveFrame(captured.frame, faces, captured.at, done)
        self.results.put(self._last)
        self._ready()
        for sink in list(self.sinks):
            sink(self._last)
        if faces:
            self._meter.add(faces[0], captured.frame.timestamp)
        if captured.frame.index % _MEASURE_EVERY == 0:
            self.steadiness = self._meter.measure()
