"""The signal beside a face at rest: its values, intervals and episodes are measured from it."""

from __future__ import annotations

from math import isnan

import pytest

from facetrack.face import Face, Pose, State, read_only_points
from facetrack.pain.influence import REGIONS
from facetrack.pain.scorer import PainEstimate, Scorer
from facetrack.pain.signal import EPISODE, PAIN, SCORE, Pain
from facetrack.reading import Event, Readings
from facetrack.signals.observation import Observation
from facetrack.signals.rest import Rest
from facetrack.synthetic.portrait import astronaut
from facetrack.video.frame import frame_of

RATE = 10.0
STRONG = range(8, 14)  # frames
NEUTRAL = {SCORE: 2.5, **{f"pain_{region}": 0.5 for region in REGIONS}}


def played(
    monkeypatch: pytest.MonkeyPatch, estimator: Pain, face: int = 3
) -> tuple[list[Readings], list[Event]]:
    """Show a portrait whose score is 3, and 6 for a while, to a new run of an estimator."""

    def push(self: Scorer, time: float, look: object) -> PainEstimate:
        score = 6.0 if round(time * RATE) in STRONG else 3.0
        return PainEstimate(score, score - 1, score + 2, {"set": 1.0}, dict.fromkeys(REGIONS, 1.5))

    monkeypatch.setattr(Scorer, "push", push)
    monkeypatch.setattr(Scorer, "known", lambda self, time: True)
    portrait, run = astronaut(), estimator.start()
    points = read_only_points(portrait.points)
    frontal = Pose((0.0, 0.0, 0.0), (0.0, 0.0, 500.0))
    seen = Face(face, State.TRACKED, "", points, points, 0.9, frontal)
    results = [
        result
        for n in range(20)
        for result in run.update(
            Observation(n, n / RATE, seen, frame_of(portrait.image, index=n, timestamp=n / RATE))
        )
    ]
    results += run.finish()
    readings = [one for one in results if isinstance(one, Readings)]
    return readings, [one for one in results if isinstance(one, Event)]


def test_without_a_rest_the_score_is_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    readings, events = played(monkeypatch, PAIN)
    first = readings[0].values[SCORE]
    assert (first.value, first.low, first.high) == (3.0, 2.0, 5.0)
    ((start, stop, score),) = [(one.start, one.stop, one.score) for one in events]
    assert (start, stop, score) == (0.0, 1.9, 6.0)


def test_score_influences_and_episodes_are_measured_from_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    readings, events = played(monkeypatch, PAIN.with_rest(Rest(0.0, 5.0, {3: NEUTRAL})))
    first = readings[0].values[SCORE]
    assert (first.value, first.low, first.high) == (0.5, -0.5, 2.5)
    assert {readings[0].values[f"pain_{region}"].value for region in REGIONS} == {1.0}
    (event,) = events
    assert (event.name, event.start, event.stop, event.score) == (EPISODE, 0.8, 1.3, 3.5)
    assert event.detail["model"] == PAIN.specs[0].model


def test_a_face_that_was_not_seen_at_rest_has_no_score(monkeypatch: pytest.MonkeyPatch) -> None:
    rest = Rest(0.0, 5.0, {4: NEUTRAL})
    readings, events = played(monkeypatch, PAIN.with_rest(rest))
    assert events == []
    for one in readings[0].values.values():
        assert isnan(one.value)
        assert one.reason == rest.missing
