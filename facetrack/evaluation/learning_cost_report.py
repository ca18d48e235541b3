"""What learning costs, as JSON and as tables."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from facetrack.evaluation.learning_cost import DRAWS, LESSONS, MODES, LearningCost
from facetrack.reporting.tables import table

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


def learning_cost_table(cost: LearningCost) -> str:
    """Lay out what was measured for a terminal.

    Parameters
    ----------
    cost : LearningCost

    Returns
    -------
    str
    """
    exact = cost.exactness
    updates = [
        [u.features, u.continuous, u.literal, u.ordered, u.literal_ratio, u.ordered_ratio]
        for u in cost.updates
    ]
    lessons = [[f"{n}." if n > 1 else "1. (sums known)", cost.lessons_ms[n]] for n in LESSONS]
    steps = [[s.name, s.p50, s.p99, s.frames] for s in cost.steps]
    lines = [
        f"{exact.updates} updates of the last level against solving anew, float64: regressor "
        f"{exact.regressor:.1e}, inverse {exact.inverse:.1e} (relative), condition "
        f"{exact.condition:.0f}",
        "",
        f"one update of one level, one thread, float64, m = {MODES}, K = {DRAWS}; {ORDER}",
        table(
            ["d", "iCCR ms", "iSDM ms", "re-ordered ms", "iSDM / iCCR", "re-ordered / iCCR"],
            updates,
        ),
        "",
        "one lesson of a person, all levels",
        table(["lesson", "ms"], [["1. of the process", cost.first_ms], *lessons]),
        "",
        "whole update of the tracker after 20 lessons, without any, and learning from own tracks",
        table(["person", "p50 ms", "p99 ms", "frames"], steps),
        "",
        f"profile of 20 lessons: {cost.profile_bytes / 1e6:.1f} MB, "
        f"{1000 * cost.profile_seconds:.0f} ms to load",
    ]
    return "\n".join(lines)
