"""Tracking anew: anchors untouched, both ways blended, stoppable, and why it ended."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pytest

from facetrack.annotation.offset import OffsetLearner
from facetrack.annotation.retrack import STOPPED, Outcome, retrack
from facetrack.errors import InputError
from facetrack.face import Fit
from facetrack.fitting.face_model import FaceModel
from facetrack.landmarks.markup import outer_eye_distance
from facetrack.synthetic.clips import demo_video
from facetrack.synthetic.video import SyntheticVideo
from facetrack.video.frame import Frame, frame_of

Look = Callable[[int], Frame]


@pytest.fixture(scope="module")
def video(shipped_model: FaceModel) -> SyntheticVideo:
    return demo_video(shipped_model.shape_model)


@pytest.fixture(scope="module")
def look(video: SyntheticVideo) -> Look:
    return lru_cache(video.frame)


def _errors(outcome: Outcome, video: SyntheticVideo) -> np.ndarray:
    truth = np.array([video.truth(r.frame) for r in outcome.refits])
    found = np.array([r.points for r in outcome.refits])
    off = np.linalg.norm(found - truth, axis=2).mean(axis=1)
    return np.asarray(off / outer_eye_distance(truth))


def test_everything_between_anchors_is_found_and_anchors_are_not_touched(
    shipped_model: FaceModel, video: SyntheticVideo, look: Look
) -> None:
    anchors = {n: video.truth(n) for n in (10, 25)}
    outcome = retrack(shipped_model, look, anchors, (5, 30))
    assert [r.frame for r in outcome.refits] == [n for n in range(5, 30) if n not in anchors]
    assert outcome.reason == ""
    assert outcome.fits == 5 + 2 * 14 + 4
    assert _errors(outcome, video).max() < 0.06
    apart = {r.frame: r.apart for r in outcome.refits}
    assert np.isnan(apart[5])
    assert 0 < apart[15] < 0.1


def test_near_an_anchor_that_side_counts(
    shipped_model: FaceModel, video: SyntheticVideo, look: Look
) -> None:
    anchors = {n: video.truth(n) for n in (10, 25)}
    both = {r.frame: r.points for r in retrack(shipped_model, look, anchors, (11, 25)).refits}
    ahead = retrack(shipped_model, look, {10: anchors[10]}, (11, 25)).refits
    back = retrack(shipped_model, look, {25: anchors[25]}, (11, 25)).refits
    for one, other in ((ahead[0], back[0]), (back[-1], ahead[-1])):
        near = np.abs(both[one.frame] - one.points).max()
        assert near <= np.abs(both[one.frame] - other.points).max() + 1e-9


def test_stopping_keeps_what_came_before_and_can_be_repeated(
    shipped_model: FaceModel, video: SyntheticVideo, look: Look
) -> None:
    def stop_after(count: int) -> Callable[[], bool]:
        left = iter(range(count))
        return lambda: next(left, None) is None

    anchors = {10: video.truth(10)}
    outcome = retrack(shipped_model, look, anchors, (11, 60), stop=stop_after(7))
    assert (len(outcome.refits), outcome.reason, outcome.fits) == (7, STOPPED, 7)
    again = retrack(shipped_model, look, anchors, (11, 60), stop=stop_after(outcome.fits))
    np.testing.assert_array_equal(again.refits[-1].points, outcome.refits[-1].points)


def test_a_face_that_is_lost_is_said(
    shipped_model: FaceModel, video: SyntheticVideo, look: Look
) -> None:
    grey = frame_of(np.full((480, 640, 3), 128, np.uint8))
    outcome = retrack(
        shipped_model, lambda n: look(n) if n < 15 else grey, {10: video.truth(10)}, (11, 20)
    )
    assert [r.frame for r in outcome.refits] == [11, 12, 13, 14]
    assert outcome.reason == "lost in frame 16 on the way forward"


def test_progress_counts_the_fits(
    shipped_model: FaceModel, video: SyntheticVideo, look: Look
) -> None:
    told: list[tuple[int, int]] = []
    anchors = {10: video.truth(10), 14: video.truth(14)}
    retrack(
        shipped_model,
        look,
        anchors,
        (11, 14),
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(n, 6) for n in range(1, 7)]


@pytest.mark.parametrize(("anchors", "span"), [({}, (0, 5)), ({3: np.zeros((68, 2))}, (5, 5))])
def test_nothing_to_start_from_is_refused(
    shipped_model: FaceModel, look: Look, anchors: dict[int, np.ndarray], span: tuple[int, int]
) -> None:
    with pytest.raises(InputError, match="needs a corrected frame and frames"):
        retrack(shipped_model, look, anchors, span)


def test_anchors_that_do_not_touch_the_span_are_no_starts(
    shipped_model: FaceModel, video: SyntheticVideo, look: Look
) -> None:
    outcome = retrack(shipped_model, look, {10: video.truth(10)}, (20, 25))
    assert outcome.refits == []


def test_the_offset_learner_moves_fits_by_what_corrections_were_off(
    shipped_model: FaceModel, video: SyntheticVideo, look: Look
) -> None:
    learner = OffsetLearner(shipped_model)
    start = video.truth(40)
    plain = shipped_model.fit(look(40).grey, start)
    untaught = learner.fit(look(40).grey, start)
    np.testing.assert_allclose(untaught.points, plain.points, atol=1e-9)
    mask = np.zeros(68, dtype=bool)
    mask[48:] = True
    shift = np.array([0.0, 6.0])
    for frame in (36, 38, 42, 44):
        fit: Fit = shipped_model.fit(look(frame).grey, video.truth(frame))
        learner.correct(look(frame).grey, fit.points + shift, mask)
    moved = learner.fit(look(40).grey, start).points - plain.points
    assert np.abs(moved[:48]).max() < 1e-9
    assert moved[48:, 1].mean() == pytest.approx(6 * 4 / 4.25, abs=1.5)
