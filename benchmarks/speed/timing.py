"""Speed: steps timed in turn on the same frames, rates of whole files, cost of a model."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from facetrack.errors import InputError
from facetrack.formats.modelfile import describe
from facetrack.model import load_model
from facetrack.opening import open_source
from facetrack.video.frame import Frame

WARM_UP = 20  # frames


@dataclass(frozen=True, slots=True)
class StepTime:
    """What one step costs per frame.

    Attributes
    ----------
    name : str
    p50, p99 : float
        Wall time in milliseconds.
    cpu : float
        Median CPU time of this process in milliseconds, which other programs disturb less.
    frames : int
        Number of frames timed.
    """

    name: str
    p50: float
    p99: float
    cpu: float
    frames: int


@dataclass(frozen=True, slots=True)
class FileRate:
    """Frames per second of one file, the best of several runs.

    Attributes
    ----------
    cores : int
        Cores that the process could use.
    tracking, decoding : float
        Frames per second of tracking the file end to end, and of decoding it only.
    """

    cores: int
    tracking: float
    decoding: float

    @property
    def ratio(self) -> float:
        """Rate of tracking / rate of pure decoding."""
        return self.tracking / self.decoding


@dataclass(frozen=True, slots=True)
class ModelCost:
    """What a model costs before the first frame.

    Attributes
    ----------
    megabytes : float
        Size of its file.
    seconds : float
        Shortest of three times of loading it.
    """

    megabytes: float
    seconds: float


@contextmanager
def single_thread() -> Iterator[tuple[str, ...]]:
    """Keep the numerical libraries to one thread.

    Yields
    ------
    tuple of str
        What was limited, for the report.
    """
    before = cv2.getNumThreads()
    with ExitStack() as stack:
        cv2.setNumThreads(1)
        stack.callback(cv2.setNumThreads, before)
        stack.enter_context(threadpool_limits(1))
        yield "opencv", *sorted({str(p["internal_api"]) for p in threadpool_info()})


def time_steps(
    frames: Sequence[Frame], steps: Mapping[str, Callable[[Frame], object]]
) -> tuple[StepTime, ...]:
    """Time several steps in turn on every frame, so that disturbances hit all of them.

    Parameters
    ----------
    frames : sequence of Frame
        In their order; their grey values and colours are made before the clock starts. The first
        20 are not counted.
    steps : mapping of str to callable
        Each is called with every frame.

    Returns
    -------
    tuple of StepTime

    Raises
    ------
    InputError
        If there are not more than 20 frames.
    """
    if len(frames) <= WARM_UP:
        raise InputError(f"timing needs more than {WARM_UP} frames, got {len(frames)}")
    wall: dict[str, list[int]] = {name: [] for name in steps}
    cpu: dict[str, list[int]] = {name: [] for name in steps}
    for frame in frames:
        _ = frame.grey, frame.image
        for name, step in steps.items():
            c, w = time.process_time_ns(), time.perf_counter_ns()
            step(frame)
            wall[name].append(time.perf_counter_ns() - w)
            cpu[name].append(time.process_time_ns() - c)
    return tuple(
        StepTime(
            name=name,
            p50=milliseconds(wall[name][WARM_UP:], 0.5),
            p99=milliseconds(wall[name][WARM_UP:], 0.99),
            cpu=milliseconds(cpu[name][WARM_UP:], 0.5),
            frames=len(frames) - WARM_UP,
        )
        for name in steps
    )


def milliseconds(nanoseconds: Sequence[int], quantile: float) -> float:
    """Compute a quantile of measured times.

    Parameters
    ----------
    nanoseconds : sequence of int
    quantile : float
        From 0 to 1.

    Returns
    -------
    float
    """
    return float(np.quantile(nanoseconds, quantile)) / 1e6


def file_rate(
    path: Path, track_file: Callable[[Path], object], *, cores: int, repeats: int = 3
) -> FileRate:
    """Measure how fast a file is tracked, against decoding it only.

    Parameters
    ----------
    path : Path
        The video.
    track_file : callable
        Tracks it end to end.
    cores : int
        Cores to use, where the system lets a process choose.
    repeats : int
        Runs of both in turn; the best of each counts.

    Returns
    -------
    FileRate

    Raises
    ------
    InputError
        If this process may not use so many cores.
    VideoError
        If the file has no frame.
    """
    tracking, decoding = [], []
    with _on_cores(cores):
        for _ in range(repeats):
            begin = time.perf_counter()
            with open_source(path) as source:
                frames = sum(1 for _ in source)
            middle = time.perf_counter()
            track_file(path)
            decoding.append(frames / (middle - begin))
            tracking.append(frames / (time.perf_counter() - middle))
    return FileRate(cores=cores, tracking=max(tracking), decoding=max(decoding))


@contextmanager
def _on_cores(count: int) -> Iterator[None]:
    """Bind all threads of this process, and those that they start, to some cores (on Linux)."""
    if sys.platform != "linux":
        if count != os.cpu_count():
            raise InputError(f"this system does not let a process choose {count} cores")
        yield
        return
    allowed = os.sched_getaffinity(0)
    if count > len(allowed):
        raise InputError(f"{count} cores wanted, this process may use {len(allowed)}")
    _bind_threads(set(sorted(allowed)[:count]))
    try:
        yield
    finally:
        _bind_threads(allowed)


def _bind_threads(cores: set[int]) -> None:
    """Bind every thread: the pools of libraries have started theirs long ago."""
    for thread in os.listdir("/proc/self/task"):
        with suppress(ProcessLookupError):  # it ended meanwhile
            os.sched_setaffinity(int(thread), cores)


def model_cost(path: Path) -> ModelCost:
    """Measure the size and the loading time of a model.

    Parameters
    ----------
    path : Path
        The model's file.

    Returns
    -------
    ModelCost

    Raises
    ------
    ModelError
        If it is no model.
    """
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        load_model(path)
        times.append(time.perf_counter() - begin)
    return ModelCost(describe(path).bytes / 1e6, min(times))
