"""What the strip charts draw: every frame's values at their own time, and gaps where there are."""

from __future__ import annotations

from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facetrack.formats.table import NO_FACE
from facetrack.reading import Event, Finding, Reading, Readings
from facetrack.signals.pipeline import THINNED
from facetrack.signals.rows import NO_FACE_REASON
from facetrack_app.model.live import Heard
from facetrack_app.model.strip import Strip

RATE = 25.0


def said(frame: int, value: float, face_id: int = 0) -> Finding:
    return Finding(face_id, "warmth", Readings(frame, {"heat": Reading(value)}))


def heard(frame: int, *findings: Finding, face_id: int = 0, time: float | None = None) -> Heard:
    return Heard(frame, frame / RATE if time is None else time, face_id, findings)


def filled(n_frames: int = 50) -> Strip:
    strip = Strip()
    for frame in range(n_frames):
        strip.add(heard(frame, said(frame, frame)))
    return strip


def test_values_stand_at_their_frames_in_order() -> None:
    curve = filled().curve("heat", 1.0)
    assert curve.values.tolist() == list(range(25, 50))
    np.testing.assert_allclose(curve.times, np.arange(25, 50) / RATE)
    assert filled().current("heat").value == 49
    assert curve.at(1.4).value == 35
    assert curve.at(99.0).value == 49


def test_late_readings_go_back_to_their_own_time() -> None:
    strip = Strip()
    for frame in range(30):
        strip.add(heard(frame))
    assert len(strip.curve("heat", 10.0).values) == 0
    strip.add(heard(30, *(said(frame, frame) for frame in range(31))))
    curve = strip.curve("heat", 10.0)
    assert curve.values.tolist() == (RATE * curve.times).round().tolist() == list(range(31))


@pytest.mark.parametrize("pause", [0.5, 3.0])
def test_a_line_breaks_where_frames_are_missing(pause: float) -> None:
    strip = filled()
    for frame in range(50, 60):
        strip.add(heard(frame, said(frame, frame), time=frame / RATE + pause))
    curve = strip.curve("heat", 10.0)
    (gap,) = np.flatnonzero(np.isnan(curve.values))
    assert curve.values[[gap - 1, gap + 1]].tolist() == [49, 50]


def test_few_frames_a_second_are_no_gaps() -> None:
    strip = Strip()
    for frame in range(20):
        strip.add(heard(frame, said(frame, 1.0), time=frame / 3))
    assert not np.isnan(strip.curve("heat", 10.0).values).any()


def test_nothing_is_known_of_a_face_that_is_lost_and_no_line_joins_two_people() -> None:
    strip = filled(10)
    for frame in range(10, 15):
        strip.add(heard(frame, said(frame, nan), face_id=NO_FACE))
        assert isnan(strip.current("heat").value)
    for frame in range(15, 20):
        strip.add(heard(frame, said(frame, 100.0, 7), said(frame, 5.0, 0), face_id=7))
    strip.add(heard(20, said(20, 8.0, 0), face_id=0))
    curve = strip.curve("heat", 10.0)
    known = curve.values[~np.isnan(curve.values)]
    assert known.tolist() == [*range(10), *[100.0] * 5, 8.0]
    assert isnan(curve.values[-2])
    assert strip.current("heat").value == 8.0


def test_a_value_of_another_person_is_not_the_present_one() -> None:
    strip = filled(10)
    strip.add(heard(10, face_id=3))  # of whom nothing was said yet
    assert isnan(strip.current("heat").value)
    strip.add(heard(11, said(10, 0.5, 3), face_id=3))  # said a frame late
    assert strip.current("heat").value == 0.5


def test_frames_that_an_estimator_left_out_are_no_gaps_but_what_it_cannot_say_is() -> None:
    strip = Strip()
    for frame in range(30):
        thinned = Finding(0, "warmth", Readings(frame, {"heat": Reading(nan, reason=THINNED)}))
        strip.add(heard(frame, thinned if frame % 3 else said(frame, frame)))
    values = strip.curve("heat", 10.0).values
    assert values.tolist() == list(range(0, 30, 3))
    assert strip.current("heat").value == 27
    strip.add(heard(30, said(30, nan)))
    strip.add(heard(31, face_id=NO_FACE))
    strip.add(heard(32, said(32, 32.0)))
    values = strip.curve("heat", 10.0).values
    assert values[-1] == 32
    assert np.isnan(values[10:-1]).all()
    assert len(values) > 12


def test_events_are_those_of_the_charted_face_and_of_the_last_seconds() -> None:
    strip = filled()
    blink = Event("blink", 1.0, 1.1, 1.2)
    strip.add(heard(50, Finding(0, "warmth", blink), Finding(5, "warmth", blink)))
    strip.add(heard(51, Finding(0, "warmth", Event("blink", 0.2, 0.3, 0.4))))
    assert [r.event.start for r in strip.events("warmth", 10.0)] == [0.2, 1.0]
    assert [r.event.start for r in strip.events("warmth", 1.0)] == [1.0]
    assert strip.events("cold", 10.0) == []


def test_what_is_not_known_is_empty() -> None:
    strip = Strip()
    assert isnan(strip.now)
    assert isnan(strip.current("heat").value)
    assert len(strip.curve("heat", 10.0).times) == 0
    assert isnan(strip.curve("heat", 10.0).at(0.0).value)
    strip = filled()
    strip.clear()
    assert isnan(strip.now)
    strip.add(heard(0))
    assert isnan(strip.current("heat").value)
    assert len(strip.curve("heat", 10.0).times) == 0


@given(
    steps=st.lists(st.integers(1, 40), min_size=1, max_size=60),
    delay=st.integers(0, 30),
    size=st.integers(2, 32),
)
def test_frames_that_were_left_out_and_readings_that_come_late_never_meet(
    steps: list[int], delay: int, size: int
) -> None:
    strip = Strip(size)
    frames = np.cumsum(steps)
    for frame in frames.tolist():
        strip.add(heard(frame, said(frame - delay, float(frame - delay)), said(frame, frame)))
    curve = strip.curve("heat", 1e9)
    known = ~np.isnan(curve.values)
    np.testing.assert_allclose(curve.values[known], RATE * curve.times[known])
    kept = [float(f) for f in frames if f > frames[-1] - size]
    assert curve.values[known].tolist() == kept


def test_what_cannot_be_assessed_has_a_start_a_stop_and_a_reason() -> None:
    strip = Strip()
    for frame in range(60):
        why = "turned" if 10 <= frame < 20 else "dark" if frame == 20 else ""
        value = Reading(nan, reason=why) if why else Reading(frame, frame - 1, frame + 1)
        found = Finding(0, "warmth", Readings(frame, {"heat": value}))
        late = 3.0 * (frame >= 50)
        face = NO_FACE if frame in (48, 49) else 0
        strip.add(heard(frame, found, face_id=face, time=frame / RATE + late))
    curve = strip.curve("heat", 10.0)
    assert curve.gaps == [
        pytest.approx((10 / RATE, 20 / RATE, "turned")),
        pytest.approx((20 / RATE, 21 / RATE, "dark")),
        pytest.approx((48 / RATE, 49 / RATE, NO_FACE_REASON)),  # the camera was away behind it
    ]
    assert curve.at(15 / RATE).reason == "turned"
    near = curve.at(30 / RATE)
    assert (near.value, near.low, near.high, near.reason) == (30, 29, 31, "")
    strip.add(heard(60, said(60, nan), time=60 / RATE + 3))
    assert len(strip.curve("heat", 10.0).gaps) == 3  # no reason, no gap
    assert Strip().curve("heat", 10.0).gaps == []


def test_what_is_said_last_has_its_interval_and_reason() -> None:
    strip = filled(10)
    told = Reading(nan, reason="turned")
    strip.add(heard(10, Finding(0, "warmth", Readings(10, {"heat": told}))))
    assert strip.current("heat").reason == "turned"
    told = Reading(1.0, 0.5, 2.0)
    strip.add(heard(11, Finding(0, "warmth", Readings(11, {"heat": told}))))
    assert strip.current("heat") == told
    strip.add(heard(11 + 1024))  # its place in the memory belongs to another frame
    assert isnan(strip.current("heat").value)
