"""Whether a mouth is speaking, by its landmarks alone: no model, and no picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.landmarks.openings import INNER_LIPS
from facetrack.lips.clips import RATE, SIDE
from facetrack.lips.crops import WIDTH

LEVEL: Final = 0.012  # of the outer-eye distance: activity from which on a mouth may be speaking
_TIMES: Final = 2.0  # the person's own quiet, above which speech lies as well
_QUIET: Final = 20.0  # percentile of the activity that counts as quiet
_MEMORY: Final = 250  # frames, ten seconds
_SLOW: Final = 8  # frames on both sides, whose mean is taken off: slower than 1.5 Hz
_WINDOW: Final = 10  # frames on both sides over which energy is averaged: 0.8 s
_REACH: Final = _SLOW + 1 + _WINDOW
DELAY: Final = _REACH / RATE  # seconds
_SHORTEST: Final = 4  # frames of speech
_BRIDGED: Final = 8  # frames of quiet within speech
OUTER_LIPS: Final = ((50, 58), (51, 57), (52, 56))
_UNIT: Final = SIDE / WIDTH  # px of a crop that the outer-eye distance is long

Floats = npt.NDArray[np.float64]


def lip_opening(points: npt.NDArray[np.float32]) -> float:
    """Measure the mean height of the inner and the outer lips, in outer-eye distances.

    `points` are landmarks 48 to 67, (20, 2), in pixels of a mouth crop.
    """
    pairs = np.array([*INNER_LIPS, *OUTER_LIPS]) - 48
    apart = points[pairs[:, 1]] - points[pairs[:, 0]]
    return float(np.hypot(apart[:, 0], apart[:, 1]).mean()) / _UNIT


def activity(openings: Sequence[float] | Floats) -> Floats:
    """Measure how lively lips move, as speech moves them, from 25 openings a second.

    The root mean square over 0.8 s of the opening between about 1.5 and 8 Hz, (T,), in outer-eye
    distances; over what there is at the ends.
    """
    opening = np.asarray(openings, dtype=np.float64)
    quick = _mean_around(opening, 1) - _mean_around(opening, _SLOW)
    found: Floats = np.sqrt(_mean_around(quick**2, _WINDOW))
    return found


def speech(found: Floats) -> list[tuple[int, int]]:
    """Find stretches of speech by a clip's activity: first frame, and the one after the last."""
    if not len(found):
        return []
    level = max(LEVEL, _TIMES * float(np.percentile(found, _QUIET)))
    if level > found.max():  # lively throughout: no quiet to compare with
        level = LEVEL
    return _stretches(found >= level)


def _stretches(speaking: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return stretches, those with little quiet between them as one."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], speaking, [False]]).astype(int)))
    found: list[tuple[int, int]] = []
    for first, stop in edges.reshape(-1, 2).tolist():
        if found and first - found[-1][1] <= _BRIDGED:
            found[-1] = (found[-1][0], stop)
        else:
            found.append((first, stop))
    return [(first, stop) for first, stop in found if stop - first >= _SHORTEST]


def _mean_around(values: Floats, half: int) -> Floats:
    """Average over so many neighbours on both sides, fewer at the ends."""
    n = len(values)
    total = np.concatenate([[0.0], np.cumsum(values)])
    first = np.maximum(np.arange(n) - half, 0)
    stop = np.minimum(np.arange(n) + half + 1, n)
    mean: Floats = (total[stop] - total[first]) / (stop - first)
    return mean


@dataclass(frozen=True, slots=True)
class Lively:
    """The activity of one frame."""

    value: float  # see `activity`
    speaking: bool  # as lively as speech, beside the last ten seconds' quiet


@dataclass(slots=True)
class ActivityMeter:
    """Measures activity while frames come; what it says of a frame comes 0.76 s later."""

    _openings: list[float] = field(default_factory=list)
    _first: int = 0  # frames of the stretch before those that are kept
    _given: int = 0
    _memory: list[float] = field(default_factory=list)

    def push(self, opening: float) -> list[Lively]:
        """Take the next frame's `lip_opening` and return the frames that became certain."""
        self._openings.append(opening)
        return self._ready(self._first + len(self._openings) - _REACH)

    def finish(self) -> list[Lively]:
        """End a stretch and begin anew, the memory stays; return the frames that are left."""
        left = self._ready(self._first + len(self._openings))
        self._openings, self._first, self._given = [], 0, 0
        return left

    def _ready(self, until: int) -> list[Lively]:
        if until <= self._given:
            return []
        values = activity(self._openings)[self._given - self._first : until - self._first]
        self._given = until
        spare = max(self._given - self._first - 2 * _REACH, 0)
        self._openings, self._first = self._openings[spare:], self._first + spare
        return [self._judged(float(value)) for value in values]

    def _judged(self, value: float) -> Lively:
        self._memory = [*self._memory, value][-_MEMORY:]
        level = _TIMES * float(np.percentile(self._memory, _QUIET))
        if level > max(self._memory):
            level = LEVEL
        return Lively(value, value >= max(LEVEL, level))
