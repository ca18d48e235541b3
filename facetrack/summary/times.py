"""How much of the time something is known, and why not the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Final

import numpy as np

from facetrack.summary.timeline import UNSAID, Flags, Floats

RIGHT: Final = "_right"
LEFT: Final = "_left"
DIFFERENCE: Final = "_left_minus_right"


@dataclass(frozen=True, slots=True)
class Times:
    """How much of a span something is known."""

    covered: float  # seconds of the span that the video has
    assessed: float  # seconds of these in which it is known
    reasons: dict[str, float]  # seconds of the rest, by why it is not known; the longest first

    @property
    def share(self) -> float:
        """Share of the covered time that is assessed; NaN where nothing is covered."""
        return ratio(self.assessed, self.covered)

    @property
    def shares(self) -> dict[str, float]:
        """Share of the covered time of every reason."""
        return {reason: ratio(seconds, self.covered) for reason, seconds in self.reasons.items()}

    @property
    def unassessable(self) -> str:
        """Why nothing at all is known; empty where something is."""
        if self.assessed > 0:
            return ""
        return f"not assessable: {next(iter(self.reasons), 'the video has no such time')}"


def times_of(known: Flags, reasons: Sequence[str], weights: Floats) -> Times:
    """Measure how much of a span something is known; weights are seconds of each piece, (n,)."""
    missing: dict[str, float] = defaultdict(float)
    for i in np.flatnonzero(~known & (weights > 0)).tolist():
        missing[reasons[i] or UNSAID] += float(weights[i])
    ordered = dict(sorted(missing.items(), key=lambda item: -item[1]))
    return Times(float(weights.sum()), float(weights[known].sum()), ordered)


def ratio(part: float, whole: float) -> float:
    """Divide; NaN by nothing."""
    return part / whole if whole > 0 else nan
