"""The level that a person alone owns."""

import numpy as np
from numpy.testing import assert_allclose

from facetrack.learning.own_level import learn_weights


def lessons(n: int = 6, d: int = 9, seed: int = 0):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, d)).astype(np.float32)
    features[:, -1] = 1
    return features, rng.normal(size=(n, 68, 2))


def test_it_is_the_mean_of_a_gaussian_process() -> None:
    features, missing = lessons()
    weights = learn_weights(features, missing, np.ones((6, 68), bool))
    z = features[:, :-1].astype(float)
    covariance = 3.0 + 0.3 * z @ z.T
    expected = covariance @ np.linalg.solve(covariance + 0.1 * np.eye(6), missing.reshape(6, -1))
    assert_allclose(features @ weights.T, expected, rtol=1e-4, atol=1e-4)


def test_points_that_nobody_vouches_for_are_not_moved() -> None:
    features, missing = lessons()
    vouched = np.ones((6, 68), bool)
    vouched[:, 40] = False
    vouched[:3, 17] = False
    weights = learn_weights(features, missing, vouched).reshape(68, 2, -1)
    assert not weights[40].any()
    alone = learn_weights(features[3:], missing[3:], np.ones((3, 68), bool))
    assert_allclose(weights[17], alone.reshape(68, 2, -1)[17], rtol=1e-4, atol=1e-6)


def test_the_callers_features_stay_as_they_are() -> None:
    features, missing = lessons()
    copy = features.copy()
    learn_weights(features, missing, np.ones((6, 68), bool))
    assert_allclose(features, copy, rtol=0)
