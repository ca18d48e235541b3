"""Kernels that are read from the cache or compiled beside the window, and what a start loads."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from facetrack.fitting import kernel_cache as kernels
from facetrack.fitting.face_model import FaceModel
from facetrack.fitting.warm_up import N_KERNELS, PARTS, is_cached, warm_up
from facetrack.signals import choose
from facetrack.tracking.tracker import Tracker
from facetrack.video.frame import frame_of
from facetrack_app.services import live_tracking
from facetrack_app.services.capture import Captured
from facetrack_app.services.latest_value import LatestValue
from facetrack_app.services.live_tracking import LiveTracking


def test_kernels_that_are_cached_are_just_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    warm_up()
    assert is_cached()

    def refuse(*command: object, **options: object) -> None:
        pytest.fail("a process for nothing")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    said: list[str] = []
    kernels.prepare(said.append)
    assert said == [kernels.PREPARING]


def test_where_nothing_is_cached_asking_compiles_nothing(tmp_path: Path) -> None:
    script = (
        "from facetrack.fitting.warm_up import confidence_kernels, is_cached\n"
        "print(is_cached(), confidence_kernels.logistic.signatures)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True,
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
    )  # fmt: skip
    assert done.stdout.split(maxsplit=1) == ["False", "[]\n"]


def test_progress_is_counted_in_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part's process prints a line for each kernel; here they print at once."""
    monkeypatch.setattr(kernels, "is_cached", lambda: False)
    started: list[str] = []
    popen = subprocess.Popen
    lines = f"print('kernel\\n' * {N_KERNELS // 2}, end='')"

    def worker(command: list[str], stdin: int, stdout: int) -> object:
        started.append(command[-1])
        return popen([sys.executable, "-c", lines], stdin=stdin, stdout=stdout)

    monkeypatch.setattr(subprocess, "Popen", worker)
    said: list[str] = []
    kernels.prepare(said.append)
    assert started == list(PARTS)
    assert [text.partition(": ")[2] for text in said[1:]] == [
        f"{done} of {N_KERNELS} kernels compiled" for done in range(N_KERNELS + 1)
    ]


def test_without_processes_kernels_compile_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*command: object, **options: object) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(kernels, "is_cached", lambda: False)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    warmed: list[str] = []
    monkeypatch.setattr(kernels, "warm_up", lambda: warmed.append("all"))
    kernels.prepare(lambda text: None)
    assert warmed == ["all"]


def test_a_picture_is_shown_while_kernels_compile(
    shipped_model: FaceModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = threading.Event()
    monkeypatch.setattr(live_tracking, "prepare", lambda note: (note("3 of 7"), compiled.wait(30)))
    frames: LatestValue[Captured] = LatestValue()
    shown = threading.Event()
    tracking = LiveTracking(Tracker(shipped_model), frames, shown.set, lambda text: None, choose())
    tracking.start()
    frames.put(Captured(frame_of(np.zeros((120, 160, 3), np.uint8)), 0.0))
    assert shown.wait(30)
    picture = tracking.results.take(timeout=0)
    assert picture is not None
    assert picture.faces == ()
    assert tracking.preparing == "3 of 7"
    assert tracking.heard.take() == []
    compiled.set()
    deadline = time.monotonic() + 30
    while tracking._last is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert tracking._last is not None
    assert tracking._last.frame.index == 0  # a file's first frame is tracked, too
    assert tracking.preparing == ""
    tracking.stop()


def test_a_start_with_the_demo_loads_no_library_that_it_can_spare() -> None:
    command = (
        "import sys, facetrack_app.start; from facetrack.opening import open_source;"
        "from facetrack.model import load_model;"
        "open_source('demo', shape_model=load_model().shape_model).frame(0).image;"
        "print([m for m in sys.modules if m in %r])"
    )
    slow = ("matplotlib", "scipy.optimize", "scipy.stats", "pandas", "scipy.ndimage",
            "scipy.spatial", "skimage")  # fmt: skip
    child = subprocess.run(
        [sys.executable, "-c", command % (slow,)], capture_output=True, text=True, check=True
    )
    assert child.stdout.strip() == "[]"
