"""Fit quality: how likely a fitted shape lies on a face, and lies well (method.md, 4.1)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.regression.cascade import Level

Array = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class QualityClassifier:
    """A logistic classifier on the features at the final shape.

    The evidence is z (reduced descriptors), z^2 and (R z)^2. The derivative-chosen features are odd
    around the truth, so only their squares tell near from far in every direction.
    """

    level: Level  # reads the features; its regressor predicts how far off the shape still is
    mean: Features  # (q,), standardisation of the evidence
    scale: Features
    weights: Features
    bias: float

    def logits(self, features: Features, steps: Features) -> Array:
        """Return the logits (N,) of a mean error below 8 % of the outer-eye distance.

        `features` (N, d) are what the level reads at the ends of fits, `steps` (N, m) R f of each.
        """
        values = (evidence(features, steps) - self.mean) * self.scale
        logits: Array = (values @ self.weights).astype(np.float64) + self.bias
        return logits


def probability(logit: float) -> float:
    """Turn a logit into a probability."""
    return 1 / (1 + math.exp(-min(max(logit, -50.0), 50.0)))


def evidence(features: Features, steps: Features) -> Features:
    """Form what the classifier sees, (N, 2 (d - 1) + m); the last column of features is 1."""
    z = features[:, :-1]
    return np.concatenate([z, z * z, steps**2], axis=1)


def train_quality(
    level: Level, features: Features, well_fitted: npt.NDArray[np.bool_], *, ridge: float = 1e-3
) -> QualityClassifier:
    """Learn to tell well-fitted shapes from others by regularised logistic regression.

    Features (N, d) are those at well-fitted shapes, at perturbed shapes and on background; `ridge`
    is the weight of |w|^2 against the mean log-loss.
    """
    if well_fitted.all() or not well_fitted.any():
        raise InputError("the quality classifier needs well-fitted and badly fitted examples")
    x = evidence(features, features @ level.regressor.T)
    mean = x.mean(axis=0)
    scale = (1 / (x.std(axis=0) + 1e-6)).astype(np.float32)
    x = (x - mean) * scale
    sign = np.where(well_fitted, 1.0, -1.0).astype(np.float32)

    def loss(parameters: Array) -> tuple[float, Array]:
        w = parameters[:-1].astype(np.float32)
        margin = sign * (x @ w + np.float32(parameters[-1]))
        value = float(np.logaddexp(0, -margin, dtype=np.float64).mean()) + 0.5 * ridge * float(
            w @ w
        )
        slope = -sign / (1 + np.exp(np.minimum(margin, 50))) / len(x)
        gradient = np.append(x.T @ slope + ridge * w, slope.sum())
        return value, gradient.astype(np.float64)

    start = np.zeros(x.shape[1] + 1)
    from scipy.optimize import minimize  # loads slowly, and tracking needs none of it

    solution = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200}).x
    return QualityClassifier(
        level, mean, scale, solution[:-1].astype(np.float32), float(solution[-1])
    )


def calibrate(logits: Array, well_fitted: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Find slope and shift that make a classifier's logits probabilities (Platt 1999).

    Logits are of examples that the classifier was not trained on; the calibrated one is slope *
    logit + shift.
    """
    # Platt's smoothed targets keep the slope finite on separable examples
    positive, negative = int(well_fitted.sum()), int((~well_fitted).sum())
    target = np.where(well_fitted, (positive + 1) / (positive + 2), 1 / (negative + 2))

    def loss(parameters: Array) -> float:
        value = parameters[0] * logits + parameters[1]
        return float((np.logaddexp(0, value) - target * value).mean())

    from scipy.optimize import minimize

    slope, shift = minimize(loss, np.array([1.0, 0.0]), method="BFGS").x
    return float(slope), float(shift)
