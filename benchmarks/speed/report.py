"""Benchmarks as JSON and as tables, as ratios wherever a rival ran beside."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.learning.cost import LearningCost
from benchmarks.learning.cost_report import learning_cost_details, learning_cost_table
from benchmarks.speed.long_run import Drift
from benchmarks.speed.timing import FileRate, ModelCost, StepTime
from facetrack.errors import FormatError
from facetrack.formats.textfile import read_text
from facetrack.reporting.tables import Part, Table


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A rival that cannot share our environment, timed in another run on the same video.

    Attributes
    ----------
    name : str
    step_ms, fit_ms : float
        Median wall time of its step, and of dlib's fit in the same run: the yardstick that makes
        the two runs comparable.
    """

    name: str
    step_ms: float
    fit_ms: float


def read_elsewhere(path: Path) -> Elsewhere:
    """Read what `python -m benchmarks mediapipe_predictions` measured.

    Parameters
    ----------
    path : Path
        A JSON file.

    Returns
    -------
    Elsewhere

    Raises
    ------
    FormatError
        If it is no such file.
    """
    try:
        content = json.loads(read_text(path, limit=1 << 16))
        timing = Elsewhere(
            str(content["name"]), float(content["step_ms"]), float(content["fit_ms"])
        )
    except (ValueError, TypeError, KeyError) as error:
        raise FormatError(path, f"not a timing of a rival ({error})") from error
    if not (0 < timing.step_ms < math.inf and 0 < timing.fit_ms < math.inf):
        raise FormatError(path, "its times must be positive")
    return timing


@dataclass(frozen=True, slots=True)
class BenchmarkReport:
    """All that one run of the benchmark measured.

    Attributes
    ----------
    steps : tuple of StepTime
        The first is our whole update, the second (if any) dlib's fit.
    rates : tuple of FileRate
        With one core, two cores, ...
    model : ModelCost
    drift : Drift or None
    elsewhere : Elsewhere or None
    size : tuple of int
        Width and height of the frames.
    threads : tuple of str
        Libraries that were kept to one thread.
    skipped : tuple of str
        What could not run, with the reason.
    learning : LearningCost or None
    """

    steps: tuple[StepTime, ...]
    rates: tuple[FileRate, ...]
    model: ModelCost
    drift: Drift | None
    elsewhere: Elsewhere | None
    size: tuple[int, int]
    threads: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    learning: LearningCost | None = None


def ratios(steps: Sequence[StepTime], *, clock: Literal["p50", "cpu"] = "p50") -> dict[str, float]:
    """Relate our whole update to every rival of the same run.

    Parameters
    ----------
    steps : sequence of StepTime
        Ours first.
    clock : {"p50", "cpu"}
        Median wall time, or median CPU time, which is steadier on a busy machine.

    Returns
    -------
    dict of str to float
        Time of ours / of the rival.
    """
    ours, *rivals = steps
    return {rival.name: getattr(ours, clock) / getattr(rival, clock) for rival in rivals}


def ratio_elsewhere(report: BenchmarkReport) -> float:
    """Relate our whole update to a rival of another run, by way of dlib's fit in both.

    Parameters
    ----------
    report : BenchmarkReport

    Returns
    -------
    float
        Time of ours / of the rival; NaN where dlib's fit was not timed in this run.
    """
    if report.elsewhere is None or len(report.steps) < 2:
        return float("nan")
    ours, fit = report.steps[:2]
    return ours.p50 / fit.p50 * report.elsewhere.fit_ms / report.elsewhere.step_ms


def benchmark_details(report: BenchmarkReport) -> dict[str, Any]:
    """Collect everything that the JSON file holds.

    Parameters
    ----------
    report : BenchmarkReport

    Returns
    -------
    dict
        `steps_ms`, `ratios`, `cpu_ratios`, `elsewhere`, `file_rates`, `model_cost`, `drift`,
        `size`, `threads`, `skipped`, `learning`.
    """
    other = report.elsewhere
    return {
        "size": list(report.size),
        "threads": list(report.threads),
        "steps_ms": [asdict(s) for s in report.steps],
        "ratios": ratios(report.steps),
        "cpu_ratios": ratios(report.steps, clock="cpu"),
        "file_rates": [{**asdict(r), "ratio": r.ratio} for r in report.rates],
        "elsewhere": {**asdict(other), "ratio": ratio_elsewhere(report)} if other else None,
        "model_cost": asdict(report.model),
        "drift": asdict(report.drift) if report.drift else None,
        "skipped": list(report.skipped),
        "learning": learning_cost_details(report.learning) if report.learning else None,
    }


def benchmark_table(details: Mapping[str, Any]) -> list[Part]:
    """Lay out the report for a person.

    Parameters
    ----------
    details : mapping
        From `benchmark_details`, or from the JSON file, where NaN is None.

    Returns
    -------
    list of str or Table
    """
    width, height = details["size"]
    parts: list[Part] = [
        f"one face, {width}x{height}, {details['steps_ms'][0]['frames']} frames, one thread; "
        "rivals fit in boxes that cost them nothing",
        _step_table(details),
    ]
    if details["file_rates"]:
        rows = [
            [r["cores"], round(r["tracking"]), round(r["decoding"]), r["ratio"]]
            for r in details["file_rates"]
        ]
        headers = ["cores", "tracked frames/s", "decoded frames/s", "ratio"]
        parts += ["", "a file tracked into a table, against decoding it", Table(headers, rows)]
    cost = details["model_cost"]
    parts += ["", f"model: {cost['megabytes']:.1f} MB, {cost['seconds']:.2f} s to load"]
    if details["drift"]:
        parts += ["", _drift_line(details["drift"])]
    if details["learning"]:
        parts += ["", *learning_cost_table(details["learning"])]
    return [*parts, *(f"skipped: {reason}" for reason in details["skipped"])]


def _step_table(details: Mapping[str, Any]) -> Table:
    wall, cpu = details["ratios"], details["cpu_ratios"]
    rows: list[list[object]] = [
        [s["name"], s["p50"], s["p99"], s["cpu"], wall.get(s["name"]), cpu.get(s["name"])]
        for s in details["steps_ms"]
    ]
    if other := details["elsewhere"]:
        name = f"{other['name']} (another run)"
        rows.append([name, other["step_ms"], None, None, other["ratio"], None])
    return Table(["step", "p50 ms", "p99 ms", "CPU p50 ms", "ours / this", "in CPU time"], rows)


def _drift_line(drift: Mapping[str, Any]) -> str:
    wall, cpu = drift["last"] / drift["first"] - 1, drift["last_cpu"] / drift["first_cpu"] - 1
    return (
        f"{drift['frames']} frames: first minute {drift['first']:.3f} ms a frame, "
        f"last {drift['last']:.3f} ms ({100 * wall:+.1f} %, in CPU time {100 * cpu:+.1f} %); "
        f"memory {drift['megabytes_per_hour']:+.2f} MB/h"
    )
