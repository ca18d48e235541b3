"""Benchmarks as JSON and as tables, as ratios wherever a rival ran beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from facetrack.evaluation.benchmark import FileRate, ModelCost, StepTime
from facetrack.evaluation.long_run import Drift
from facetrack.evaluation.report import table


@dataclass(frozen=True, slots=True)
class BenchmarkReport:
    """All that one run of the benchmark measured.

    Attributes
    ----------
    steps : tuple of StepTime
        The first is our whole update, the second (if any) the rival that ratios refer to.
    rates : tuple of FileRate
        With one core, two cores, ...
    model : ModelCost or None
    drift : Drift or None
    size : tuple of int
        Width and height of the frames.
    threads : tuple of str
        Libraries that were kept to one thread.
    skipped : tuple of str
        What could not run, with the reason.
    """

    steps: tuple[StepTime, ...]
    rates: tuple[FileRate, ...]
    model: ModelCost | None
    drift: Drift | None
    size: tuple[int, int]
    threads: tuple[str, ...]
    skipped: tuple[str, ...] = ()


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


def benchmark_details(report: BenchmarkReport) -> dict[str, Any]:
    """Collect everything that the JSON file holds.

    Parameters
    ----------
    report : BenchmarkReport

    Returns
    -------
    dict
        `steps_ms`, `ratios`, `cpu_ratios`, `file_rates`, `model_cost`, `drift`, `size`, `threads`,
        `skipped`.
    """
    return {
        "size": list(report.size),
        "threads": list(report.threads),
        "steps_ms": [asdict(s) for s in report.steps],
        "ratios": ratios(report.steps),
        "cpu_ratios": ratios(report.steps, clock="cpu"),
        "file_rates": [{**asdict(r), "ratio": r.ratio} for r in report.rates],
        "model_cost": asdict(report.model) if report.model else None,
        "drift": asdict(report.drift) if report.drift else None,
        "skipped": list(report.skipped),
    }


def benchmark_table(report: BenchmarkReport) -> str:
    """Lay out the report for a terminal.

    Parameters
    ----------
    report : BenchmarkReport

    Returns
    -------
    str
    """
    wall, cpu = ratios(report.steps), ratios(report.steps, clock="cpu")
    none = float("nan")
    rows = [
        [s.name, s.p50, s.p99, s.cpu, wall.get(s.name, none), cpu.get(s.name, none)]
        for s in report.steps
    ]
    width, height = report.size
    title = f"{width}x{height}, {report.steps[0].frames} frames, one thread"
    headers = ["step", "p50 ms", "p99 ms", "CPU p50 ms", "ours / this", "in CPU time"]
    lines = [title, table(headers, rows)]
    if report.rates:
        cells = [[r.cores, r.tracking, r.decoding, r.ratio] for r in report.rates]
        headers = ["cores", "tracked frames/s", "decoded frames/s", "ratio"]
        lines += ["", "a file end to end", table(headers, cells)]
    if report.model:
        lines += [
            "",
            f"model: {report.model.megabytes:.1f} MB, {report.model.seconds:.2f} s to load",
        ]
    if report.drift:
        d = report.drift
        lines += [
            "",
            f"{d.frames} frames: first minute {d.first:.3f} ms a frame, last {d.last:.3f} ms "
            f"({100 * (d.last / d.first - 1):+.1f} %); memory {d.megabytes_per_hour:+.2f} MB/h",
        ]
    return "\n".join([*lines, *(f"skipped: {reason}" for reason in report.skipped)])
