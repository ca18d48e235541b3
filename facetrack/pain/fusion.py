"""The second level: one score from the scores of all feature sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.pain.relevance import RelevanceVectors, fit_relevance
from facetrack.pain.sets import Standard, fit_standard

Floats = npt.NDArray[np.float64]
Groups = npt.NDArray[np.intp]

ROWS: Final = 800  # that a fusion by relevance vectors is fitted on
_GAMMA: Final = 0.5  # of its kernel, on standardised scores, over their number


@dataclass(frozen=True, slots=True, eq=False)
class Fusion:
    """Fuses scores: a sum with weights that are not negative, or a regression of its own."""

    weights: Floats  # (sets,), of the sum
    offset: float
    standard: Standard | None = None  # of the scores, for the regression
    regression: RelevanceVectors | None = None  # in place of the sum

    def apply(self, scores: Floats) -> Floats:
        """Fuse scores (n, sets)."""
        if self.regression is not None and self.standard is not None:
            return self.regression.predict(self.standard.apply(scores))
        return np.asarray(self.offset + scores @ self.weights)


def fit_linear(scores: Floats, labels: Floats) -> Fusion:
    """Fit a sum with weights that are not negative, on people whom no set had seen."""
    from scipy.optimize import nnls  # loads slowly

    free = np.column_stack([scores, np.ones(len(scores)), -np.ones(len(scores))])
    found, _ = nnls(free, labels)
    return Fusion(found[:-2], float(found[-2] - found[-1]))


def fit_vectors(scores: Floats, labels: Floats, rng: np.random.Generator) -> Fusion:
    """Fit a relevance vector regression on `ROWS` of the scores, drawn as distributed."""
    rows = rng.permutation(len(labels))[:ROWS]
    standard = fit_standard(scores[rows])
    regression = fit_relevance(
        standard.apply(scores[rows]), labels[rows], _GAMMA / scores.shape[1], steps=300
    )
    return Fusion(np.zeros(scores.shape[1]), 0.0, standard, regression)


def choose_fusion(
    scores: Floats, labels: Floats, groups: Groups, rng: np.random.Generator
) -> tuple[Fusion, Floats]:
    """Fit both forms; return one and its scores of groups left out, (n,)."""
    # The regression is kept where it errs less on people it had not seen, by more than the standard
    # error over groups.
    apart = {"linear": np.empty(len(labels)), "vectors": np.empty(len(labels))}
    for group in np.unique(groups):
        out = groups == group
        apart["linear"][out] = fit_linear(scores[~out], labels[~out]).apply(scores[out])
        apart["vectors"][out] = fit_vectors(scores[~out], labels[~out], rng).apply(scores[out])
    squares = {name: (found - labels) ** 2 for name, found in apart.items()}
    gains = np.array([
        np.mean((squares["linear"] - squares["vectors"])[groups == group])
        for group in np.unique(groups)
    ])  # fmt: skip
    # a sum also holds for faces that move more than any in training, so chance must not decide
    if gains.mean() > gains.std(ddof=1) / np.sqrt(len(gains)):
        return fit_vectors(scores, labels, rng), apart["vectors"]
    return fit_linear(scores, labels), apart["linear"]
