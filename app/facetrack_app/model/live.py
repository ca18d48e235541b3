# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a live session: state and signals in words, rates, latency, jitter and lag."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import nan
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.evaluation.jitter import jitter, lag, still_stretches
from facetrack.face import N_POINTS, Face, State
from facetrack.formats.table import NO_FACE
from facetrack.reading import Finding, Readings
from facetrack.signals import Choice, Pipeline, choose, signals
from facetrack.signals.estimator import nothing
from facetrack.signals.registry import owner
from facetrack.video.frame import Frame
from facetrack_app.model.rows import DOUBT

FROZEN: Final = "the picture stood still for a correction"
BUSY: Final = "the tracker was busy with an earlier frame"
WINDOW: Final = 90  # frames: three seconds at 30 frames/s


@dataclass(frozen=True, slots=True)
class LiveFrame:
    """A tracked frame on its way to the window."""

    frame: Frame
    faces: tuple[Face, ...]
    captured: float  # `time.perf_counter` when it came
    tracked: float  # and when the tracker was done
    findings: tuple[Finding, ...] = ()  # said with it, of this frame or of earlier ones
    missed: str = ""  # why the tracker did not see the frame

    def heard(self) -> Heard:
        """Give what the charts need, without the picture."""
        charted = next((face.id for face in self.faces if face.tracked), NO_FACE)
        return Heard(self.frame.index, self.frame.timestamp, charted, self.findings)


def missed_frame(frame: Frame, faces: Iterable[Face], choice: Choice, why: str) -> LiveFrame:
    """Say of a frame that the tracker did not see why nothing is known of it."""
    nowhere = np.full((N_POINTS, 2), np.nan)
    lost = tuple(Face(face.id, State.LOST, why, nowhere, nowhere, 0.0, None) for face in faces)
    silence = Readings(frame.index, nothing(choice.values, why))
    whose = [face.id for face in lost] or [NO_FACE]
    return LiveFrame(frame, lost, nan, nan, tuple(Finding(id_, "", silence) for id_ in whose), why)


@dataclass(frozen=True, slots=True)
class Heard:
    """What the signals said with a tracked frame."""

    frame: int  # index
    timestamp: float  # seconds
    face_id: int  # whose signals the charts show: the first that is tracked, -1 without any
    findings: tuple[Finding, ...] = ()  # of all faces, this frame or earlier ones


@dataclass(frozen=True, slots=True)
class SignalHealth:
    """How the signals get on."""

    faults: Mapping[str, str] = field(default_factory=dict)  # who is switched off, and why
    thinned: tuple[str, ...] = ()  # estimators that look at one face a frame only
    costs: Mapping[str, float] = field(default_factory=dict)  # ms a face, by estimator

    @classmethod
    def of(cls, pipeline: Pipeline) -> SignalHealth:
        """Look at a pipeline, in the thread in which it runs."""
        costs = {name: 1000 * cost.each for name, cost in pipeline.costs.items()}
        return cls(dict(pipeline.faults), pipeline.thinned, costs)

    def troubles(self) -> list[str]:
        """Say in a line each what is switched off or thinned."""
        off = [f"{name} is switched off: {why}" for name, why in self.faults.items()]
        return off + [f"thinned: {name}: one face a frame" for name in self.thinned]


def live_choice(names: Iterable[str], also: Choice | None = None) -> Choice:
    """Choose the estimators of a live session."""
    known = signals()
    wanted = [owner(name).name for name in names if name in known]
    wanted += [estimator.name for estimator in also.estimators] if also is not None else []
    return choose(",".join(("default", *wanted)))


def state_in_words(faces: Sequence[Face], *, learning: bool = False) -> tuple[str, str]:
    """Say what the tracker is doing."""
    tracked = [face for face in faces if face.tracked]
    if not faces:
        return "searching", "searching for a face"
    if not tracked:
        return "lost", f"lost: {faces[0].reason or 'no face in view'}"
    worst = min(tracked, key=lambda face: face.quality)
    if worst.quality < DOUBT:
        return "unsure", f"unsure (quality {worst.quality:.2f})"
    word = "learning" if learning else "tracking"
    return word, word if len(tracked) == 1 else f"{word} {len(tracked)} faces"


class LatencyMeter:
    """Frames per second and the time from capture to display, over the last frames."""

    def __init__(self, size: int = 2 * WINDOW) -> None:
        self._shown: deque[float] = deque(maxlen=size)
        self._latency: deque[float] = deque(maxlen=size)

    def add(self, captured: float, shown: float) -> None:
        """Take note of a frame that was shown; one that was not painted since it came was not."""
        if shown >= captured:
            self._shown.append(shown)
            self._latency.append(shown - captured)

    def clear(self) -> None:
        """Forget all frames, as after a pause."""
        self._shown.clear()
        self._latency.clear()

    @property
    def rate(self) -> float:
        """Frames per second; 0 without two frames."""
        span = self._shown[-1] - self._shown[0] if len(self._shown) > 1 else 0.0
        return (len(self._shown) - 1) / span if span > 0 else 0.0

    def latency(self, percentile: float = 50) -> float:
        """Give a percentile of the latency in milliseconds; NaN without a frame."""
        if not self._latency:
            return float("nan")
        return 1000 * float(np.percentile(np.array(self._latency), percentile))


class SteadinessMeter:
    """Jitter of the points and lag of the smoothing, over the last frames of one face."""

    def __init__(self) -> None:
        self._raw: deque[npt.NDArray[np.float64]] = deque(maxlen=WINDOW)
        self._smooth: deque[npt.NDArray[np.float64]] = deque(maxlen=WINDOW)
        self._times: deque[float] = deque(maxlen=WINDOW)

    def add(self, face: Face, timestamp: float) -> None:
        """Take note of a face in the next frame; a lost one starts anew."""
        if not face.tracked:
            self.clear()
            return
        self._raw.append(face.raw_points)
        self._smooth.append(face.points)
        self._times.append(timestamp)

    def clear(self) -> None:
        """Forget all frames."""
        for values in (self._raw, self._smooth, self._times):
            values.clear()

    def measure(self) -> tuple[float, float, float]:
        """Measure."""
        if len(self._times) < 16:
            return (float("nan"),) * 3
        raw, smooth = np.array(self._raw), np.array(self._smooth)
        stretches = still_stretches([raw]) or [(0, len(raw))]
        try:
            behind = lag(raw, smooth, np.array(self._times))
        except InputError:
            behind = float("nan")
        return jitter(raw, stretches)["all"], jitter(smooth, stretches)["all"], behind
