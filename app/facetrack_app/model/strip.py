# SPDX-License-Identifier: GPL-3.0-or-later
"""What the strip charts show: values of one face over the last frames, and events."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import nan
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.formats.table import NO_FACE
from facetrack.reading import EventRecord, Finding, Readings
from facetrack.signals.pipeline import THINNED
from facetrack_app.model.live import Heard

_FRAMES: Final = 1024  # that are kept: 10 s at 100 frames/s
_EVENTS: Final = 100  # that are kept
_GAP: Final = 0.25  # seconds without a frame that break a line, and
_SLOW: Final = 3.0  # times the usual distance of frames

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curve:
    """The values of a signal, as they are drawn.

    Attributes
    ----------
    times : ndarray, shape (n,), float64
        Seconds.
    values : ndarray, shape (n,), float64
        NaN where nothing is known, and between two frames that no line may join. Frames of which
        nothing was said, such as those that an estimator left out, are missing.
    """

    times: Floats
    values: Floats

    def at(self, time: float) -> float:
        """Give the value nearest to a time; NaN where nothing is known."""
        if not len(self.times):
            return nan
        return float(self.values[np.abs(self.times - time).argmin()])


class Strip:
    """The last frames of a live session: for each the face that is charted and its values.

    Parameters
    ----------
    size : int
        Frames that are kept.
    """

    def __init__(self, size: int = _FRAMES) -> None:
        self._size = size
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._newest = -1  # frame
        self._frames = np.full(self._size, -1)  # a frame's place is its number modulo the size
        self._times = np.full(self._size, nan)
        self._faces = np.full(self._size, NO_FACE)
        self._values: dict[str, Floats] = {}
        self._told: dict[str, npt.NDArray[np.bool_]] = {}  # whether something was said, by signal
        self._said: dict[str, int] = {}  # the newest frame of which something was said, by signal
        self._events: deque[EventRecord] = deque(maxlen=_EVENTS)

    @property
    def now(self) -> float:
        """Time of the newest frame in seconds; NaN before the first."""
        return float(self._times[self._newest % self._size])

    def add(self, heard: Heard) -> None:
        """Take a frame and what was found with it; late readings go to their own frames."""
        place = heard.frame % self._size
        self._newest = heard.frame
        self._frames[place], self._times[place] = heard.frame, heard.timestamp
        self._faces[place] = heard.face_id
        for name, values in self._values.items():
            values[place], self._told[name][place] = nan, False
        for finding in heard.findings:
            if isinstance(finding.result, Readings):
                self._read(finding.face_id, finding.result)
            else:
                self._note(finding)

    def _read(self, face_id: int, said: Readings) -> None:
        place = said.frame % self._size
        if self._frames[place] != said.frame or self._faces[place] != face_id:
            return
        for name, reading in said.values.items():
            if reading.reason == THINNED:
                continue
            if name not in self._values:
                self._values[name] = np.full(self._size, nan)
                self._told[name] = np.zeros(self._size, bool)
            self._values[name][place], self._told[name][place] = reading.value, True
            self._said[name] = max(said.frame, self._said.get(name, -1))

    def _note(self, finding: Finding) -> None:
        """Keep an event of a face that was charted meanwhile."""
        event = finding.result
        assert not isinstance(event, Readings)
        during = (self._times >= event.start) & (self._times <= event.stop)
        if (self._faces[during] == finding.face_id).any():
            self._events.append(EventRecord(finding.face_id, event, finding.estimator))

    def current(self, name: str) -> float:
        """Give the newest value of the face that is charted now; NaN if it is not known."""
        place = self._said.get(name, -1) % self._size
        face = self._faces[self._newest % self._size]
        known = self._frames[place] == self._said.get(name, -1) >= 0
        return float(self._values[name][place]) if known and self._faces[place] == face else nan

    def curve(self, name: str, seconds: float) -> Curve:
        """Give the values of a signal over the last seconds."""
        if name not in self._values:
            return Curve(np.empty(0), np.empty(0))
        order = (self._newest + 1 + np.arange(self._size)) % self._size  # the oldest first
        frames = self._frames[order]
        kept = (frames >= 0) & (frames > self._newest - self._size)
        kept &= self._told[name][order] | (self._faces[order] == NO_FACE)
        order = order[kept & (self._times[order] > self.now - seconds)]
        times, values = self._times[order], self._values[name][order]
        if len(order) < 2:
            return Curve(times, values)
        steps = np.diff(times)
        cut = steps > max(_GAP, _SLOW * float(np.median(steps)))
        cut |= np.diff(self._faces[order]) != 0
        before = 1 + np.flatnonzero(cut)
        return Curve(np.insert(times, before, times[before]), np.insert(values, before, nan))

    def events(self, estimator: str, seconds: float) -> list[EventRecord]:
        """Give an estimator's events that reach into the last seconds, by their starts."""
        first = self.now - seconds
        found = [e for e in self._events if e.estimator == estimator and e.event.stop > first]
        return sorted(found, key=lambda e: e.event.start)
