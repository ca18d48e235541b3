"""Examples as JSON, as tables and as curves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, Final

import numpy as np

from benchmarks.learning.teaching import Outcome
from facetrack.evaluation.difficulty import THIRDS
from facetrack.evaluation.footage import Spread
from facetrack.reporting.envelope import number
from facetrack.reporting.tables import Part, Table

_TITLES: Final = {
    Spread.CLIP: "corrections spread over the clip, all other frames judged",
    Spread.FORWARD: "corrections in the first quarter, the second half judged",
}


def learning_details(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Collect everything that the JSON file holds beyond the head.

    Parameters
    ----------
    outcomes : sequence of Outcome

    Returns
    -------
    dict
        `summary`: per protocol, learner and number of corrections the median and the worst ratio
        over the clips, also per third where difficulty is known; `outcomes`: all of them.
    """
    return {
        "summary": [
            {
                "spread": str(spread),
                "learner": learner,
                "corrections": count,
                "clips": len(chosen),
                "median_ratio": float(np.median([x.ratio for x in chosen])),
                "worst_ratio": max(x.ratio for x in chosen),
                "median_before": float(np.median([x.before for x in chosen])),
                "median_after": float(np.median([x.after for x in chosen])),
                "lost_frames": sum(x.lost for x in chosen),
                "thirds": {third: ratio for third in THIRDS if (ratio := _third(chosen, third))},
            }
            for spread in Spread
            for learner in _learners(outcomes)
            for count in _counts(outcomes)
            if (chosen := _chosen(outcomes, spread, learner, count))
        ],
        "outcomes": [{**asdict(x), "ratio": x.ratio} for x in outcomes],
    }


def ratio_curves(outcomes: Sequence[Outcome], spread: Spread) -> dict[str, dict[float, float]]:
    """Give the median ratio over the clips against the number of corrections.

    Parameters
    ----------
    outcomes : sequence of Outcome
    spread : Spread

    Returns
    -------
    dict of str to dict
        Per learner a curve.
    """
    return {
        learner: {
            float(count): float(np.median([x.ratio for x in chosen]))
            for count in _counts(outcomes)
            if (chosen := _chosen(outcomes, spread, learner, count))
        }
        for learner in _learners(outcomes)
    }


def learning_table(details: Mapping[str, Any]) -> list[Part]:
    """Lay out outcomes for a person.

    Parameters
    ----------
    details : mapping
        From `learning_details`, or from the JSON file, where NaN is None.

    Returns
    -------
    list of str or Table
        The errors without corrections per clip; per protocol the median over the clips of error
        after / before, the worst clip in brackets; the same per third of difficulty.
    """
    outcomes = [_outcome(row) for row in details["outcomes"]]
    parts: list[Part] = ["median error without corrections, % of the outer-eye distance"]
    parts.append(_before(outcomes))
    for spread in Spread:
        parts += ["", f"error after / before; {_TITLES[spread]}: median over clips (worst clip)"]
        parts.append(_ratios(outcomes, spread))
        if any(x.thirds for x in outcomes):
            parts += ["", f"the same by difficulty of the frames ({', '.join(THIRDS)})"]
            parts.append(_by_third(outcomes, spread))
    return [*parts, *(f"skipped: {reason}" for reason in details.get("skipped", ()))]


def _outcome(row: Mapping[str, Any]) -> Outcome:
    values = {f.name: number(row[f.name]) for f in fields(Outcome)}
    return Outcome(**{**values, "spread": Spread(row["spread"])})


def _before(outcomes: Sequence[Outcome]) -> Table:
    rows: list[list[object]] = []
    for clip in dict.fromkeys(x.clip for x in outcomes):
        mine = [x for x in outcomes if x.clip == clip]
        per_spread = [next((x for x in mine if x.spread is s), None) for s in Spread]
        cells = [(100 * x.before, x.judged) if x else (float("nan"), 0) for x in per_spread]
        rows.append([clip, *(cell for pair in cells for cell in pair)])
    headers = [f"{word}, {s}" for s in Spread for word in ("error %", "judged")]
    return Table(["clip", *headers], rows)


def _ratios(outcomes: Sequence[Outcome], spread: Spread) -> Table:
    counts = _counts(outcomes)
    rows = []
    for learner in _learners(outcomes):
        cells = []
        for count in counts:
            chosen = _chosen(outcomes, spread, learner, count)
            ratios = [x.ratio for x in chosen]
            lost = sum(x.lost for x in chosen)
            cell = f"{np.median(ratios):.3f} ({max(ratios):.2f})" if ratios else "-"
            cells.append(cell + (f" lost {lost}" if lost else ""))
        rows.append([learner, *cells])
    return Table(["", *(f"n = {count}" for count in counts)], rows)


def _by_third(outcomes: Sequence[Outcome], spread: Spread) -> Table:
    counts = _counts(outcomes)
    rows = []
    for learner in _learners(outcomes):
        cells = []
        for count in counts:
            chosen = _chosen(outcomes, spread, learner, count)
            ratios = [_third(chosen, third) for third in THIRDS]
            cells.append(" / ".join("-" if r is None else f"{r:.3f}" for r in ratios))
        rows.append([learner, *cells])
    return Table(["", *(f"n = {count}" for count in counts)], rows)


def _third(outcomes: Iterable[Outcome], third: str) -> float | None:
    pairs = [x.thirds[third] for x in outcomes if third in x.thirds]
    return float(np.median([after / before for before, after in pairs])) if pairs else None


def _chosen(outcomes: Sequence[Outcome], spread: Spread, learner: str, count: int) -> list[Outcome]:
    return [x for x in outcomes if (x.spread, x.learner, x.count) == (spread, learner, count)]


def _learners(outcomes: Sequence[Outcome]) -> list[str]:
    return list(dict.fromkeys(x.learner for x in outcomes))


def _counts(outcomes: Sequence[Outcome]) -> list[int]:
    return sorted({x.count for x in outcomes})
