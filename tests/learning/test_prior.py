"""What a level knows of all people, in 16 bits a number."""

import numpy as np
import pytest

from facetrack.errors import InputError
from facetrack.learning.prior import LevelPrior

D = 40


def sums(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    samples = rng.normal(size=(D, 200)) * rng.uniform(0.1, 10, size=(D, 1))
    return samples @ samples.T / 200


def test_the_inverse_is_that_of_the_sums() -> None:
    gram = sums()
    prior = LevelPrior.from_sums(2, gram, np.ones((6, 3)), 1.5)
    lower = np.tril(prior.inverse().astype(np.float64))
    inverse = lower + np.tril(lower, -1).T
    scales = np.sqrt(np.diag(gram))
    expected = np.linalg.inv(gram / np.outer(scales, scales))
    got = inverse * np.outer(scales, scales)
    assert np.linalg.norm(got - expected, 2) < 1e-2 * np.linalg.norm(expected, 2)


def test_the_inverse_is_computed_once_and_cannot_be_written_to() -> None:
    prior = LevelPrior.from_sums(2, sums(), np.ones((6, 3)), 1.5)
    assert prior.inverse() is prior.inverse()
    with pytest.raises(ValueError, match="read-only"):
        prior.inverse()[0, 0] = 1


def test_broken_sums_are_named() -> None:
    prior = LevelPrior.from_sums(0, sums(), np.ones((6, 3)), 1.5)
    broken = LevelPrior(
        0, prior.scales, np.full_like(prior.correlations, -32767), prior.spread, prior.step
    )
    with pytest.raises(InputError, match="not positive definite"):
        broken.inverse()
