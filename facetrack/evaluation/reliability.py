"""Whether stated probabilities come true: reliability diagrams and calibration error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from facetrack.errors import InputError

BINS = 10

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reliability:
    """Stated probabilities against what happened, in bins of equal width over [0, 1]."""

    counts: npt.NDArray[np.int64]
    predicted: Array  # mean stated probability; NaN in empty bins
    observed: Array  # share that came true; NaN in empty bins
    brier: float  # mean squared difference of probability and outcome (Brier 1950): lower is better
    base: float  # Brier score of one probability for all that is right on average
    ranking: float  # area under the ROC curve; NaN where only one outcome happened

    @property
    def error(self) -> float:
        """Expected calibration error: mean |predicted - observed| by counts (Guo et al. 2017)."""
        full = self.counts > 0
        apart = np.abs(self.predicted[full] - self.observed[full])
        return float((self.counts[full] * apart).sum() / self.counts.sum())


def reliability(probability: npt.ArrayLike, outcome: npt.ArrayLike) -> Reliability:
    """Compare stated probabilities with outcomes of the same shape."""
    p, y = np.asarray(probability, dtype=np.float64), np.asarray(outcome, dtype=np.float64)
    if p.shape != y.shape or not p.size:
        raise InputError(f"as many outcomes as probabilities are needed: {p.shape} and {y.shape}")
    if not ((p >= 0) & (p <= 1)).all():
        raise InputError("probabilities must lie between 0 and 1")
    p, y = p.ravel(), y.ravel()
    place = np.minimum((p * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    with np.errstate(invalid="ignore"):
        predicted = np.bincount(place, p, BINS) / counts
        observed = np.bincount(place, y, BINS) / counts
    share = float(y.mean())
    return Reliability(
        counts=counts,
        predicted=predicted,
        observed=observed,
        brier=float(((p - y) ** 2).mean()),
        base=share * (1 - share),
        ranking=_ranking(p, y > 0),
    )


def _ranking(probability: Array, outcome: npt.NDArray[np.bool_]) -> float:
    """Compute the area under the ROC curve from ranks (Mann and Whitney 1947)."""
    positive = int(outcome.sum())
    pairs = positive * (len(outcome) - positive)
    if not pairs:
        return float("nan")
    ranks = float(rankdata(probability)[outcome].sum())
    return (ranks - positive * (positive + 1) / 2) / pairs
