"""The judgement of the points' confidence as JSON and as a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from facetrack.evaluation.confidence import YAW_BANDS, Judged
from facetrack.evaluation.reliability import Reliability
from facetrack.landmarks.markup import GROUPS
from facetrack.reporting.tables import table
from facetrack.tracking.confidence import WITHIN

PEERS: Final = "peers: MediaPipe, PFLD and dlib's trees give no confidence of single points"


def worst(parts: Mapping[str, Reliability], names: Iterable[str]) -> float:
    """Give the largest calibration error among parts that are there; NaN without any."""
    errors = [parts[name].error for name in names if name in parts]
    return max(errors) if errors else float("nan")


def confidence_table(report: Sequence[Judged]) -> str:
    """Lay out calibration errors for a terminal.

    Parameters
    ----------
    report : sequence of Judged

    Returns
    -------
    str
        A line per data and start: calibration error of all points, of each landmark group and of
        each band of yaw, in % of probability; Brier score beside that of one constant probability;
        and how well confidence ranks points that are right above others. A last line says which
        peers have something to compare.
    """
    names = [*GROUPS, *YAW_BANDS]
    lines = []
    for entry in report:
        parts = entry.parts()
        every = parts["all"]
        cells = [f"{100 * parts[n].error:.1f}" if n in parts else "-" for n in names]
        right = float((entry.errors < WITHIN).mean())
        lines.append(
            [
                entry.data,
                entry.start,
                len(entry.yaw),
                f"{100 * float(entry.confidence.mean()):.1f}",
                f"{100 * right:.1f}",
                f"{100 * every.error:.1f}",
                *cells,
                every.brier,
                every.base,
                every.ranking,
            ]
        )
    headers = ["data", "start", "faces", "said %", "seen %", "ECE %", *names]
    return table([*headers, "Brier", "constant", "ranking"], lines) + "\n" + PEERS


def confidence_details(report: Sequence[Judged]) -> list[dict[str, Any]]:
    """Collect everything that the JSON file holds.

    Parameters
    ----------
    report : sequence of Judged

    Returns
    -------
    list of dict
        Per data and start: `faces`, `ece`, `worst_group`, `worst_yaw` (fractions of 1) and `parts`,
        each with its diagram.
    """
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
