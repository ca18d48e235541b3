"""Evaluations on clips as JSON and as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeAlias

import numpy as np

from facetrack.evaluation.errors import summary
from facetrack.evaluation.report import read_summary
from facetrack.evaluation.video import ClipReport, PooledSystem, SystemOnClip, VideoReport
from facetrack.landmarks.markup import GROUPS
from facetrack.reporting.envelope import number
from facetrack.reporting.tables import Part, Table

Details: TypeAlias = Mapping[str, Any]


def video_details(report: VideoReport) -> dict[str, Any]:
    """Collect everything that the JSON file holds beyond the main numbers."""
    return {
        "lag_ms": report.lag,
        "pooled": {
            name: _details(s, {"amplitude": s.leak, "correlation": s.leak_correlation})
            for name, s in report.pooled.items()
        },
        "clips": [_clip_details(clip) for clip in report.clips],
    }


def _clip_details(clip: ClipReport) -> dict[str, Any]:
    return {
        "name": clip.name,
        "frames": clip.frames,
        "compared": clip.compared,
        "still": clip.still,
        "blinks": clip.blinks,
        "lag_ms": clip.lag,
        "systems": {name: _details(s, asdict(s.leak)) for name, s in clip.systems.items()},
    }


def _details(system: SystemOnClip | PooledSystem, leak: Mapping[str, float]) -> dict[str, Any]:
    return {
        "errors": {key: asdict(summary(e)) for key, e in system.errors.items() if len(e)},
        "losses": system.losses,
        "lost_frames": system.lost_frames,
        "jitter": system.jitter,
        "blink_leak": leak,
    }


def video_table(details: Details) -> list[Part]:
    """Lay out the report for a person: per clip for the first system, then all on all clips."""
    clips, pooled = details["clips"], details["pooled"]
    compared, still, blinks = (sum(c[k] for c in clips) for k in ("compared", "still", "blinks"))
    parts: list[Part] = [
        _clip_table(clips, pooled),
        "",
        f"all clips: {compared} compared frames, {still} still frames, {blinks} blinks",
        _error_table(pooled),
        "",
        "jitter on still stretches and blink leak, % of the outer-eye distance",
        _jitter_table(pooled),
    ]
    if np.isfinite(lag := number(details["lag_ms"])):
        parts.append(f"lag of the smoothing: {lag:.1f} ms")
    return [*parts, *(f"skipped: {reason}" for reason in details.get("skipped", ()))]


def _clip_table(clips: Sequence[Details], pooled: Details) -> Table:
    first = next(iter(pooled))
    references = list(pooled[first]["errors"])
    rows = [
        [
            clip["name"],
            clip["frames"],
            clip["compared"],
            *(_cells(clip["systems"][first]["errors"].get(key))[0] for key in references),
            clip["systems"][first]["losses"],
            clip["systems"][first]["lost_frames"],
        ]
        for clip in clips
    ]
    headers = ["clip", "frames", "compared", *(f"mean % to {r}" for r in references)]
    return Table([*headers, "losses", "lost frames"], rows)


def _error_table(pooled: Details) -> Table:
    references = list(next(iter(pooled.values()))["errors"])
    rows = [
        [
            name,
            *(cell for key in references for cell in _cells(s["errors"].get(key))),
            s["losses"],
            s["lost_frames"],
        ]
        for name, s in pooled.items()
    ]
    headers = [f"{what} to {r}" for r in references for what in ("mean %", "median %", "over 8 %")]
    return Table(["system", *headers, "losses", "lost frames"], rows)


def _cells(errors: Details | None) -> tuple[float, float, float]:
    if errors is None:
        return (float("nan"),) * 3
    result = read_summary(errors)
    return result.mean, result.median, 100 * result.over08


def _jitter_table(pooled: Details) -> Table:
    names, leak = ["all", *GROUPS], ("amplitude", "correlation")
    rows = [
        [name, *(s["jitter"][k] for k in names), *(s["blink_leak"][k] for k in leak)]
        for name, s in pooled.items()
    ]
    return Table(["system", *names, "blink leak", "correlation"], rows)
