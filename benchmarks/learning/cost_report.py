"""What learning costs, as JSON and as tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from benchmarks.learning.cost import DRAWS, MODES, LearningCost
from facetrack.reporting.tables import Part, Table

ORDER = (
    "iSDM as written, from left to right: V' = V - V X (I + X^T V X)^-1 X^T V, Q = (X X^T) V', "
    "R' = R - R Q + D X^T V', so two products of d x d matrices"
)


def learning_cost_details(cost: LearningCost) -> dict[str, Any]:
    """Collect everything that the JSON file holds of learning.

    Parameters
    ----------
    cost : LearningCost

    Returns
    -------
    dict
        The fields of `LearningCost`; `evaluation_order` of the literal rival.
    """
    return {**asdict(cost), "evaluation_order": ORDER, "modes": MODES, "draws": DRAWS}


def learning_cost_table(details: Mapping[str, Any]) -> list[Part]:
    """Lay out what was measured for a person.

    Parameters
    ----------
    details : mapping
        From `learning_cost_details`, or from the JSON file, where NaN is None.

    Returns
    -------
    list of str or Table
    """
    exact = details["exactness"]
    fields = ("features", "continuous", "literal", "ordered", "literal_ratio", "ordered_ratio")
    updates = [[update[name] for name in fields] for update in details["updates"]]
    whole, ways = details["whole"], ("continuous", "literal", "ordered", "retrained")
    examples = [
        ["1. (sums known)" if int(number) == 1 else f"{number}.", ms]
        for number, ms in details["examples_ms"].items()
    ]
    steps = [[step[name] for name in ("name", "p50", "p99", "frames")] for step in details["steps"]]
    return [
        f"{exact['updates']} updates of the last level against solving anew, float64: regressor "
        f"{exact['regressor']:.1e}, inverse {exact['inverse']:.1e} (relative), condition "
        f"{exact['condition']:.0f}",
        "",
        f"one update of one level, one thread, float64, m = {details['modes']}, "
        f"K = {details['draws']}; {details['evaluation_order']}",
        Table(
            ["d", "iCCR ms", "iSDM ms", "re-ordered ms", "iSDM / iCCR", "re-ordered / iCCR"],
            updates,
        ),
        "",
        f"one more labelled frame, features included, all {whole['levels']} levels that learn, one "
        f"thread, float64, d = {whole['features']}, m = {whole['modes']}, K = {details['draws']}; "
        f"retrained: solved anew from {whole['frames']} stored frames; CPU time",
        Table(
            ["iCCR ms", "iSDM ms", "re-ordered ms", "retrained ms", "iSDM / iCCR"],
            [[*(whole[way] for way in ways), whole["literal"] / whole["continuous"]]],
        ),
        "",
        "one correction of a person, from frame and points to the person's model, CPU time",
        Table(["correction", "ms"], [["1. of the process", details["first_ms"]], *examples]),
        "",
        "whole update of the tracker after these corrections, without any, and learning from own "
        "tracks",
        Table(["person", "p50 ms", "p99 ms", "frames"], steps),
        "",
        f"profile of {max(map(int, details['examples_ms']))} corrections: "
        f"{details['profile_bytes'] / 1e6:.1f} MB, "
        f"{1000 * details['profile_seconds']:.0f} ms to load",
    ]
