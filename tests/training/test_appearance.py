"""Learning how people differ."""

import numpy as np
import pytest

from facetrack.errors import InputError
from facetrack.identity.appearance import N_VALUES, Whitening
from facetrack.training.appearance import learn_whitening, separation

RNG = np.random.default_rng(0)
NOISY = 40  # values that change from look to look in everybody, and much
PLAIN = Whitening(np.full(N_VALUES, 0.5, np.float32), np.eye(N_VALUES, dtype=np.float32))


def somebody(n_looks=4):
    """Make looks of one person: their own values, and noise, most of it in a few of them."""
    own = 0.5 + 0.05 * RNG.standard_normal(N_VALUES)
    noise = 0.01 * RNG.standard_normal((n_looks, N_VALUES))
    noise[:, :NOISY] *= 60
    return (own + noise).astype(np.float32)


@pytest.fixture(scope="module")
def people():
    return [somebody() for _ in range(120)]


def test_what_changes_within_people_counts_less(people):
    learnt = learn_whitening([people[:60]], np.concatenate(people[:60]))
    gain = np.linalg.norm(learnt.matrix, axis=0)
    assert gain[:NOISY].max() < 0.3 * gain[NOISY:].min()


def test_strangers_to_the_learning_are_told_apart_better(people):
    learnt = learn_whitening([people[:60]], np.concatenate(people[:60]))
    before, after = separation(people[60:], PLAIN), separation(people[60:], learnt)
    assert before.missed > 0.2
    assert after.missed == 0
    assert after.same > before.same
    assert abs(after.other) < 0.05


def test_every_kind_of_footage_has_the_same_weight(people):
    still = [np.repeat(looks[:1], 2, axis=0) for looks in people[:30]]
    faces = np.concatenate(people)
    once = learn_whitening([people[:20], still], faces)
    more = learn_whitening([people[:20], still * 5], faces)
    np.testing.assert_allclose(once.matrix, more.matrix, atol=1e-4)


def test_too_little_is_refused(people):
    with pytest.raises(InputError, match="two looks"):
        learn_whitening([[people[0][:1]]], people[0])
    with pytest.raises(InputError, match="need faces"):
        learn_whitening([people], np.zeros((0, N_VALUES), np.float32))
    with pytest.raises(InputError, match="two people"):
        separation(people[:1], PLAIN)
