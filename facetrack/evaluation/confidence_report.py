"""The judgement of the points' confidence as JSON and as a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from facetrack.evaluation.confidence import YAW_BANDS, Judged
from facetrack.evaluation.reliability import Reliability
from facetrack.landmarks.markup import GROUPS
from facetrack.reporting.tables import Part, Table

PEERS: Final = "peers: MediaPipe, PFLD and dlib's trees give no confidence of single points"


def worst(parts: Mapping[str, Reliability], names: Iterable[str]) -> float:
    """Give the largest calibration error among parts that are there; NaN without any."""
    errors = [parts[name].error for name in names if name in parts]
    return max(errors) if errors else float("nan")


def confidence_table(details: Mapping[str, Any]) -> list[Part]:
    """Lay out calibration errors, a line per data and start (`rows` of the JSON file)."""
    names = [*GROUPS, *YAW_BANDS]
    rows = []
    for entry in details["rows"]:
        parts = entry["parts"]
        every = parts["all"]
        shares = (_pooled(every, "predicted"), _pooled(every, "observed"), every["ece"])
        cells = [entry["data"], entry["start"], entry["faces"], *(f"{100 * s:.1f}" for s in shares)]
        cells += (f"{100 * parts[n]['ece']:.1f}" if n in parts else "-" for n in names)
        rows.append([*cells, every["brier"], every["base"], every["ranking"]])
    headers = ["data", "start", "faces", "predicted %", "observed %", "ECE %", *names]
    return [Table([*headers, "Brier", "constant", "ranking"], rows), PEERS]


def _pooled(part: Mapping[str, Any], name: str) -> float:
    """Give the mean of all points from those of the bins, of which empty ones have none."""
    counts, means = np.asarray(part["counts"]), np.asarray(part[name], dtype=np.float64)
    full = counts > 0
    return float(np.average(means[full], weights=counts[full]))


def confidence_details(report: Sequence[Judged]) -> list[dict[str, Any]]:
    """Collect everything that the JSON file holds."""
    found = []
    for entry in report:
        parts = entry.parts()
        found.append(
            {
                "data": entry.data,
                "start": entry.start,
                "faces": len(entry.yaw),
                "ece": parts["all"].error,
                "worst_group": worst(parts, GROUPS),
                "worst_yaw": worst(parts, YAW_BANDS),
                "parts": {n: {"ece": p.error, **asdict(p)} for n, p in parts.items()},
            }
        )
    return found
