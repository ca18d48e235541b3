"""Faces that the detector was not certain of: asked again, reported late, displaced, let go."""

from dataclasses import replace

import numpy as np
import pytest

from facetrack.detection.detections import Detection
from facetrack.features.pixels import box_of
from facetrack.identity.person import Person
from facetrack.tracking.track import Track
from facetrack.tracking.tracker import Tracker
from facetrack.tracking.verification import at_place, is_confirmed, is_unverified, is_verified

IMAGE = np.zeros((480, 640), np.uint8)
PLAUSIBLE, IMPLAUSIBLE = -0.3, -0.7


class Scores:
    """A detector that sees the asked place at given scores, one an answer."""

    def __init__(self, *scores):
        self.scores = list(scores)

    def detect_near(self, image, box):
        return [Detection(box, self.scores.pop(0), 0)]


@pytest.fixture
def track(head):
    def make(*, quality=0.8, **state):
        patch = np.zeros((24, 24), np.uint8)
        return Track(Person(0), head + 240, quality, patch, None, **state)

    return make


def outlasts(track, detector, n_frames):
    """Age a track; gives the age at which it is let go, None if it is not."""
    for _ in range(n_frames):
        track.age += 1
        if not is_verified(track, detector, IMAGE):
            return track.age
    return None


def test_a_certain_face_is_never_asked_about(track):
    assert outlasts(track(confirmed=True), Scores(), 100) is None


def test_two_implausible_answers_in_a_row_end_a_track(track):
    assert outlasts(track(), Scores(IMPLAUSIBLE, IMPLAUSIBLE), 100) == 10
    scores = IMPLAUSIBLE, PLAUSIBLE, IMPLAUSIBLE, IMPLAUSIBLE
    assert outlasts(track(), Scores(*scores), 100) == 20


def test_a_certain_answer_ends_the_asking(track):
    asked = track()
    assert outlasts(asked, Scores(PLAUSIBLE, 0.2), 100) is None
    assert asked.confirmed


def test_a_very_good_fit_is_not_doubted(track):
    assert outlasts(track(quality=0.99), Scores(*[IMPLAUSIBLE] * 4), 20) is None


def test_a_face_that_withstood_all_doubts_is_asked_no_more(track):
    asked = track()
    assert outlasts(asked, Scores(*[PLAUSIBLE] * 30), 200) is None
    assert asked.confirmed


def test_an_uncertain_face_is_nobodys_until_it_was_asked_about(track):
    assert is_unverified(track(age=4))
    assert not is_unverified(track(age=5))
    assert is_unverified(track(age=7, doubts=1))
    assert not is_unverified(track(confirmed=True))
    assert not is_unverified(track(quality=0.99))


def test_detections_elsewhere_say_nothing(head):
    box = box_of(head + 240)
    beside = Detection((box[0] + 90, box[1], box[2] + 90, box[3]), 1.0, 0)
    assert at_place([beside, Detection(box, -0.9, 0)], box) == [Detection(box, -0.9, 0)]


class Weak:
    """Another detector's finds, at another score."""

    def __init__(self, detector, score):
        self._detector, self.score = detector, score

    def _weakened(self, found):
        return [Detection(d.box, self.score, d.view) for d in found]

    def detect(self, image, *, wanted=1):
        return self._weakened(self._detector.detect(image, wanted=wanted))

    def search(self, image, rung):
        return self._weakened(self._detector.search(image, rung))

    def detect_near(self, image, box):
        return self._weakened(self._detector.detect_near(image, box))


class Unclear:
    """Another model's fits, at a quality that leaves room for doubt."""

    def __init__(self, model):
        self._model, self.shape_model = model, model.shape_model

    def fit(self, image, start):
        return replace(self._model.fit(image, start), quality=0.92)

    def fit_box(self, image, box, *, view=0, five=None):
        return replace(self._model.fit_box(image, box, view=view, five=five), quality=0.92)


def test_a_weakly_detected_face_is_reported_after_the_second_answer(stage, puppet):
    play = stage(puppet(1, lambda frame: (320, 240)))
    detector = Weak(play.detector, PLAUSIBLE)
    result = play.run(Tracker(Unclear(play.model), detector=detector), range(20))
    assert [len(faces) for faces in result] == [0] * 5 + [1] * 15
    assert {faces[0].id for faces in result[5:]} == {0}


def test_a_weakly_detected_face_that_fits_very_well_is_reported_at_once(stage, puppet):
    play = stage(puppet(1, lambda frame: (320, 240)))
    result = play.run(Tracker(play.model, detector=Weak(play.detector, PLAUSIBLE)), range(3))
    assert [[face.id for face in faces] for faces in result] == [[0]] * 3


def test_an_implausible_detection_is_not_looked_at(stage, puppet):
    play = stage(puppet(1, lambda frame: (320, 240)))
    result = play.run(Tracker(play.model, detector=Weak(play.detector, IMPLAUSIBLE)), range(20))
    assert not any(result)
    assert not play.model.fits


def test_a_certain_face_displaces_an_uncertain_one(stage, puppet):
    left, right = (150, 240), (480, 240)
    play = stage(
        puppet(1, lambda frame: left), puppet(2, lambda frame: right if frame > 9 else None)
    )

    class LeftIsWeak(Weak):
        def _weakened(self, found):
            return [d if d.box[0] > 300 else Detection(d.box, PLAUSIBLE, d.view) for d in found]

    tracker = Tracker(play.model, detector=LeftIsWeak(play.detector, 1.0))
    result = play.run(tracker, range(40))
    assert [face.id for face in result[9]] == [0]
    (face,) = (face for face in result[-1] if face.tracked)
    assert (face.id, play.owner(39, face)) == (1, 2)
    lost = [face for faces in result for face in faces if not face.tracked]
    assert {(face.id, face.reason) for face in lost} == {(0, "probably no face")}


@pytest.mark.parametrize(("shift", "same"), [(0.42, True), (0.44, False)])
def test_a_detection_lies_on_a_face_if_two_fifths_of_their_union_agree(shift, same):
    """Squares that are shifted by s share (1 - s) / (1 + s)."""
    beside = Detection((100 * shift, 0.0, 100 + 100 * shift, 100.0), -0.9)
    assert at_place([beside], (0.0, 0.0, 100.0, 100.0)) == [beside] * same
    certain = replace(beside, score=0.0)
    assert is_confirmed([beside, certain], (0.0, 0.0, 100.0, 100.0)) == same
    assert not is_confirmed([beside], (0.0, 0.0, 100.0, 100.0))


@pytest.mark.parametrize(("quality", "doubted"), [(0.94, True), (0.95, False)])
def test_a_quality_of_95_percent_is_no_reason_for_doubt(track, quality, doubted):
    assert is_unverified(track(quality=quality)) == doubted
    asked = track(quality=quality)
    assert (outlasts(asked, Scores(*[IMPLAUSIBLE] * 9), 20) is not None) == doubted


def test_what_was_asked_for_150_frames_is_proven(track):
    asked = track()
    outlasts(asked, Scores(*[PLAUSIBLE] * 29), 149)
    assert not asked.confirmed
    outlasts(asked, Scores(PLAUSIBLE), 1)
    assert asked.confirmed
