"""Fit quality: what a face looks like is learnt, and the answers are probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.errors import InputError
from facetrack.features.maps import DEFAULT_MAPS, MapBuilder
from facetrack.fitting.quality import calibrate, evidence, probability, train_quality
from facetrack.regression.cascade import Level

K, M = 2, 3
N_FEATURES = 68 * K + 1


@pytest.fixture
def level() -> Level:
    rng = np.random.default_rng(0)
    return Level(
        map_index=1,
        shrink=1,
        spacing=4.0,
        basis=rng.normal(size=(68, 128, K)).astype(np.float32),
        offset=np.zeros((68, K), dtype=np.float32),
        regressor=rng.normal(size=(M, N_FEATURES)).astype(np.float32),
    )


def _features(rng: np.random.Generator, n: int) -> np.ndarray:
    features = rng.normal(size=(n, N_FEATURES)).astype(np.float32)
    features[:, -1] = 1
    return features


def test_evidence_is_features_squares_and_predicted_steps(level: Level) -> None:
    features = _features(np.random.default_rng(1), 5)
    z = features[:, :-1]
    expected = np.hstack([z, z**2, (level.regressor @ features.T).T ** 2])
    steps = features @ level.regressor.T
    assert_allclose(evidence(features, steps), expected, rtol=1e-5)


def test_pictures_of_two_kinds_are_told_apart(level: Level, head: np.ndarray) -> None:
    """The same pattern with new noise is well fitted, another pattern is not."""
    rng = np.random.default_rng(2)
    shape = head - head.mean(axis=0) + 80
    patterns = rng.integers(40, 216, size=(2, 160, 160))
    builder = MapBuilder(DEFAULT_MAPS)

    def maps(kind: int) -> list[np.ndarray]:
        noisy = patterns[kind] + rng.integers(-20, 21, size=(160, 160))
        return builder.build(noisy.astype(np.uint8))

    kinds = [k % 2 for k in range(40)]
    features = np.stack([level.features(maps(kind), shape) for kind in kinds])
    classifier = train_quality(level, features, np.array(kinds) == 1)
    seen = np.stack([level.features(maps(kind), shape) for kind in (1, 0, 1, 0)])
    judged = list(map(probability, classifier.logits(seen, seen @ level.regressor.T).tolist()))
    assert min(judged[0], judged[2]) > 0.9
    assert max(judged[1], judged[3]) < 0.1


def test_weights_are_the_minimum_of_the_regularised_loss(level: Level) -> None:
    rng = np.random.default_rng(3)
    features = _features(rng, 300)
    well_fitted = features[:, 0] + 0.5 * rng.normal(size=300) > 0
    ridge = 0.02
    classifier = train_quality(level, features, well_fitted, ridge=ridge)
    x = (evidence(features, features @ level.regressor.T) - classifier.mean) * classifier.scale
    predicted = 1 / (1 + np.exp(-(x.astype(np.float64) @ classifier.weights + classifier.bias)))
    slope = x.T @ (predicted - well_fitted) / len(x) + ridge * classifier.weights
    at_zero = x.T @ (0.5 - well_fitted) / len(x)
    assert np.linalg.norm(slope) < 0.01 * np.linalg.norm(at_zero)
    assert abs((predicted - well_fitted).mean()) < 1e-3


def test_evidence_is_standardised(level: Level) -> None:
    features = 40 * _features(np.random.default_rng(4), 500) + 7
    classifier = train_quality(level, features, np.arange(500) % 2 == 0)
    x = (evidence(features, features @ level.regressor.T) - classifier.mean) * classifier.scale
    assert_allclose(x.mean(axis=0), 0, atol=1e-3)
    assert_allclose(x.std(axis=0), 1, atol=1e-3)


def test_a_feature_that_never_changes_does_no_harm(level: Level) -> None:
    features = _features(np.random.default_rng(5), 60)
    features[:, 3] = 2
    classifier = train_quality(level, features, features[:, 0] > 0)
    assert np.isfinite(classifier.weights).all()


@pytest.mark.parametrize("well_fitted", [True, False])
def test_examples_of_one_kind_are_refused(level: Level, well_fitted: bool) -> None:
    features = _features(np.random.default_rng(6), 10)
    with pytest.raises(InputError, match="well-fitted and badly fitted"):
        train_quality(level, features, np.full(10, well_fitted))


def _drawn_logits(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw logits of a classifier that is much too sure and leans to one side."""
    rng = np.random.default_rng(seed)
    true_logits = rng.normal(0.5, 2, n)
    return (true_logits + 0.7) / 0.3, rng.random(n) < 1 / (1 + np.exp(-true_logits))


def _calibration_error(logits: np.ndarray, truth: np.ndarray) -> float:
    """Expected calibration error in ten bins of equal count."""
    probability = 1 / (1 + np.exp(-logits))
    bins = np.array_split(np.argsort(probability), 10)
    return float(np.mean([abs(probability[b].mean() - truth[b].mean()) for b in bins]))


def test_calibration_makes_probabilities() -> None:
    slope, shift = calibrate(*_drawn_logits(20_000, seed=0))
    assert slope == pytest.approx(0.3, rel=0.05)
    assert shift == pytest.approx(-0.7, abs=0.05)
    logits, truth = _drawn_logits(20_000, seed=1)
    assert _calibration_error(logits, truth) > 0.1
    assert _calibration_error(slope * logits + shift, truth) < 0.02


def test_calibration_stays_finite_where_nothing_is_mistaken() -> None:
    logits = np.concatenate([np.linspace(-9, -3, 50), np.linspace(3, 9, 50)])
    slope, shift = calibrate(logits, logits > 0)
    assert 0 < slope < 100
    # Platt's targets: none is surer than (n + 1) / (n + 2) on average
    surest = 1 / (1 + np.exp(-(slope * logits[50:] + shift)))
    assert surest.mean() == pytest.approx(51 / 52, abs=0.01)
