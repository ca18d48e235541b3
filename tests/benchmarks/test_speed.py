"""The benchmark's bookkeeping; no test asserts a time."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.speed.long_run import Drift, drift
from benchmarks.speed.report import (
    BenchmarkReport,
    Elsewhere,
    benchmark_details,
    benchmark_table,
    ratios,
    read_elsewhere,
)
from benchmarks.speed.timing import (
    FileRate,
    ModelCost,
    StepTime,
    file_rate,
    single_thread,
    time_steps,
)
from facetrack.errors import FormatError, InputError
from facetrack.reporting.tables import as_text
from facetrack.video.frame import Frame, frame_of

PICTURE = np.zeros((16, 16, 3), np.uint8)
STEPS = (StepTime("ours", 1.0, 2.0, 0.9, 80), StepTime("rival", 2.0, 3.0, 1.9, 80))


def test_steps_take_turns_on_every_frame() -> None:
    seen: list[tuple[str, int]] = []
    frames = [frame_of(PICTURE, index=k) for k in range(25)]

    def a(frame: Frame) -> None:
        seen.append(("a", frame.index))

    def b(frame: Frame) -> None:
        seen.append(("b", frame.index))

    times = time_steps(frames, {"a": a, "b": b})
    assert seen == [(name, k) for k in range(25) for name in ("a", "b")]
    assert [(t.name, t.frames) for t in times] == [("a", 5), ("b", 5)]
    assert all(0 < t.p50 <= t.p99 for t in times)


def test_too_few_frames_are_refused() -> None:
    with pytest.raises(InputError, match="more than 20 frames, got 3"):
        time_steps([frame_of(PICTURE)] * 3, {})


def test_threads_come_back() -> None:
    before = cv2.getNumThreads()
    with single_thread() as limited:
        assert cv2.getNumThreads() == 1
        assert "opencv" in limited
    assert cv2.getNumThreads() == before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process choose its cores")
def test_files_are_tracked_on_the_cores_wanted(grey_video) -> None:
    allowed = os.sched_getaffinity(0)
    used = []
    done = threading.Event()
    older = threading.Thread(target=done.wait)  # as of a library's pool
    older.start()
    number = older.native_id or 0

    def note(path: Path) -> None:
        used.append({len(os.sched_getaffinity(t)) for t in (0, number)})

    rate = file_rate(grey_video("v.mp4", 8), note, cores=1, repeats=2)
    assert os.sched_getaffinity(number) == allowed
    done.set()
    older.join()
    assert used == [{1}, {1}]
    assert os.sched_getaffinity(0) == allowed
    assert rate.cores == 1
    assert rate.ratio == rate.tracking / rate.decoding
    with pytest.raises(InputError, match="cores wanted"):
        file_rate(grey_video("v.mp4", 8), print, cores=10_000)


def test_a_long_run_compares_its_ends(scripted_tracker) -> None:
    tracker = scripted_tracker(np.zeros((3600, 68, 2)))
    result = drift(tracker.update, (frame_of(PICTURE, index=k) for k in range(3600)))
    assert result.frames == 3600
    assert min(result.first, result.last, result.first_cpu, result.last_cpu) > 0
    with pytest.raises(InputError, match="at least 3600 frames, got 10"):
        drift(tracker.update, (frame_of(PICTURE, index=k) for k in range(10)))


def test_ratios_relate_ours_to_each_rival() -> None:
    assert ratios(STEPS) == {"rival": 0.5}


def test_the_report_holds_all_parts() -> None:
    report = BenchmarkReport(
        steps=STEPS,
        rates=(FileRate(1, 300.0, 600.0),),
        model=ModelCost(3.2, 0.1),
        drift=Drift(108_000, 1.0, 1.05, 0.9, 0.909, 0.2),
        elsewhere=Elsewhere("stranger", step_ms=10.0, fit_ms=5.0),
        size=(640, 480),
        threads=("opencv",),
        skipped=("PFLD: no files",),
    )
    details = benchmark_details(report)
    text = as_text(benchmark_table(details))
    for part in (
        "640x480",
        "0.500",
        "3.2 MB",
        "+5.0 %, in CPU time +1.0 %",
        "+0.20 MB/h",
        "skipped: PFLD",
    ):
        assert part in text
    assert details["ratios"] == {"rival": 0.5}
    assert details["file_rates"][0]["ratio"] == 0.5
    # we take half of dlib's time here, the stranger twice dlib's time there
    assert details["elsewhere"]["ratio"] == 0.25
    assert "stranger (another run)" in text


def test_timings_from_elsewhere_are_read(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text('{"name": "stranger", "step_ms": 10, "fit_ms": 5}')
    assert read_elsewhere(path) == Elsewhere("stranger", 10.0, 5.0)
    for broken in ("", "[]", "{}", '{"name": "x", "step_ms": 0, "fit_ms": 1}', "[1"):
        path.write_text(broken)
        with pytest.raises(FormatError, match=r"t\.json"):
            read_elsewhere(path)
