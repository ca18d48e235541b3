"""The level that a person alone owns."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from facetrack.learning.personal_residual import (
    NEAREST,
    PersonalResidual,
    ResidualLearner,
    Samples,
)
from facetrack.regression.cascade import Level

K = 3
FACE = np.random.default_rng(5).uniform(0, 100, (68, 2))


def level() -> Level:
    basis = np.zeros((68, 128, K), np.float32)
    basis[:, :K] = np.eye(K)
    offset = np.zeros((68, K), np.float32)
    return Level(0, 1, 4.0, basis, offset, np.zeros((4, 68 * K + 1), np.float32))


def samples(n: int = 6, seed: int = 0) -> Samples:
    rng = np.random.default_rng(seed)
    patches = rng.uniform(0, 0.15, (n, 68, 128)).astype(np.float32)
    features = np.hstack([0.2 * rng.normal(size=(n, 68 * K)), np.ones((n, 1))])
    missing = rng.normal(size=(n, 68, 2))
    return Samples(features.astype(np.float32), patches, missing, np.ones((n, 68), bool))


def said(own: PersonalResidual, x: Samples):
    """What the personal residual says of features and patches."""
    around = x.patches[:, own.near].reshape(len(x.patches), 68, -1)
    by_patches = np.einsum("pak,npk->npa", own.patch_weights, around)
    return by_patches + (x.features @ own.weights.T).reshape(-1, 68, 2)


def learn_residual(level: Level, x: Samples, face) -> PersonalResidual:
    learner = ResidualLearner(level, face)
    learner.add(x)
    return learner.residual()


def test_it_is_the_mean_of_a_gaussian_process() -> None:
    x, new = samples(), samples(4, seed=1)
    own = learn_residual(level(), x, FACE)
    point = 30
    distances = np.linalg.norm(FACE - FACE[point], axis=1) / np.linalg.norm(FACE[36] - FACE[45])
    near = np.argsort(distances)[:NEAREST]
    says = np.exp(-(distances[near] ** 2) / (2 * 0.1**2))

    def covariance(a: Samples, b: Samples):
        face = a.features[:, :-1].astype(float) @ b.features[:, :-1].T
        nearby = np.einsum("iqk,jqk->qij", a.patches[:, near], b.patches[:, near])
        return 3.0 + face + 8 * np.tensordot(says / says.sum(), nearby, 1)

    dual = np.linalg.solve(covariance(x, x) + 0.1 * np.eye(6), x.missing[:, point])
    assert_allclose(said(own, new)[:, point], covariance(new, x) @ dual, rtol=1e-3, atol=1e-4)


def part(x: Samples, rows) -> Samples:
    return Samples(x.features[rows], x.patches[rows], x.missing[rows], x.vouched[rows])


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=5),
    st.integers(0, 2**16),
    st.floats(0.3, 1.0),
)
def test_blocks_in_any_order_equal_all_at_once(sizes, seed, vouched) -> None:
    rng = np.random.default_rng(seed)
    x = samples(sum(sizes), seed)
    x.vouched[:] = rng.random(x.vouched.shape) < vouched
    order = rng.permutation(len(x.missing))
    blocks = np.split(order, np.cumsum(sizes)[:-1])
    learner, once = ResidualLearner(level(), FACE), ResidualLearner(level(), FACE)
    for rows in blocks:
        learner.add(part(x, rows))
        learner.add(samples(2, seed + 1))  # taken back at once
        learner.keep(learner.count - 2)
    once.add(x)
    expected = once.duals()[..., order]
    assert_allclose(learner.duals(), expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())


def test_forgetting_the_latest_gives_back_the_bytes() -> None:
    x = samples(400)  # more than there is room for at first
    learner, fresh = ResidualLearner(level(), FACE), ResidualLearner(level(), FACE)
    for one in (learner, fresh):
        one.add(part(x, slice(2)))
    before = learner.residual()
    learner.add(part(x, slice(2, 400)))
    assert np.abs(learner.residual().weights - before.weights).max() > 0.01
    learner.keep(2)
    for one in (learner, fresh):
        one.add(part(x, slice(7, 9)))
    after, expected = learner.residual(), fresh.residual()
    for name, array in expected.arrays().items():
        assert_array_equal(after.arrays()[name], array)


def test_points_that_nobody_vouches_for_are_not_moved() -> None:
    x = samples()
    x.vouched[:, 40] = False
    x.vouched[:3, 17] = False
    own = learn_residual(level(), x, FACE)
    assert not said(own, x)[:, 40].any()
    assert own.examples[[40, 17, 16]].tolist() == [0, 1, 2]
    last = Samples(x.features[3:], x.patches[3:], x.missing[3:], x.vouched[3:])
    alone = learn_residual(level(), last, FACE)
    assert_allclose(said(own, x)[:, 17], said(alone, x)[:, 17], rtol=1e-4, atol=1e-5)


def test_the_callers_samples_stay_as_they_are() -> None:
    x = samples()
    copies = x.features.copy(), x.patches.copy(), x.missing.copy()
    learn_residual(level(), x, FACE)
    for copy, array in zip(copies, (x.features, x.patches, x.missing), strict=True):
        assert_array_equal(copy, array)


def test_what_was_learned_can_be_saved() -> None:
    own = learn_residual(level(), samples(), FACE)
    arrays = own.arrays()
    back = PersonalResidual.from_arrays(own.level, {name: x.ravel() for name, x in arrays.items()})
    assert_array_equal(said(back, samples()), said(own, samples()))
    for name in arrays:
        with pytest.raises(ValueError, match="reshape"):
            PersonalResidual.from_arrays(own.level, arrays | {name: arrays[name].ravel()[:-1]})
    for name in arrays:
        with pytest.raises(KeyError):
            PersonalResidual.from_arrays(own.level, {n: x for n, x in arrays.items() if n != name})
    with pytest.raises(ValueError, match="none"):
        PersonalResidual.from_arrays(own.level, arrays | {"near": np.full_like(arrays["near"], 68)})


def test_it_finishes_a_shape_by_what_it_reads_there() -> None:
    maps = [np.random.default_rng(2).random((160, 160, 8), dtype=np.float32)]
    own = learn_residual(level(), samples(), FACE)
    moved = own.finish(maps, FACE) - FACE
    assert np.isfinite(moved).all()
    assert moved.any()
    without = replace(own, patch_weights=0 * own.patch_weights)
    expected = (own.weights @ own.level.features(maps, FACE)).reshape(68, 2)
    assert_allclose(without.finish(maps, FACE) - FACE, expected, rtol=1e-5, atol=1e-5)
