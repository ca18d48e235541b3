"""Learning a person from lessons."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from facetrack.landmarks.markup import outer_eye_distance
from facetrack.learning.learner import Learner
from facetrack.learning.lesson import KEEP, make_lesson
from facetrack.tracking.personal_model import PersonalModel

JUDGED = range(5, 60, 9)  # never taught
BROWS, EYES, MOUTH = slice(17, 27), slice(36, 48), slice(48, 68)


@pytest.fixture(scope="module")
def learner(shipped_model) -> Learner:
    return Learner(shipped_model.tracking, shipped_model.priors)


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
    learner, shipped_model, video, opinion, lesson
) -> None:
    before = errors(shipped_model, video, opinion).mean()
    one = PersonalModel(shipped_model, learner.learn([lesson(30)]))
    four = PersonalModel(shipped_model, learner.learn([lesson(f) for f in (8, 22, 40, 55)]))
    after_one = errors(one, video, opinion).mean()
    after_four = errors(four, video, opinion).mean()
    assert after_one < 0.6 * before
    assert after_four < 0.9 * after_one


def test_only_what_is_vouched_for_is_taught(learner, shipped_model, video, opinion, lesson) -> None:
    mask = np.zeros(68, bool)
    mask[BROWS] = True
    fitted = shipped_model.fit(video.frame(30).image, video.truth(30)).points
    points = np.where(mask[:, None], opinion(30), fitted)
    taught = make_lesson(video.frame(30).image, points, mask, shipped_model.shape_model, key=30)
    personal = PersonalModel(shipped_model, learner.learn([taught]))
    for region, expected in ((BROWS, 0.7), (MOUTH, None)):
        before = errors(shipped_model, video, opinion, region).mean()
        after = errors(personal, video, opinion, region).mean()
        if expected is not None:
            assert after < expected * before
        else:
            assert after > 0.8 * before


def test_the_same_lessons_give_the_same_bytes(learner, shipped_model, lesson) -> None:
    lessons = [lesson(8), lesson(40)]
    one, other = (
        Learner(shipped_model.tracking, shipped_model.priors).learn(lessons) for _ in range(2)
    )
    assert one is not None
    assert other is not None
    assert one.own is not None
    assert other.own is not None
    assert_array_equal(one.own.weights, other.own.weights)
    for a, b in zip(one.cascade.levels, other.cascade.levels, strict=True):
        assert_array_equal(a.regressor, b.regressor)


def test_the_order_of_lessons_does_not_matter(learner, lesson) -> None:
    lessons = [lesson(8), lesson(22), lesson(40)]
    one, other = learner.learn(lessons), learner.learn(lessons[::-1])
    for a, b in zip(one.cascade.levels, other.cascade.levels, strict=True):
        scale = np.abs(a.regressor).max()
        np.testing.assert_allclose(a.regressor, b.regressor, atol=1e-4 * scale)


def test_the_generic_model_stays_as_it_is(learner, shipped_model, lesson) -> None:
    before = [level.regressor.copy() for level in shipped_model.tracking.levels]
    learner.learn([lesson(8)])
    for level, regressor in zip(shipped_model.tracking.levels, before, strict=True):
        assert_array_equal(level.regressor, regressor)


def test_nothing_is_learned_from_no_lessons(learner) -> None:
    assert learner.learn([]) is None


def test_a_lesson_takes_little_memory_while_it_is_learned(learner, lesson) -> None:
    lessons = [lesson(frame) for frame in range(12)]
    peaks = []
    learner.learn(lessons)  # unpacks the sums of the training, which stay
    for count in (4, 12):
        tracemalloc.start()
        learner.learn(lessons[:count])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (peaks[1] - peaks[0]) / 8 < 1.5e6
