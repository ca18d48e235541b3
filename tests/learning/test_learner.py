"""Learning a person from examples."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from facetrack.errors import InputError
from facetrack.identity.personal_model import PersonalModel
from facetrack.landmarks.markup import outer_eye_distance
from facetrack.learning.example import KEEP, Example, make_example
from facetrack.learning.learner import Learner

JUDGED = range(5, 60, 9)  # never taught
BROWS, EYES, MOUTH = slice(17, 27), slice(36, 48), slice(48, 68)


@pytest.fixture(scope="module")
def learner(shipped_model) -> Learner:
    return Learner(shipped_model.tracking, shipped_model.priors)


@pytest.fixture(scope="module")
def pool(example) -> list[Example]:
    mouth = np.zeros(68, bool)
    mouth[MOUTH] = True
    return [*(example(frame) for frame in (3, 14, 27, 38, 49)), example(55, mouth)]


def errors(model, video, opinion, points=slice(0, 68)) -> np.ndarray:
    """Mean distance from the person's opinion, fractions of the eye distance, tracking starts."""
    found = []
    for frame in JUDGED:
        start = model.shape_model.relax(video.truth(frame - 1), keep=KEEP)
        fit = model.fit(video.frame(frame).image, start)
        wrong = np.linalg.norm(fit.points - opinion(frame), axis=1)[points].mean()
        found.append(wrong / outer_eye_distance(video.truth(frame)))
    return np.array(found)


def test_corrections_are_learned_for_other_frames(
    learner, shipped_model, video, opinion, example
) -> None:
    before = errors(shipped_model, video, opinion).mean()
    one = PersonalModel(shipped_model, learner.learn([example(30)]))
    four = PersonalModel(shipped_model, learner.learn([example(f) for f in (8, 22, 40, 55)]))
    after_one = errors(one, video, opinion).mean()
    after_four = errors(four, video, opinion).mean()
    assert after_one < 0.6 * before
    assert after_four < 0.9 * after_one


def test_only_what_is_vouched_for_is_taught(
    learner, shipped_model, video, opinion, example
) -> None:
    mask = np.zeros(68, bool)
    mask[BROWS] = True
    fitted = shipped_model.fit(video.frame(30).image, video.truth(30)).points
    points = np.where(mask[:, None], opinion(30), fitted)
    taught = make_example(video.frame(30).image, points, mask, shipped_model.shape_model, key=30)
    personal = PersonalModel(shipped_model, learner.learn([taught]))
    for region, expected in ((BROWS, 0.7), (MOUTH, None)):
        before = errors(shipped_model, video, opinion, region).mean()
        after = errors(personal, video, opinion, region).mean()
        if expected is not None:
            assert after < expected * before
        else:
            assert after > 0.8 * before


def test_the_same_examples_give_the_same_bytes(learner, shipped_model, example) -> None:
    examples = [example(8), example(40)]
    one, other = (
        Learner(shipped_model.tracking, shipped_model.priors).learn(examples) for _ in range(2)
    )
    assert one is not None
    assert other is not None
    assert one.own is not None
    assert other.own is not None
    assert_array_equal(one.own.weights, other.own.weights)
    for a, b in zip(one.cascade.levels, other.cascade.levels, strict=True):
        assert_array_equal(a.regressor, b.regressor)


def solved_at_once(shipped_model, learner, examples) -> dict[int, np.ndarray]:
    """Solve every level from the sums of the training and of all examples (spec, equation 3)."""
    readings = [learner.read(example) for example in examples]
    solved = {}
    for prior in shipped_model.priors:
        lower = np.tril(prior.inverse())
        gram = np.linalg.inv(lower + np.tril(lower, -1).T)
        cross = shipped_model.tracking.levels[prior.number].regressor @ gram
        for reading in readings:
            e, y = (x.astype(float) for x in reading.columns[prior.number])
            gram, cross = gram + e @ e.T, cross + y @ e.T
        solved[prior.number] = np.linalg.solve(gram, cross.T).T
    return solved


def duals_of(learner: Learner) -> np.ndarray:
    assert learner.own is not None
    return learner.own.duals()


def assert_same(one: Learner, other: Learner) -> None:
    """Compare to the byte."""
    assert_array_equal(duals_of(one), duals_of(other))
    for number, learned in one.levels.items():
        assert_array_equal(learned.regressor, other.levels[number].regressor)


def fresh(shipped_model, examples) -> Learner:
    learner = Learner(shipped_model.tracking, shipped_model.priors)
    learner.learn(examples)
    return learner


@settings(max_examples=8, deadline=None)
@given(steps=st.lists(st.integers(-3, 5), min_size=1, max_size=9))
def test_any_adding_and_undoing_equals_solving_at_once(shipped_model, pool, steps) -> None:
    learner = Learner(shipped_model.tracking, shipped_model.priors)
    now: list[Example] = []
    for step in steps:  # below 0: so many are undone; else an example is put first, or comes last
        now = now[:step] if step < 0 else [pool[step], *now] if step == 0 else [*now, pool[step]]
        learner.learn(now)
    for number, expected in solved_at_once(shipped_model, learner, now).items():
        apart = np.abs(learner.levels[number].regressor - expected).max()
        assert apart < 1e-8 * np.abs(expected).max()
    assert_same(learner, fresh(shipped_model, now))


def test_the_order_of_examples_does_not_matter(shipped_model, pool) -> None:
    one, other = fresh(shipped_model, pool), fresh(shipped_model, pool[::-1])
    for number, learned in one.levels.items():
        theirs = other.levels[number].regressor
        assert np.abs(learned.regressor - theirs).max() < 1e-8 * np.abs(theirs).max()
    duals = duals_of(one)
    order = np.arange(duals.shape[2]).reshape(len(pool), -1)[::-1].ravel()
    assert_allclose(duals_of(other)[..., order], duals, rtol=0, atol=1e-8 * np.abs(duals).max())


def test_a_hundred_examples_equal_solving_at_once(shipped_model, pool) -> None:
    rng = np.random.default_rng(0)
    examples = [
        replace(one, labels=one.labels + rng.normal(size=(1, 68, 2)))
        for one in (pool[k % len(pool)] for k in range(100))
    ]
    learner = Learner(shipped_model.tracking, shipped_model.priors)
    for count in range(1, 101):
        learner.learn(examples[:count])
    for number, expected in solved_at_once(shipped_model, learner, examples).items():
        apart = np.abs(learner.levels[number].regressor - expected).max()
        assert apart < 1e-8 * np.abs(expected).max()


def test_an_example_that_is_refused_leaves_nothing_behind(shipped_model, pool) -> None:
    learner = fresh(shipped_model, pool[:2])
    broken = replace(pool[2], labels=np.full_like(pool[2].labels, np.nan))
    with pytest.raises(InputError, match="finite"):
        learner.learn([*pool[:2], broken])
    learner.learn(pool[:3])
    assert_same(learner, fresh(shipped_model, pool[:3]))


def test_the_generic_model_stays_as_it_is(learner, shipped_model, example) -> None:
    before = [level.regressor.copy() for level in shipped_model.tracking.levels]
    learner.learn([example(8)])
    for level, regressor in zip(shipped_model.tracking.levels, before, strict=True):
        assert_array_equal(level.regressor, regressor)


def test_nothing_is_learned_from_no_examples(learner) -> None:
    assert learner.learn([]) is None


def test_an_example_takes_little_memory_while_it_is_learned(learner, example) -> None:
    examples = [example(frame) for frame in range(12)]
    peaks = []
    learner.learn(examples)  # unpacks the sums of the training, which stay
    for count in (4, 12):
        tracemalloc.start()
        learner.learn(examples[:count])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (peaks[1] - peaks[0]) / 8 < 1.5e6
