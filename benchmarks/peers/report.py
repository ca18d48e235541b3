"""A comparison with peers as JSON, as a table and as curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.peers.comparison import Contender
from facetrack.evaluation.errors import summary
from facetrack.evaluation.report import SUMMARY_HEADERS, read_summary, summary_cells
from facetrack.reporting.tables import Part, Table


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


def comparison_table(details: Mapping[str, Any]) -> list[Part]:
    """Lay out a comparison for a person.

    Parameters
    ----------
    details : mapping
        Its `systems` are from `comparison_details`, ours first, and `skipped` are the peers that
        could not run, with the reason; or from the JSON file, where NaN is None.

    Returns
    -------
    list of str or Table
        A table of errors for each reference, and one of what does not depend on a reference.
    """
    systems = details["systems"]
    parts: list[Part] = []
    for reference in dict.fromkeys(key for s in systems for key in s["errors"]):
        found = [
            (s["name"], read_summary(s["errors"][reference]))
            for s in systems
            if reference in s["errors"]
        ]
        rows = [[name, errors.n, *summary_cells(errors)] for name, errors in found]
        headers = ["system", "frames", *SUMMARY_HEADERS]
        parts += [f"errors against {reference}", Table(headers, rows), ""]
    return [
        *parts,
        "all clips; a step is whole, from the frame to the points, on one thread",
        Table(_HEADERS, [_row(system) for system in systems]),
        *(f"{s['name']}: {s['note']}" for s in systems if s["note"]),
        "a reference that is a peer's own answer says nothing of that peer",
        *(f"skipped: {reason}" for reason in details["skipped"]),
    ]


_HEADERS = ["system", "losses", "lost frames", "jitter %", "p50 ms", "p99 ms", "model MB"]


def _row(system: Mapping[str, Any]) -> list[object]:
    step = system["step_ms"] or {}
    return [
        system["name"],
        system["losses"],
        system["lost_frames"],
        system["jitter"]["all"],
        step.get("p50"),
        step.get("p99"),
        system["megabytes"],
    ]


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
