"""Training the confidence of each point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from threadpoolctl import threadpool_limits

from facetrack.errors import InputError
from facetrack.fitting.confidence import WITHIN, PointConfidence, point_features
from facetrack.fitting.quality import QualityClassifier, calibrate
from facetrack.landmarks.markup import GROUPS
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.training.held_out import FOLDS, HeldOutFit

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_CALIBRATION: Final = 5  # one picture of this many calibrates what the others taught
_RIDGE: Final = 1e-3  # of a weight's square against the mean log-loss
_STEPS: Final = 12  # of Newton's method; it converges in about six


def learn_confidence(
    fits: Sequence[HeldOutFit],
    quality: QualityClassifier,
    shape_model: ShapeModel,
    modes: npt.NDArray[np.float32],
    *,
    taught: Sequence[HeldOutFit] = (),
) -> PointConfidence:
    """Learn how likely points are within 5 % of the outer-eye distance, from fits of unseen people.

    A logistic regression per point on four fifths of the pictures; then, on the other fifth, slope
    and shift of the logits for each group of points (Platt 1999). Weights and calibration are
    folded together. What examples change (fits `taught`) is a logistic regression for each group,
    on the logit and the logarithm of their number. `modes`, (136, m), is the cascade's basis.
    """
    inputs, right = _point_features(fits, quality, shape_model, modes)
    # counted over rounds of folds, so that every held-out cascade is in both parts
    aside: Flags = np.array([fit.picture // FOLDS for fit in fits]) % _CALIBRATION == 0
    if not aside.any() or aside.all():
        raise InputError("the confidence of points is learned from 10 pictures or more")
    with threadpool_limits(1):
        solved = [
            fit_logistic(inputs[~aside, i], right[~aside, i], ridge=_RIDGE) for i in range(68)
        ]
    weights, bias = np.stack([w for w, _ in solved]), np.array([b for _, b in solved])
    for group in GROUPS.values():
        points = list(group)
        predicted = (
            np.einsum("nlq,lq->nl", inputs[aside][:, points], weights[points]) + bias[points]
        )
        slope, shift = calibrate(predicted.ravel(), right[aside][:, points].ravel())
        weights[points] *= slope
        bias[points] = slope * bias[points] + shift
    confidence = PointConfidence(weights, bias)
    if not taught:
        return confidence
    inputs, right = _point_features(taught, quality, shape_model, modes)
    count = np.log([fit.examples for fit in taught])
    return replace(confidence, taught=_learn_taught(confidence, inputs, count, right))


def _point_features(
    fits: Sequence[HeldOutFit],
    quality: QualityClassifier,
    shape_model: ShapeModel,
    modes: npt.NDArray[np.float32],
) -> tuple[Array, Flags]:
    """Form the inputs of fits, (n, 68, q), and whether their points are right."""
    features = np.stack([fit.end.features for fit in fits])
    steps = np.stack([fit.end.step for fit in fits])
    logits = quality.logits(features, steps).tolist()
    inputs = np.stack(
        [point_features(t.end, q, shape_model, modes) for t, q in zip(fits, logits, strict=True)]
    )
    return inputs, np.stack([fit.errors for fit in fits]) < WITHIN


def _learn_taught(confidence: PointConfidence, inputs: Array, count: Array, right: Flags) -> Array:
    """Learn what examples do to the logits of each group: see `PointConfidence.taught`."""
    logits = np.einsum("nlq,lq->nl", inputs, confidence.weights) + confidence.bias
    taught = confidence.taught.copy()
    for group in GROUPS.values():
        points = list(group)
        predicted = logits[:, points].ravel()
        x = np.column_stack([predicted, np.repeat(count, len(points))])
        weights, gain = fit_logistic(x, right[:, points].ravel(), ridge=_RIDGE)
        taught[points] = *weights, gain
    return taught


def fit_logistic(x: Array, y: Flags, *, ridge: float) -> tuple[Array, float]:
    """Fit logit(y) = x @ weights + bias by Newton's method, inputs standardised; return both.

    The ridge weighs half the squared weights against the mean log-loss.
    """
    n, q = x.shape
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-6
    z = np.column_stack([(x - mean) / scale, np.ones(n)])
    penalty = np.append(np.full(q, ridge), 1e-6)  # the bias, too, a little: y may be all the same

    def loss(w: Array) -> float:
        value = z @ w
        return float((np.logaddexp(0, value) - y * value).mean() + 0.5 * w @ (penalty * w))

    solution = np.zeros(q + 1)
    for _ in range(_STEPS):
        p = expit(z @ solution)
        slope = z.T @ (p - y) / n + penalty * solution
        curvature = (z * (p * (1 - p) / n)[:, None]).T @ z + np.diag(penalty)
        step = np.linalg.solve(curvature, slope)
        while loss(solution - step) > loss(solution) and np.abs(step).max() > 1e-9:
            step *= 0.5  # far from the solution a whole step may lead beyond it
        solution -= step
    weights = solution[:-1] / scale
    return weights, float(solution[-1] - weights @ mean)
