"""Evaluations on clips as JSON and as tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from facetrack.evaluation.errors import summary
from facetrack.evaluation.video import ClipReport, PooledSystem, SystemOnClip, VideoReport
from facetrack.landmarks.markup import GROUPS
from facetrack.reporting.tables import table


def video_details(report: VideoReport) -> dict[str, Any]:
    """Collect everything that the JSON file holds beyond the main numbers.

    Parameters
    ----------
    report : VideoReport

    Returns
    -------
    dict
        `lag_ms`, `pooled` per system and `clips`; errors as `ErrorSummary`.
    """
    return {
        "lag_ms": report.lag,
        "pooled": {name: _pooled_details(s) for name, s in report.pooled.items()},
        "clips": [_clip_details(clip) for clip in report.clips],
    }


def _pooled_details(system: PooledSystem) -> dict[str, Any]:
    leak = {"amplitude": system.leak, "correlation": system.leak_correlation}
    return {**_common_details(system), "blink_leak": leak}


def _clip_details(clip: ClipReport) -> dict[str, Any]:
    return {
        "name": clip.name,
        "frames": clip.frames,
        "compared": clip.compared,
        "still": clip.still,
        "blinks": clip.blinks,
        "lag_ms": clip.lag,
        "systems": {
            name: {**_common_details(s), "blink_leak": asdict(s.leak)}
            for name, s in clip.systems.items()
        },
    }


def _common_details(system: SystemOnClip | PooledSystem) -> dict[str, Any]:
    return {
        "errors": {key: asdict(summary(e)) for key, e in system.errors.items() if len(e)},
        "losses": system.losses,
        "lost_frames": system.lost_frames,
        "jitter": system.jitter,
    }


def video_table(report: VideoReport) -> str:
    """Lay out the report for a terminal.

    Parameters
    ----------
    report : VideoReport

    Returns
    -------
    str
        Errors and losses per clip for the first system, and all systems on all clips, with
        jitter and blinks.
    """
    compared = sum(c.compared for c in report.clips)
    still, blinks = sum(c.still for c in report.clips), sum(c.blinks for c in report.clips)
    lines = [
        _clip_table(report),
        "",
        f"all clips: {compared} compared frames, {still} still frames, {blinks} blinks",
        _error_table(report.pooled),
        "",
        "jitter on still stretches and blink leak, % of the outer-eye distance",
        _jitter_table(report.pooled),
    ]
    if np.isfinite(report.lag):
        lines.append(f"lag of the smoothing: {report.lag:.1f} ms")
    return "\n".join(lines)


def _clip_table(report: VideoReport) -> str:
    first = next(iter(report.pooled))
    references = list(report.pooled[first].errors)
    rows = [
        [
            clip.name,
            clip.frames,
            clip.compared,
            *(_cells(clip.systems[first].errors.get(key))[0] for key in references),
            clip.systems[first].losses,
            clip.systems[first].lost_frames,
        ]
        for clip in report.clips
    ]
    headers = ["clip", "frames", "compared", *(f"mean % to {r}" for r in references)]
    return table([*headers, "losses", "lost frames"], rows)


def _error_table(pooled: Mapping[str, PooledSystem]) -> str:
    references = list(next(iter(pooled.values())).errors)
    rows = [
        [
            name,
            *(cell for key in references for cell in _cells(s.errors.get(key))),
            s.losses,
            s.lost_frames,
        ]
        for name, s in pooled.items()
    ]
    headers = [f"{what} to {r}" for r in references for what in ("mean %", "median %", "over 8 %")]
    return table(["system", *headers, "losses", "lost frames"], rows)


def _cells(errors: npt.NDArray[np.float64] | None) -> tuple[float, float, float]:
    if errors is None or not len(errors):
        return (float("nan"),) * 3
    result = summary(errors)
    return result.mean, result.median, 100 * result.over08


def _jitter_table(pooled: Mapping[str, PooledSystem]) -> str:
    names = ["all", *GROUPS]
    rows = [
        [name, *(s.jitter[k] for k in names), s.leak, s.leak_correlation]
        for name, s in pooled.items()
    ]
    return table(["system", *names, "blink leak", "correlation"], rows)
