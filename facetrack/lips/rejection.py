"""When a word that was read is no word: speech unlike what the reader learned, or too unsure."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["NOTHING", "Reject", "energy"]


@dataclass(frozen=True, slots=True)
class Reject:
    """What a word must reach.

    Attributes
    ----------
    energy : float
        Least `energy` of the speech that it lies in.
    probability : float
        Its own least probability.
    """

    energy: float
    probability: float

    def passes(self, energy: float, probability: float) -> bool:
        """Return whether a word is reported.

        Parameters
        ----------
        energy, probability : float

        Returns
        -------
        bool
        """
        return energy >= self.energy and probability >= self.probability


NOTHING: Final = Reject(-inf, 0.0)  # rejects nothing


def energy(logits: npt.NDArray[np.float32]) -> float:
    """Measure how much a stretch of speech looks like what the network learned from.

    Parameters
    ----------
    logits : ndarray, shape (T, classes), float32

    Returns
    -------
    float
        Mean over the frames of log sum exp, the negative free energy (Liu, Wang, Owens, Li,
        Energy-based out-of-distribution detection, NeurIPS 2020, eq. 4): higher is more familiar.
    """
    return float(np.logaddexp.reduce(logits.astype(np.float64), axis=1).mean())
