"""When a word that was read is no word: speech unlike what the reader learned, or too unsure."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Reject:
    """What a word must reach."""

    energy: float  # least `energy` of the speech that it lies in
    probability: float  # its own least probability

    def passes(self, energy: float, probability: float) -> bool:
        """Return whether a word is reported."""
        return energy >= self.energy and probability >= self.probability


NOTHING: Final = Reject(-inf, 0.0)  # rejects nothing


def energy(logits: npt.NDArray[np.float32]) -> float:
    """Measure how much speech, logits (T, classes), looks like what the network learned from.

    Mean over the frames of log sum exp, the negative free energy (Liu, Wang, Owens, Li,
    Energy-based out-of-distribution detection, NeurIPS 2020, eq. 4): higher is more familiar.
    """
    return float(np.logaddexp.reduce(logits.astype(np.float64), axis=1).mean())
