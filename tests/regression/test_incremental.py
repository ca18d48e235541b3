"""The identities of incremental learning (method.md, 6)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from facetrack.errors import InputError, LearningError
from facetrack.regression.incremental import (
    IncrementalRegressor,
    learn_sampled,
    learn_sampled_literally,
)

D, M, RIDGE = 60, 6, 0.5


def problem(n_images: int, columns: int = M + 1, seed: int = 0):
    """Give the generic sums, the generic regressor and images as (E, Y)."""
    rng = np.random.default_rng(seed)
    generic = rng.normal(size=(D, 200))
    gram = generic @ generic.T + RIDGE * np.eye(D)
    cross = rng.normal(size=(M, 200)) @ generic.T
    images = [
        (rng.normal(size=(D, columns)), rng.normal(size=(M, columns))) for _ in range(n_images)
    ]
    return gram, cross, images


def solve(gram, cross, images, weight: float = 1.0):
    for e, y in images:
        gram = gram + weight * e @ e.T
        cross = cross + weight * y @ e.T
    return np.linalg.solve(gram, cross.T).T, np.linalg.inv(gram)


def learner(gram, cross) -> IncrementalRegressor:
    return IncrementalRegressor(*solve(gram, cross, []))


def whole(learned: IncrementalRegressor):
    lower = np.tril(learned.inverse)
    return lower + np.tril(lower, -1).T


def distance(a, b) -> float:
    return float(np.abs(a - b).max() / np.abs(b).max())


def test_two_hundred_updates_equal_the_batch():
    gram, cross, images = problem(200)
    learned = learner(gram, cross)
    for e, y in images:
        learned.learn(e, y)
    regressor, inverse = solve(gram, cross, images)
    assert distance(learned.regressor, regressor) < 1e-8
    assert distance(whole(learned), inverse) < 1e-8


def test_the_order_does_not_matter():
    gram, cross, images = problem(40)
    one, other = learner(gram, cross), learner(gram, cross)
    for e, y in images:
        one.learn(e, y)
    for e, y in reversed(images):
        other.learn(e, y)
    assert distance(one.regressor, other.regressor) < 1e-9


def test_unlearning_restores_the_state():
    gram, cross, images = problem(3)
    learned = learner(gram, cross)
    for e, y in images:
        learned.learn(e, y)
    before, inverse = learned.regressor.copy(), whole(learned)
    learned.learn(*problem(1, seed=7)[2][0])
    learned.unlearn(*problem(1, seed=7)[2][0])
    assert distance(learned.regressor, before) < 1e-9
    assert distance(whole(learned), inverse) < 1e-9


@given(weight=st.floats(0.1, 30))
def test_a_weight_counts_as_that_many_images(weight):
    gram, cross, [(e, y)] = problem(1)
    learned = learner(gram, cross)
    learned.learn(np.sqrt(weight) * e, np.sqrt(weight) * y)
    assert distance(learned.regressor, solve(gram, cross, [(e, y)], weight)[0]) < 1e-9


def test_weight_nought_changes_nothing():
    gram, cross, [(e, y)] = problem(1)
    learned = learner(gram, cross)
    before, inverse = learned.regressor.copy(), learned.inverse.copy()
    learned.learn(0 * e, 0 * y)
    assert_array_equal(learned.regressor, before)
    assert_array_equal(learned.inverse, inverse)


def test_the_arrays_passed_in_stay_as_they_are():
    gram, cross, [(e, y)] = problem(1)
    regressor, inverse = solve(gram, cross, [])
    copies = regressor.copy(), inverse.copy()
    IncrementalRegressor(regressor, inverse).learn(e, y)
    assert_array_equal(regressor, copies[0])
    assert_array_equal(inverse, copies[1])


def test_the_inverse_stays_positive_definite_over_many_updates():
    gram, cross, images = problem(1000)
    learned = learner(gram, cross)
    for e, y in images:
        learned.learn(e, y)
    assert np.linalg.eigvalsh(whole(learned)).min() > 0
    assert learned.condition() < 1e4


def test_single_precision_stays_near_the_batch():
    gram, cross, images = problem(200)
    regressor, inverse = solve(gram, cross, [])
    learned = IncrementalRegressor(regressor.astype(np.float32), inverse.astype(np.float32))
    for e, y in images:
        learned.learn(e, y)
    assert learned.regressor.dtype == np.float32
    assert distance(learned.regressor, solve(gram, cross, images)[0]) < 1e-4


def test_the_condition_number_is_that_of_the_matrix():
    gram, cross, _ = problem(0)
    learned = learner(gram, cross)
    assert_allclose(learned.condition(), np.linalg.cond(np.linalg.inv(gram), 1), rtol=0.5)
    learned._inverse = np.asfortranarray(-np.eye(D))
    assert learned.condition() == np.inf


def test_sampled_learning_is_the_same_in_both_orders():
    gram, cross, [(x, delta)] = problem(1, columns=10)
    regressor, inverse = solve(gram, cross, [])
    literal = learn_sampled_literally(regressor, inverse, x, delta)
    ordered = learn_sampled(regressor, inverse, x, delta)
    for a, b in zip(literal, ordered, strict=True):
        assert distance(a, b) < 1e-8


def test_sampled_learning_of_the_pseudo_samples_is_continuous_learning():
    gram, cross, [(e, y)] = problem(1)
    regressor, inverse = solve(gram, cross, [])
    learned = IncrementalRegressor(regressor, inverse)
    learned.learn(e, y)
    assert distance(learn_sampled(regressor, inverse, e, y)[0], learned.regressor) < 1e-9


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_refused_and_changes_nothing(bad):
    gram, cross, [(e, y)] = problem(1)
    learned = learner(gram, cross)
    before, inverse = learned.regressor.copy(), learned.inverse.copy()
    e[3, 2] = bad
    with pytest.raises(InputError, match="finite"):
        learned.learn(e, y)
    assert_array_equal(learned.regressor, before)
    assert_array_equal(learned.inverse, inverse)


def test_unlearning_what_was_never_learned_is_refused():
    gram, cross, [(e, y)] = problem(1)
    learned = learner(gram, cross)
    with pytest.raises(LearningError, match="solve them anew"):
        learned.unlearn(100 * e, y)


def test_wrong_shapes_are_named():
    gram, cross, [(e, y)] = problem(1)
    learned = learner(gram, cross)
    with pytest.raises(InputError, match=r"columns \(60, c\)"):
        learned.learn(e[:-1], y)
    with pytest.raises(InputError, match="of one dtype"):
        IncrementalRegressor(learned.regressor.astype(np.float32), learned.inverse)


def test_the_last_change_can_be_taken_back_to_the_byte() -> None:
    gram, cross, images = problem(3)
    learned, other = learner(gram, cross), learner(gram, cross)
    for one in (learned, other):
        one.learn(*images[0])
    learned.learn(*images[1])
    assert learned.take_back()
    assert_array_equal(learned.regressor, other.regressor)
    for one in (learned, other):
        one.learn(*images[2])
    assert_array_equal(learned.regressor, other.regressor)
    assert_array_equal(learned.inverse, other.inverse)
    assert not learned.take_back()  # the inverse holds it by now
    assert_array_equal(learned.regressor, other.regressor)


def test_a_read_only_inverse_is_shared_until_it_changes() -> None:
    gram, cross, images = problem(2)
    regressor, inverse = solve(gram, cross, [])
    shared = np.asfortranarray(inverse)
    shared.setflags(write=False)
    learned = IncrementalRegressor(regressor, shared)
    for image in images:
        learned.learn(*image)
    assert distance(whole(learned), solve(gram, cross, images)[1]) < 1e-8
    assert_array_equal(shared, inverse)
