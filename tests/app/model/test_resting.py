"""Ten seconds at rest: counted down by the camera's clock, begun anew where it was away."""

from __future__ import annotations

import pytest

from facetrack.errors import InputError
from facetrack.reading import Finding, Reading, Readings
from facetrack.signals.registry import choose
from facetrack_app.model.live import Heard
from facetrack_app.model.resting import SECONDS, Resting, can_rest
from tests.app.aching import AWAY, Aching, said

RATE = 25


def heard(frame: int, *more: Finding, late: float = 0.0) -> Heard:
    return Heard(frame, frame / RATE + late, 0, (Finding(0, "aching", Readings(frame, said(frame))),
                                                 *more))  # fmt: skip


def test_the_median_of_ten_seconds_is_the_rest(ache: Aching) -> None:
    resting = Resting()
    assert resting.left == SECONDS
    eyes = Finding(0, "blinks", Readings(3, {"eye_openness": Reading(1.0)}))  # knows no rest
    before = Finding(0, "aching", Readings(2, {"ache": Reading(99.0)}))
    for frame in range(3, 3 + 11 * RATE):
        resting.add(heard(frame, *[eyes, before] * (frame == 3)))
        if resting.left <= 0:
            break
    assert frame == 3 + 10 * RATE
    rest = resting.rest()
    assert (rest.start, rest.stop) == pytest.approx((3 / RATE, 3 / RATE + 10))
    assert rest.values == {
        0: {"ache": 4.0, "ache_brows": 1.5, "ache_eyes": 0.5, "ache_nose": 0.0, "ache_mouth": -0.5}
    }


def test_it_begins_anew_where_the_camera_was_away(ache: Aching) -> None:
    resting = Resting()
    for frame in range(200):
        resting.add(heard(frame))
    assert resting.left == pytest.approx(SECONDS - 199 / RATE)
    resting.add(heard(200, late=5.0))
    assert resting.left == SECONDS


def test_a_face_that_is_not_seen_well_enough_has_no_rest(ache: Aching) -> None:
    resting = Resting()
    for frame in (*AWAY, 14, 15):
        resting.add(heard(frame))
    with pytest.raises(InputError, match="no face was seen well enough"):
        resting.rest()


def test_most_signals_know_no_rest(ache: Aching) -> None:
    assert not can_rest(choose())
    assert can_rest(choose("default,ache"))
