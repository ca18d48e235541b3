"""What a reject answer costs and saves: words right and false words, by what words must reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import inf
from typing import Any, Final

import numpy as np

from facetrack.lips.rejection import NOTHING, Reject
from facetrack.reporting.tables import Part, Quantity, Table

NEAR: Final = 3  # frames by which a word's middle may lie beside its place
PROBABILITIES: Final = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
_LOST: Final = 0.025  # of the right words, to the energy
_LEFT: Final = 0.8  # of the words that are said, right with the reject


@dataclass(frozen=True, slots=True)
class Heard:
    """A word that was heard in a clip; see `ReadWord`."""

    probability: float
    energy: float
    said: int  # which of the clip's words it is, at its place; -1 for none


Clips = Sequence[Sequence[Heard]]


def counted(clips: Clips, reject: Reject = NOTHING) -> tuple[int, int]:
    """Count the words that are reported: right and false."""
    right, false = 0, 0
    for clip in clips:
        kept = [one.said for one in clip if reject.passes(one.energy, one.probability)]
        right += len(set(kept) - {-1})
        false += kept.count(-1)
    return right, false


def trade(clips: Clips, said: int, hours: float, energy: float) -> list[dict[str, float]]:
    """Count right (share of `said`) and false words (an hour) at several working points."""
    # `right_known` and `false_known` are for speech of that energy, unless it is minus infinity.
    found, points = [], {"": -inf} if energy == -inf else {"": -inf, "_known": energy}
    for probability in PROBABILITIES:
        row = {"probability": probability}
        for name, least in points.items():
            right, false = counted(clips, Reject(least, probability))
            row |= {f"right{name}": right / max(said, 1), f"false{name}": false / hours}
        found.append(row)
    return found


def working_point(clips: Clips, said: int) -> Reject | None:
    """Choose what words must reach, of sentences set aside; None where none is right."""
    # The energy that one in forty of the right words lacks, and the highest probability that leaves
    # four of five words that are said right, or else 0.
    energies = [one.energy for clip in clips for one in clip if one.said >= 0]
    if not energies:
        return None
    energy = round(float(np.quantile(energies, _LOST)), 2)
    for hundredths in range(99, 0, -1):
        reject = Reject(energy, hundredths / 100)
        if counted(clips, reject)[0] >= _LEFT * said:
            return reject
    return Reject(energy, 0.0)


def spotting_measures(
    free: Clips, ruled: Clips, *, said: int, hours: float, reject: Reject
) -> dict[str, Any]:
    """Measure what is found without boundaries: freely, and ruled by the grammar."""
    # `sentence` and `spotted` are shares of the words with and without the grammar, `extra` words a
    # minute that are none; with `_kept` after the reject. `chosen` is what these clips choose.
    chosen = working_point(free, said)
    shown = chosen if chosen and reject == NOTHING else reject
    found: dict[str, Any] = {
        "chosen": chosen and asdict(chosen),
        "reject": None if reject == NOTHING else asdict(reject),
        "trade": trade(free, said, hours, shown.energy),
    }
    for end, point in (("", NOTHING), ("_kept", reject)):
        right, false = counted(free, point)
        found |= {
            f"spotted{end}": right / said,
            f"extra{end}": false / hours / 60,
            f"sentence{end}": counted(ruled, point)[0] / said,
        }
    return found


def trade_table(rows: Sequence[Mapping[str, Any]], *, right: bool) -> Table:
    """Lay out the working points; `right`: whether any word is said in the clips."""
    heads = {"right": ("right", 3), "false": ("false an hour", 0),
             "right_known": ("right, familiar speech only", 3),
             "false_known": ("false an hour, familiar speech only", 0)}  # fmt: skip
    shown = {key: head for key, head in heads.items()
             if key in rows[0] and (right or not key.startswith("right"))}  # fmt: skip
    return Table(
        ["probability at least", *(head for head, _ in shown.values())],
        [
            [
                Quantity(row["probability"], 2),
                *(Quantity(row[key], digits) for key, (_, digits) in shown.items()),
            ]
            for row in rows
        ],
    )


def spotting_table(details: Mapping[str, Any]) -> list[Part]:
    """Lay out what is found without boundaries, and what a reject costs."""
    rejects = {"": "nothing rejected"}
    if details["reject"] is not None:
        rejects["_kept"] = _in_words(details["reject"])
    rows = [
        [label, *(details[f"{key}{end}"] for key in ("sentence", "spotted")),
         Quantity(details[f"extra{end}"], 1)]
        for end, label in rejects.items()
    ]  # fmt: skip
    parts: list[Part] = [
        f"Boundaries not given, right word within {NEAR} frames of its place:",
        "",
        Table(["", "with the grammar", "without", "words a minute that are none, without"], rows),
        "",
    ]
    if details["chosen"] is not None:
        parts += [f"These sentences choose: {_in_words(details['chosen'])}. That energy 2.5 % of "
                  "the right words lack; the probability is the highest that leaves 0.80 right "
                  "without the grammar.", ""]  # fmt: skip
    return [*parts, trade_table(details["trade"], right=True)]


def _in_words(reject: Mapping[str, float]) -> str:
    return f"energy {reject['energy']:.2f} and probability {reject['probability']:.2f} at least"
