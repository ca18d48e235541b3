"""Drift in a long run: time per frame and memory."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.speed.timing import WARM_UP, milliseconds
from facetrack.errors import InputError
from facetrack.video.frame import Frame

_FRAMES_PER_MINUTE = 1800
_MEMORY_EVERY = 300  # frames


@dataclass(frozen=True, slots=True)
class Drift:
    """What changes in a long run.

    Attributes
    ----------
    frames : int
    first, last : float
        Median wall time per frame in the first and in the last minute (1,800 frames),
        milliseconds.
    first_cpu, last_cpu : float
        The same in CPU time of this thread, which other programs disturb less.
    megabytes_per_hour : float
        Slope of the resident memory after the first tenth, per 108,000 frames.
    """

    frames: int
    first: float
    last: float
    first_cpu: float
    last_cpu: float
    megabytes_per_hour: float


def drift(step: Callable[[Frame], object], frames: Iterable[Frame]) -> Drift:
    """Do something with every frame of a long video; compare its last minute with its first.

    Parameters
    ----------
    step : callable
        What is timed.
    frames : iterable of Frame
        At least two minutes of 1,800 frames.

    Returns
    -------
    Drift

    Raises
    ------
    InputError
        If there are fewer frames.
    """
    # Only two minutes are kept: the times of an hour would be megabytes that look like a leak.
    first: list[tuple[int, int]] = []
    last: deque[tuple[int, int]] = deque(maxlen=_FRAMES_PER_MINUTE)
    memory: list[tuple[int, float]] = []
    count = 0
    for count, frame in enumerate(frames, start=1):
        _ = frame.grey
        c, w = time.thread_time_ns(), time.perf_counter_ns()
        step(frame)
        spent = time.perf_counter_ns() - w, time.thread_time_ns() - c
        (first if count <= _FRAMES_PER_MINUTE else last).append(spent)
        if count % _MEMORY_EVERY == 1:
            memory.append((count, resident_megabytes()))
    if count < 2 * _FRAMES_PER_MINUTE:
        raise InputError(f"a long run has at least {2 * _FRAMES_PER_MINUTE} frames, got {count}")
    wall, cpu = zip(*first[WARM_UP:], strict=True)
    last_wall, last_cpu = zip(*last, strict=True)
    return Drift(
        frames=count,
        first=milliseconds(wall, 0.5),
        last=milliseconds(last_wall, 0.5),
        first_cpu=milliseconds(cpu, 0.5),
        last_cpu=milliseconds(last_cpu, 0.5),
        megabytes_per_hour=60 * _FRAMES_PER_MINUTE * _slope(memory[len(memory) // 10 :]),
    )


def _slope(samples: Sequence[tuple[int, float]]) -> float:
    x, y = np.array(samples, dtype=np.float64).T
    centred: npt.NDArray[np.float64] = x - x.mean()
    return float(centred @ y / (centred @ centred))


def resident_megabytes() -> float:
    """Read how much memory this process holds.

    Returns
    -------
    float
        Megabytes now; the largest so far on macOS, NaN on Windows.
    """
    status = Path("/proc/self/statm")
    if status.is_file():
        pages = int(status.read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    try:
        import resource
    except ImportError:
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
