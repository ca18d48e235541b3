"""Learning the confidence of points: what is said comes true on others."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.errors import InputError
from facetrack.evaluation.reliability import reliability
from facetrack.fitting.confidence import WITHIN, End, point_features
from facetrack.landmarks.markup import GROUPS
from facetrack.training.confidence import fit_logistic, learn_confidence
from facetrack.training.held_out import HeldOutFit


def _drawn_fits(model, n: int, seed: int) -> tuple[list[HeldOutFit], np.ndarray]:
    """Draw fits whose points are the likelier wrong the farther the last level would move them.

    Also returns the true probabilities, shape (n, 68).
    """
    rng = np.random.default_rng(seed)
    fits, chances = [], []
    for number in range(n):
        step = np.zeros(model.shape_model.n_parameters, np.float32)
        step[:12] = rng.normal(0, np.exp(rng.normal(0.5, 1)), 12)
        moved = np.linalg.norm((model.tracking.basis @ step).reshape(68, 2), axis=1)
        chance = 1 / (1 + np.exp(-(1.5 - 1.2 * np.log(moved**2 + 0.01))))
        features = rng.normal(0, 0.1, 68 * 15 + 1).astype(np.float32)
        shape = model.shape_model.mean + rng.normal(0, 1, (68, 2))
        end = End(features, step, shape, shape, (160, 160), 1.0, 0.5)
        wrong = rng.random(68) > chance
        fits.append(HeldOutFit(end, np.where(wrong, 2 * WITHIN, 0.5 * WITHIN), number))
        chances.append(chance)
    return fits, np.stack(chances)


def _said(confidence, model, fits: list[HeldOutFit]) -> np.ndarray:
    features = np.stack([t.end.features for t in fits])
    steps = np.stack([t.end.step for t in fits])
    logits = model.quality.logits(features, steps).tolist()
    return np.stack(
        [
            confidence.probability(
                point_features(t.end, q, model.shape_model, model.tracking.basis), t.examples
            )
            for t, q in zip(fits, logits, strict=True)
        ]
    )


def test_confidence_comes_true_on_others(shipped_model) -> None:
    model = shipped_model
    fits, _ = _drawn_fits(model, 1500, seed=0)
    confidence = learn_confidence(fits, model.quality, model.shape_model, model.tracking.basis)
    others, chances = _drawn_fits(model, 800, seed=1)
    said, right = _said(confidence, model, others), np.stack([t.errors for t in others]) < WITHIN
    assert np.abs(said - chances).mean() < 0.05
    found = reliability(said, right)
    assert found.error < 0.02
    assert found.ranking > 0.75  # it tells points apart, and does not only know the average
    for group in GROUPS.values():
        points = list(group)
        assert reliability(said[:, points], right[:, points]).error < 0.03


def _taught_fits(model, n: int, seed: int) -> list[HeldOutFit]:
    """Draw fits after 1, 3 or 8 examples, which change the logits of what is right."""
    rng = np.random.default_rng(seed)
    fits, chances = _drawn_fits(model, n, seed)
    for index, (fit, chance) in enumerate(zip(fits, chances, strict=True)):
        count = (1, 3, 8)[index % 3]
        logit = 0.6 * np.log(chance / (1 - chance)) + 0.5 * np.log(count) + 0.4
        errors = np.where(rng.random(68) < 1 / (1 + np.exp(-logit)), 0.5 * WITHIN, 2 * WITHIN)
        fits[index] = fit._replace(errors=errors, examples=count)
    return fits


def test_what_is_said_of_taught_people_comes_true(shipped_model) -> None:
    model = shipped_model
    parts = model.quality, model.shape_model, model.tracking.basis
    fits, taught = _drawn_fits(model, 800, seed=0)[0], _taught_fits(model, 800, seed=1)
    plain = learn_confidence(fits, *parts)
    assert_allclose(plain.taught, np.tile([1, 0, 0], (68, 1)))
    confidence = learn_confidence(fits, *parts, taught=taught)
    assert confidence.weights.tobytes() == plain.weights.tobytes()
    others = _taught_fits(model, 800, seed=2)
    for count in (1, 3, 8):
        some = [fit for fit in others if fit.examples == count]
        right = np.stack([fit.errors for fit in some]) < WITHIN
        error = reliability(_said(confidence, model, some), right).error
        assert error < 0.03
        assert reliability(_said(plain, model, some), right).error > error + 0.02
    for group in GROUPS.values():
        of_group = confidence.taught[list(group)]
        assert (of_group == of_group[0]).all()


def test_too_few_pictures_are_named(shipped_model) -> None:
    model = shipped_model
    fits, _ = _drawn_fits(model, 4, seed=0)
    with pytest.raises(InputError, match="10 pictures or more"):
        learn_confidence(fits, model.quality, model.shape_model, model.tracking.basis)


def test_logistic_regression_finds_the_minimum() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(5, 3, (2000, 4))
    true, bias = np.array([0.5, -0.3, 0.0, 0.2]), -1.0
    y = rng.random(2000) < 1 / (1 + np.exp(-(x @ true + bias)))
    weights, shift = fit_logistic(x, y, ridge=1e-3)
    assert_allclose(weights, true, atol=0.1)
    p = 1 / (1 + np.exp(-(x @ weights + shift)))
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    slope = z.T @ (p - y) / len(y) + 1e-3 * weights * x.std(axis=0)
    assert_allclose(slope, 0, atol=1e-6)


@pytest.mark.parametrize("kind", ["separable", "all right", "all wrong", "constant input"])
def test_logistic_regression_stays_finite(kind: str) -> None:
    x = np.linspace(-1, 1, 50)[:, None] * [1.0, 100.0]
    y = {"separable": x[:, 0] > 0, "all right": x[:, 0] > -9, "all wrong": x[:, 0] > 9}.get(
        kind, x[:, 0] > 0.3
    )
    if kind == "constant input":
        x[:, 1] = 4
    weights, bias = fit_logistic(x, y, ridge=1e-3)
    p = 1 / (1 + np.exp(-(x @ weights + bias)))
    assert np.isfinite(p).all()
    assert ((p > 0.5) == y).mean() > 0.9
