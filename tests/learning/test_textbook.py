"""What examples teach the levels of a tiny cascade, against the textbook."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.features.maps import MapBuilder, MapSpec
from facetrack.learning.example import NO_KEY, STARTS, Example
from facetrack.learning.learner import Learner, MapReader, Start, columns_of
from facetrack.learning.prior import LevelPrior
from facetrack.learning.self_example import SelfExample, SelfLearner
from facetrack.regression.cascade import Cascade, Level
from facetrack.regression.incremental import IncrementalRegressor

K, M, R, STEP = 2, 6, 3, 1.2
D = 68 * K + 1
SPEC = MapSpec(shrink=1, radius=2)
LEARNS = 1  # the number of the level that does: the one before it moves the starts


def level(rng: np.random.Generator) -> Level:
    basis = np.linalg.qr(rng.normal(size=(68, 128, K)))[0]
    numbers = (basis, rng.normal(0, 0.1, (68, K)), rng.normal(0, 0.05, (M, D)))
    return Level(0, SPEC.shrink, 5.0, *(x.astype(np.float32) for x in numbers))


@pytest.fixture(scope="module")
def cascade() -> Cascade:
    rng = np.random.default_rng(0)
    modes = np.linalg.qr(rng.normal(size=(136, M)))[0].astype(np.float32)
    return Cascade((SPEC,), modes, (level(rng), level(rng)))


@pytest.fixture(scope="module")
def prior() -> LevelPrior:
    rng = np.random.default_rng(1)
    features = np.hstack([rng.normal(0, 0.3, (3 * D, D - 1)), np.ones((3 * D, 1))])
    gram = features.T @ features / len(features) + 0.01 * np.eye(D)
    return LevelPrior.from_sums(LEARNS, gram, rng.normal(size=(M, R)), STEP)


def example(seed: int) -> Example:
    rng = np.random.default_rng(seed)
    patches = rng.integers(0, 256, (STARTS, 160, 160), dtype=np.uint8)
    starts = rng.uniform(30, 130, (STARTS, 68, 2))
    labels = starts + rng.normal(0, 3, starts.shape)
    return Example(NO_KEY, patches, starts, labels, np.ones(68, np.bool_))


def whole(lower: np.ndarray) -> np.ndarray:
    lower = np.tril(lower.astype(np.float64))
    full: np.ndarray = lower + np.tril(lower, -1).T
    return full


def test_columns_are_features_slopes_and_what_slopes_do_not_say(cascade, prior) -> None:
    """By plain differences of features that are read shape by shape."""
    one, chosen = example(3), cascade.levels[LEARNS]
    maps = MapBuilder(cascade.maps).build(one.patches[0])
    start = Start(one.patches[0], one.starts[0], one.labels[0], one.mask, MapReader(cascade))
    columns, targets = columns_of(chosen, prior, start, cascade.basis)

    def features(shift: tuple[float, float]) -> np.ndarray:
        read: np.ndarray = chosen.features(maps, one.labels[0] + np.array(shift))
        return read.astype(np.float64)

    slope = [
        (features((STEP, 0)) - features((-STEP, 0)))[:-1] / (2 * STEP),
        (features((0, STEP)) - features((0, -STEP)))[:-1] / (2 * STEP),
    ]

    def along(p: np.ndarray) -> np.ndarray:
        moved = np.repeat((cascade.basis @ p).reshape(68, 2), K, axis=0)
        change: np.ndarray = slope[0] * moved[:, 0] + slope[1] * moved[:, 1]
        return change

    delta = cascade.basis.T @ (one.starts[0] - one.labels[0]).ravel()
    current = chosen.features(maps, one.starts[0])
    assert_allclose(columns[:, 0], current, atol=1e-5)
    for j, direction in enumerate(prior.spread.T):
        assert_allclose(columns[:-1, 1 + j], along(direction), atol=1e-4)
    left_over = current[:-1] - features((0, 0))[:-1] - along(delta)
    assert_allclose(columns[:-1, -1], np.sqrt(1.5) * left_over, atol=1e-4)
    assert not columns[-1, 1:].any()
    expected = np.column_stack([delta, prior.spread, np.zeros(M)])
    assert_allclose(targets, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("count", [1, 3])
def test_an_example_weighs_four_times_as_much_as_the_training(cascade, prior, count: int) -> None:
    """Ridge regression anew, from the training's sums and what each example says."""
    examples = [example(seed) for seed in range(count)]
    learned = Learner(cascade, [prior]).learn(examples)
    assert learned is not None
    before, after = cascade.levels[LEARNS], learned.cascade.levels[LEARNS]
    gram = np.linalg.inv(whole(prior.inverse()))
    cross = before.regressor @ gram
    for one in examples:
        starts = list(Learner(cascade, [prior]).starts([one]))
        aside = np.mean([x.label - cascade.run(x.maps, x.shape) for x in starts], axis=0)
        for start in starts:
            start.label = start.label - aside
            start.advance(cascade.levels[0], cascade.basis)
        columns, targets = columns_of(before, prior, starts[0], cascade.basis)
        ends = [before.features(start.maps, start.shape) for start in starts]
        labels = [before.features(start.maps, start.label) for start in starts]
        moves = [cascade.basis.T @ (start.shape - start.label).ravel() for start in starts]
        e = np.column_stack([np.mean(ends, axis=0), columns[:, 1:], np.mean(labels, axis=0)])
        y = np.column_stack([np.mean(moves, axis=0), targets[:, 1:], np.zeros(M)])
        gram += 4 * e.astype(np.float64) @ e.T
        cross += 4 * y @ e.T
    expected = np.linalg.solve(gram, cross.T).T
    scale = np.abs(expected - before.regressor).max()
    assert scale > 0.3
    assert_allclose(after.regressor, expected, atol=1e-5 * scale)


def test_the_residual_is_asked_for_what_the_generic_cascade_leaves_over(cascade, prior) -> None:
    one, learner = example(4), Learner(cascade, [prior])
    starts = list(learner.starts([one]))
    left = np.stack([x.label - cascade.run(x.maps, x.shape) for x in starts])
    samples = learner.read(one).samples
    assert_allclose(samples.missing[0], left[:-1].mean(axis=0), atol=1e-9)
    assert_allclose(samples.missing[1], left[-1], atol=1e-9)
    assert not samples.missing[2].any()
    at_label = [cascade.levels[-1].features(x.maps, x.label) for x in starts]
    assert_allclose(samples.features[2], np.mean(at_label, axis=0), atol=1e-5)


def test_levels_alone_learn_the_label(cascade, prior) -> None:
    alone, one = Learner(cascade, [prior], own=False), example(6)
    learned = alone.learn([one])
    assert learned is not None
    assert learned.own is None
    starts = list(alone.starts([one]))
    for start in starts:
        start.advance(cascade.levels[0], cascade.basis)
    moves = [cascade.basis.T @ (start.shape - start.label).ravel() for start in starts]
    asked = alone.read(one).columns[LEARNS][1][:, 0]
    assert_allclose(asked, 2 * np.mean(moves, axis=0), rtol=1e-4, atol=1e-3)


def test_only_points_that_are_vouched_for_have_a_residual(cascade, prior) -> None:
    one = example(0)
    one.mask[40] = False
    learned = Learner(cascade, [prior]).learn([one])
    assert learned is not None
    assert learned.own is not None
    for weights in (learned.own.weights.reshape(68, 2, -1), learned.own.patch_weights):
        taught = np.abs(weights).max(axis=(1, 2)) > 0
        assert np.flatnonzero(~taught).tolist() == [40]


def test_levels_that_do_not_learn_stay(cascade, prior) -> None:
    learned = Learner(cascade, [prior]).learn([example(0)])
    assert learned is not None
    assert learned.cascade.levels[0] is cascade.levels[0]


def test_a_frame_of_ones_own_weighs_a_tenth_of_the_training(cascade, prior) -> None:
    one = example(5)
    before = cascade.levels[LEARNS]
    regressor = IncrementalRegressor(before.regressor, prior.inverse().astype(np.float32))
    learner = SelfLearner(cascade, None, {LEARNS: regressor}, {LEARNS: prior})
    learned = learner.learn(SelfExample(one.patches[0], one.starts[0], one.labels[0]))
    start = Start(one.patches[0], one.starts[0], one.labels[0], one.mask, MapReader(cascade))
    start.advance(cascade.levels[0], cascade.basis)
    columns, targets = columns_of(before, prior, start, cascade.basis)
    gram = np.linalg.inv(whole(prior.inverse()))
    cross = before.regressor @ gram + 0.1 * targets @ columns.T
    expected = np.linalg.solve(gram + 0.1 * columns @ columns.T, cross.T).T
    scale = np.abs(expected - before.regressor).max()
    assert scale > 0.5
    assert_allclose(learned.cascade.levels[LEARNS].regressor, expected, atol=1e-3 * scale)
