# SPDX-License-Identifier: GPL-3.0-or-later
"""The tracking thread of the live view: one frame in, faces and signals out, newest first."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import FacetrackError
from facetrack.face import Face
from facetrack.fitting.kernel_cache import prepare
from facetrack.reading import Finding
from facetrack.signals import Choice, Pipeline
from facetrack.tracking.tracker import Tracker
from facetrack.video.frame import Frame
from facetrack_app.model.live import (
    BUSY,
    FROZEN,
    Heard,
    LiveFrame,
    SignalHealth,
    SteadinessMeter,
    missed_frame,
)
from facetrack_app.model.rows import Points
from facetrack_app.services.capture import PATIENCE, PAUSE, Captured
from facetrack_app.services.interpreter import spare_what_is_loaded
from facetrack_app.services.latest_value import Backlog, LatestValue

_MEASURE_EVERY: Final = 30  # frames
_WAITING: Final = 600  # frames: longer than the charts are, at 50 frames/s
Mask = npt.NDArray[np.bool_]
Sink = Callable[[LiveFrame], None]


class LiveTracking:
    """Tracks what the capture thread brings; `choice` may be set to another one at any time."""

    def __init__(
        self,
        tracker: Tracker,
        frames: LatestValue[Captured],
        ready: Callable[[], None],
        say: Callable[[str], None],
        choice: Choice,
    ) -> None:
        self.results: LatestValue[LiveFrame] = LatestValue()  # with the captured frames' numbers
        self.heard: Backlog[Heard] = Backlog(_WAITING)  # of every frame, though the newest is shown
        self.choice, self.health = choice, SignalHealth()
        self.steadiness = (float("nan"),) * 3  # jitter raw and smoothed in %, lag in ms
        # The recorder: given every frame, also missed ones, which may come before earlier ones.
        self.sinks: list[Sink] = []
        self.frozen = False  # stands still, for a correction
        self.preparing = ""  # how far kernels are; empty once frames are tracked
        self.prepared: Callable[[], object] = lambda: None  # told in the thread as it begins
        self.missed: Counter[str] = Counter()  # frames that were not tracked, by the reason
        self._tracker, self._frames = tracker, frames
        self._ready, self._say = ready, say
        self._pipeline = Pipeline(choice, live=True)
        self._busy = threading.Lock()  # held while a frame is tracked, and while frozen
        self._free = threading.Event()  # cleared while a thread waits for the lock: locks know no
        self._free.set()  # turns, and with frames waiting this thread would take it again and again
        self._stop = threading.Event()
        self._last: LiveFrame | None = None
        self._measure_in = 0  # tracked frames
        self._meter = SteadinessMeter()
        self._thread = threading.Thread(target=self._run, name="live tracking", daemon=True)

    @property
    def now(self) -> float:
        """The time as the camera counts it, in seconds; NaN before the first tracked frame."""
        last = self._last
        if last is None:
            return math.nan
        return last.frame.timestamp + time.perf_counter() - last.captured

    @property
    def charted(self) -> int:
        """The face whose signals the charts show, or 0: an event is always of a face."""
        last = self._last
        return max(last.heard().face_id, 0) if last is not None else 0

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

    def settle(self) -> None:
        """Wait until the frame at hand is tracked, and a correction has ended."""
        with self._busy:
            pass

    def teach(self, face: Face, points: Points, mask: Mask) -> int:
        """Teach the tracker on the frame at which it stands still; returns the face's examples."""
        return self._tracker.correct(face.id, points, mask).examples

    def change(self, act: Callable[[Tracker, list[Face]], None]) -> None:
        """Do something to the tracker between two frames."""
        with self._standing() as live:
            faces = live.faces if live is not None else ()
            act(self._tracker, [face for face in faces if face.tracked])
            self._meter.clear()

    def detach(self, sink: Sink) -> list[Finding]:
        """Give a sink no further frame."""
        if self._stop.is_set() and self._thread.is_alive():  # it hangs, and so would we
            self.sinks.remove(sink)
            return []
        with self._standing():
            self.sinks.remove(sink)
            return self._pipeline.outlook()

    @contextlib.contextmanager
    def _standing(self) -> Iterator[LiveFrame | None]:
        """Stand still for a moment."""
        was_frozen = self.frozen
        last = self.freeze()
        try:
            yield last
        finally:
            if not was_frozen:
                self._unfreeze()

    def _prepare(self) -> None:
        """Show pictures as they come while kernels are loaded or compiled."""
        kernels = threading.Thread(
            target=prepare, args=(self._note,), name="preparing kernels", daemon=True
        )
        kernels.start()
        shown: Captured | None = None
        while kernels.is_alive() and not self._stop.is_set():
            captured = self._frames.take(timeout=0.05)
            if captured is not None:
                shown, frame = captured, captured.frame
                frame.image  # noqa: B018  (converted here, not where it is painted)
                self.results.put(LiveFrame(frame, (), captured.at, time.perf_counter()))
                self._ready()
        spare_what_is_loaded()
        self.preparing = ""
        if shown is not None and not self._frames.waiting:
            self._frames.put(shown)  # a file waits at its first frame, which is to be tracked, too

    def _note(self, progress: str) -> None:
        self.preparing = progress

    def _run(self) -> None:
        self._prepare()
        self._frames.missed = self._miss
        self._say("")
        self.prepared()
        while not self._stop.is_set():
            if not self._frames.wait(timeout=0.5):
                continue
            self._free.wait()
            with self._busy:  # taken once it is certain that it will be tracked
                captured = self._frames.take(timeout=0)
                if captured is None:
                    continue
                try:
                    self._track(captured)
                except FacetrackError as error:
                    self._say(str(error))
                    return

    def _track(self, captured: Captured) -> None:
        frame, last = captured.frame, self._last
        if last is not None and frame.timestamp - last.frame.timestamp > PAUSE:
            self._tracker.pause()
        faces = tuple(self._tracker.update(frame))
        frame.image  # noqa: B018  (converted here, not where it is painted)
        done = time.perf_counter()
        self._last = LiveFrame(frame, faces, captured.at, done, self._find(frame, faces))
        self.heard.put(self._last.heard())
        self.results.put(self._last)
        self._ready()
        for sink in list(self.sinks):
            sink(self._last)
        if faces:
            self._meter.add(faces[0], frame.timestamp)
            self._measure_in -= 1
        if self._measure_in <= 0:
            self._measure_in = _MEASURE_EVERY
            self.steadiness = self._meter.measure()

    def _miss(self, captured: Captured) -> None:
        """Account for a frame that the tracker will not see; in whichever thread replaced it."""
        why = FROZEN if self.frozen else BUSY
        self.missed[why] += 1
        faces = self._last.faces if self._last is not None else ()
        for sink in list(self.sinks):
            sink(missed_frame(captured.frame, faces, self.choice, why))

    def _find(self, frame: Frame, faces: tuple[Face, ...]) -> tuple[Finding, ...]:
        if self.choice is not self._pipeline.choice:
            self._pipeline.change(self.choice)
        found = tuple(self._pipeline.update(frame, faces))
        self.health = SignalHealth.of(self._pipeline)
        return found
