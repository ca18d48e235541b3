# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a live session: the state in words, rates, latency, jitter and lag."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.evaluation.jitter import jitter, lag, still_stretches
from facetrack.face import Face
from facetrack.video.frame import Frame
from facetrack_app.model.rows import DOUBT

WINDOW: Final = 90  # frames: three seconds at 30 frames/s


@dataclass(frozen=True, slots=True)
class LiveFrame:
    """A tracked frame on its way to the window.

    Attributes
    ----------
    frame : Frame
    faces : tuple of Face
    captured, tracked : float
        `time.perf_counter` when the frame came and when the tracker was done.
    """

    frame: Frame
    faces: tuple[Face, ...]
    captured: float
    tracked: float


def state_in_words(faces: Sequence[Face], *, learning: bool = False) -> tuple[str, str]:
    """Say what the tracker is doing.

    Parameters
    ----------
    faces : sequence of Face
    learning : bool
        Whether it learns from its own tracks.

    Returns
    -------
    str
        One of `tracking`, `learning`, `unsure`, `lost`, `searching`.
    str
        The whole sentence.
    """
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
    """Frames per second and the time from capture to display, over the last frames.

    Parameters
    ----------
    size : int
        Number of frames.
    """

    def __init__(self, size: int = 2 * WINDOW) -> None:
        self._shown: deque[float] = deque(maxlen=size)
        self._latency: deque[float] = deque(maxlen=size)

    def add(self, captured: float, shown: float) -> None:
        """Take note of a frame that was shown."""
        self._shown.append(shown)
        self._latency.append(shown - captured)

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
        """Measure.

        Returns
        -------
        float, float
            Jitter before and after smoothing: mean second difference in % of the outer-eye
            distance, on still stretches, or on all frames where none is still.
        float
            Lag in ms; NaN while too few frames are known.
        """
        if len(self._times) < 16:
            return (float("nan"),) * 3
        raw, smooth = np.array(self._raw), np.array(self._smooth)
        stretches = still_stretches([raw]) or [(0, len(raw))]
        try:
            behind = lag(raw, smooth, np.array(self._times))
        except InputError:
            behind = float("nan")
        return jitter(raw, stretches)["all"], jitter(smooth, stretches)["all"], behind
