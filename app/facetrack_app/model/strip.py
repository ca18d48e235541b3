# SPDX-License-Identifier: GPL-3.0-or-later
"""What the strip charts show: values of one face over the last frames, and events."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import isfinite, nan
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.formats.table import NO_FACE
from facetrack.reading import EventRecord, Finding, Reading, Readings
from facetrack.signals.pipeline import THINNED
from facetrack.signals.rows import NO_FACE_REASON
from facetrack_app.model.live import Heard

_FRAMES: Final = 1024  # that are kept: 10 s at 100 frames/s
_EVENTS: Final = 100  # that are kept
_GAP: Final = 0.25  # seconds without a frame that break a line, and
_SLOW: Final = 3.0  # times the usual distance of frames
_UNSAID: Final = Reading(nan)

Floats = npt.NDArray[np.float64]
Gap = tuple[float, float, str]  # start and stop in seconds, and the reason


@dataclass(frozen=True, slots=True)
class Curve:
    """The values of a signal, as they are drawn; frames of which nothing was said are missing."""

    times: Floats  # seconds
    values: Floats  # NaN where nothing is known, and between two frames that no line may join
    low: Floats  # of the interval; NaN where there is none
    high: Floats
    reasons: Sequence[str]  # why a value cannot be assessed

    @classmethod
    def empty(cls) -> Curve:
        """Make one of no frame."""
        times, values, low, high = np.empty((4, 0))
        return cls(times, values, low, high, ())

    def since(self, now: float) -> Curve:
        """Count the seconds from a moment."""
        return replace(self, times=self.times - now)

    def at(self, time: float) -> Reading:
        """Give what was said nearest to a time."""
        if not len(self.times):
            return _UNSAID
        i = int(np.abs(self.times - time).argmin())
        value, low, high = (float(v[i]) for v in (self.values, self.low, self.high))
        return Reading(value, low, high, self.reasons[i])

    @property
    def gaps(self) -> list[Gap]:
        """Stretches that cannot be assessed, each up to the next frame if no cut parts it off."""
        found, first = [], 0
        for reason, run in groupby(self.reasons):
            after = first + len(list(run))
            if reason:
                joined = after < len(self.times) and (
                    bool(self.reasons[after]) or isfinite(self.values[after])
                )
                stop = self.times[after if joined else after - 1]
                found.append((float(self.times[first]), float(stop), reason))
            first = after
        return found


class _Said:
    """What was said of a signal, frame by frame."""

    def __init__(self, size: int) -> None:
        self.numbers = np.full((3, size), nan)  # value, low, high
        self.told = np.zeros(size, bool)  # whether anything was said
        self.reasons = [""] * size
        self.newest = -1  # frame of which something was said

    def put(self, place: int, frame: int, reading: Reading) -> None:
        """Take what was said of a frame."""
        self.numbers[:, place] = reading.value, reading.low, reading.high
        self.told[place], self.reasons[place] = True, reading.reason
        self.newest = max(frame, self.newest)

    def clear(self, place: int) -> None:
        """Make room for another frame."""
        self.numbers[:, place], self.told[place], self.reasons[place] = nan, False, ""


class Strip:
    """The last frames of a live session: for each the face that is charted and its values."""

    def __init__(self, size: int = _FRAMES) -> None:
        self._size = size
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._newest = -1  # frame
        self._frames = np.full(self._size, -1)  # a frame's place is its number modulo the size
        self._times = np.full(self._size, nan)
        self._faces = np.full(self._size, NO_FACE)
        self._said: dict[str, _Said] = {}  # by signal
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
        for said in self._said.values():
            said.clear(place)
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
            if reading.reason != THINNED:
                if name not in self._said:
                    self._said[name] = _Said(self._size)
                self._said[name].put(place, said.frame, reading)

    def _note(self, finding: Finding) -> None:
        """Keep an event of a face that was charted meanwhile."""
        event = finding.result
        assert not isinstance(event, Readings)
        during = (self._times >= event.start) & (self._times <= event.stop)
        if (self._faces[during] == finding.face_id).any():
            self._events.append(EventRecord(finding.face_id, event, finding.estimator))

    def current(self, name: str) -> Reading:
        """Give what was said last of the face that is charted now."""
        said, face = self._said.get(name), self._faces[self._newest % self._size]
        if said is None:
            return _UNSAID
        place = said.newest % self._size
        if self._frames[place] != said.newest or self._faces[place] != face:
            return _UNSAID
        value, low, high = said.numbers[:, place].tolist()
        return Reading(value, low, high, said.reasons[place])

    def curve(self, name: str, seconds: float) -> Curve:
        """Give the values of a signal over the last seconds."""
        said = self._said.get(name)
        if said is None:
            return Curve.empty()
        order = (self._newest + 1 + np.arange(self._size)) % self._size  # the oldest first
        frames = self._frames[order]
        kept = (frames >= 0) & (frames > self._newest - self._size)
        kept &= said.told[order] | (self._faces[order] == NO_FACE)
        order = order[kept & (self._times[order] > self.now - seconds)]
        faceless = (self._faces[order] == NO_FACE).tolist()
        reasons = [
            said.reasons[place] or (NO_FACE_REASON if none else "")
            for place, none in zip(order.tolist(), faceless, strict=True)
        ]
        times, (values, low, high) = self._times[order], said.numbers[:, order]
        if len(order) < 2:
            return Curve(times, values, low, high, reasons)
        steps = np.diff(times)
        cut = steps > max(_GAP, _SLOW * float(np.median(steps)))
        cut |= np.diff(self._faces[order]) != 0
        before = 1 + np.flatnonzero(cut)
        for place in before[::-1].tolist():
            reasons.insert(place, "")
        values, low, high = (np.insert(part, before, nan) for part in (values, low, high))
        return Curve(np.insert(times, before, times[before]), values, low, high, reasons)

    def events(self, estimator: str, seconds: float) -> list[EventRecord]:
        """Give an estimator's events that reach into the last seconds, by their starts."""
        first = self.now - seconds
        found = [e for e in self._events if e.estimator == estimator and e.event.stop > first]
        return sorted(found, key=lambda e: e.event.start)
