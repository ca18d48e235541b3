"""A comparison with peers as JSON, as a table and as curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from facetrack.evaluation.comparison import Contender
from facetrack.evaluation.errors import summary
from facetrack.evaluation.report import SUMMARY_HEADERS, summary_cells
from facetrack.reporting.tables import table


def comparison_details(contenders: Sequence[Contender]) -> list[dict[str, Any]]:
    """Collect everything that the JSON file holds of the systems.

    Parameters
    ----------
    contenders : sequence of Contender

    Returns
    -------
    list of dict
        Per system `name`, `note`, `errors` by reference, `losses`, `lost_frames`, `jitter` of all
        points and per group in % of the outer-eye distance, `step_ms`, `megabytes`.
    """
    return [
        {
            "name": c.name,
            "note": c.note,
            "errors": {key: asdict(summary(e)) for key, e in c.measures.errors.items() if len(e)},
            "losses": c.measures.losses,
            "lost_frames": c.measures.lost_frames,
            "jitter": c.measures.jitter,
            "step_ms": asdict(c.step) if c.step else None,
            "megabytes": c.megabytes,
        }
        for c in contenders
    ]


def comparison_table(contenders: Sequence[Contender], *, skipped: Sequence[str] = ()) -> str:
    """Lay out a comparison for a terminal.

    Parameters
    ----------
    contenders : sequence of Contender
        Ours first.
    skipped : sequence of str
        Peers that could not run, with the reason.

    Returns
    -------
    str
        A table of errors for each reference, and one of what does not depend on a reference.
    """
    lines = []
    for reference, by_system in curves(contenders).items():
        rows = [[name, len(e), *summary_cells(summary(e))] for name, e in by_system.items()]
        headers = ["system", "frames", *SUMMARY_HEADERS]
        lines += [f"errors against {reference}", table(headers, rows), ""]
    lines += ["all clips; a step is whole, from the frame to the points, on one thread"]
    lines.append(table(_HEADERS, [_row(c) for c in contenders]))
    lines += [f"{c.name}: {c.note}" for c in contenders if c.note]
    lines.append("a reference that is a peer's own answer says nothing of that peer")
    return "\n".join([*lines, *(f"skipped: {reason}" for reason in skipped)])


_HEADERS = ["system", "losses", "lost frames", "jitter %", "p50 ms", "p99 ms", "model MB"]


def _row(c: Contender) -> list[object]:
    none = float("nan")
    times = (c.step.p50, c.step.p99) if c.step else (none, none)
    size = none if c.megabytes is None else c.megabytes
    measures = c.measures
    return [c.name, measures.losses, measures.lost_frames, measures.jitter["all"], *times, size]


def curves(
    contenders: Sequence[Contender],
) -> dict[str, dict[str, npt.NDArray[np.float64]]]:
    """Sort the errors by reference.

    Parameters
    ----------
    contenders : sequence of Contender

    Returns
    -------
    dict of str to dict
        For each reference the errors of the compared frames by system, as `plot_panels` takes
        them.
    """
    references = dict.fromkeys(key for c in contenders for key in c.measures.errors)
    return {
        key: {c.name: e for c in contenders if len(e := c.measures.errors.get(key, np.empty(0)))}
        for key in references
    }
