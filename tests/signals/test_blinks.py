from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facetrack.reading import Event, Readings
from facetrack.signals import Observation
from facetrack.signals.baseline import Baseline
from facetrack.signals.blinks import BLINKS, WARM_UP
from facetrack.signals.eyelids import LONGEST
from tests.signals.conftest import Actor, course

RATES = [15.0, 25.0, 30.0, 60.0]
Acted = Callable[..., Actor]


def constant(value: float, time: float) -> float:
    return value


def events(seen: Sequence[Observation]) -> list[Event]:
    run = BLINKS.start()
    results = [r for one in seen for r in run.update(one)] + list(run.finish())
    return [r for r in results if isinstance(r, Event)]


def apexes(seen: Sequence[Observation], name: str = "blink") -> list[float]:
    return [event.peak for event in events(seen) if event.name == name]


@pytest.mark.parametrize("rate", RATES)
def test_blinks_are_found_where_they_are(actor: Acted, rate: float) -> None:
    times = [0.2, 1.7, 2.1, 3.5, 5.0]
    found = apexes(actor(eyes=course(times), noise=0.1).play(6.0, rate))
    assert found == pytest.approx(times, abs=0.04 + 1 / rate)


@given(st.floats(0.0, 2.0), st.floats(0.45, 0.6), st.sampled_from(RATES))
@settings(max_examples=25, deadline=None)
def test_a_blink_of_any_phase_is_found(
    mean: np.ndarray, begin: float, depth: float, rate: float
) -> None:
    seen = Actor(mean, eyes=course([begin + 1.0], depth=depth, stay=0.07)).play(4.0, rate)
    assert len(apexes(seen)) == 1


def test_it_says_how_deep_and_how_long(actor: Acted) -> None:
    (event,) = events(actor(eyes=course([2.0], depth=0.5, stay=0.08)).play(4.0, 60.0))
    assert event.score == pytest.approx(0.5, abs=0.02)
    assert event.detail["seconds"] == pytest.approx(0.08 + 0.06 / 2 + 0.12 / 2, abs=0.02)
    assert event.detail["depth_left"] == pytest.approx(event.detail["depth_right"], abs=0.01)
    assert event.detail["usual_opening"] == pytest.approx(0.35, abs=0.01)


def test_it_says_how_both_eyes_differ(actor: Acted) -> None:
    eyes, left = course([2.0], depth=0.55), course([2.0], depth=0.35)
    (event,) = events(actor(eyes=eyes, left_eye=left).play(4.0, 60.0))
    assert event.detail["depth_right"] == pytest.approx(0.55, abs=0.02)
    assert event.detail["depth_left"] == pytest.approx(0.35, abs=0.02)


def test_a_wink_is_no_blink(actor: Acted) -> None:
    seen = actor(eyes=course([2.0], depth=0.8), left_eye=lambda t: 0.35).play(4.0)
    assert events(seen) == []


def test_long_closures_are_closed_eyes(actor: Acted) -> None:
    seen = actor(eyes=course([2.0], depth=0.55, stay=LONGEST + 0.3)).play(5.0)
    (event,) = events(seen)
    assert event.name == "eyes_closed"
    assert event.stop - event.start == pytest.approx(LONGEST + 0.3 + 0.09, abs=0.1)


def test_eyes_that_stay_closed_fill_no_memory_and_end(actor: Acted) -> None:
    asleep = actor(eyes=lambda t: 0.15 - 0.0002 * t if 2 <= t < 92 else 0.35, noise=0.1)
    run = BLINKS.start()
    found: list[Event] = []
    for one in asleep.play(95.0):
        found += [r for r in run.update(one) if isinstance(r, Event)]
        assert one.index % 100 or len(str(run.state())) < 20_000
    (event,) = found
    assert event.name == "eyes_closed"
    assert (event.start, event.stop) == pytest.approx((2.0, 92.0), abs=0.1)


def test_a_blink_is_told_when_the_eyes_are_open_again_however_long_they_stayed(
    actor: Acted,
) -> None:
    """Flat while closed, from 2.0 s for a quarter of a second: the first frame is the deepest."""
    run = BLINKS.start()
    seen = actor(eyes=lambda t: 0.15 if 1.99 < t < 2.25 else 0.35).play(4.0)
    told = [one.timestamp for one in seen if any(isinstance(r, Event) for r in run.update(one))]
    assert told == pytest.approx([2.32], abs=0.01)  # open at 2.28 s, and one frame more


def test_eyes_without_any_height_are_no_fault(actor: Acted) -> None:
    run = BLINKS.start()
    results = [r for one in actor(eyes=lambda t: 0.0).play(3.0) for r in run.update(one)]
    reasons = {r.values["eye_openness"].reason for r in results if isinstance(r, Readings)}
    assert reasons == {"the eyes never opened"}


def narrowed(by: float) -> Callable[[float], float]:
    """Eyes that narrow slowly and open again, over and over."""
    return lambda t: 0.35 - by * (math.sin(max(t - 2, 0)) ** 2)


NO_BLINKS = {
    "a smile narrows the eyes": lambda t: 0.35 - 0.1 * min(max((t - 2) / 0.8, 0), 1),
    "slowly to and fro": narrowed(0.08),
    "wide open": lambda t: 0.35 + 0.1 * min(max((t - 2) / 0.5, 0), 1),
    "looks down at once, and stays so": lambda t: 0.35 if t < 2 else 0.28,
    "narrow eyes": lambda t: 0.22,
}


@pytest.mark.parametrize("usual", NO_BLINKS.values(), ids=NO_BLINKS.keys())
def test_other_movements_of_the_lids_are_no_blinks_and_hide_none(
    actor: Acted, usual: Callable[[float], float]
) -> None:
    assert events(actor(eyes=usual, noise=0.1).play(8.0)) == []
    times = [3.6, 5.5]
    found = apexes(actor(eyes=course(times, usual=usual), noise=0.1).play(8.0))
    assert found == pytest.approx(times, abs=0.09)


def test_lids_that_fall_slowly_are_not_closed(actor: Acted) -> None:
    assert events(actor(eyes=narrowed(0.13), noise=0.1).play(8.0)) == []


def test_a_single_frame_at_thirty_a_second_is_no_blink(actor: Acted) -> None:
    flicker = actor(eyes=lambda t: 0.2 if abs(t - 2.0) < 0.01 else 0.35)
    assert events(flicker.play(4.0, 30.0)) == []


def test_lids_that_flutter_close_once(actor: Acted) -> None:
    def flutter(t: float) -> float:
        return 0.35 if not 2 < t < 2.4 else (0.18 if round(t * 30) % 3 else 0.27)

    assert len(events(actor(eyes=flutter).play(4.0, 30.0))) == 1


@pytest.mark.parametrize("rate", RATES)
def test_delays_are_short(actor: Acted, rate: float) -> None:
    times = [0.1, 0.6, 1.6, 2.2, 2.9, 4.0]
    run = BLINKS.start()
    told = []
    for one in actor(eyes=course(times)).play(6.0, rate):
        for result in run.update(one):
            if isinstance(result, Event):
                told.append((result.start, one.timestamp - result.stop))
    assert len(told) == len(times)
    assert all(delay <= (2.0 if start < 1 else 0.3) for start, delay in told)


def test_the_nearer_eye_counts_when_the_head_is_turned(actor: Acted) -> None:
    half = actor(eyes=course([2.0]), left_eye=lambda t: 0.35, yaw=lambda t: -40.0).play(4.0)
    assert len(apexes(half)) == 0  # the other eye is open: a wink, as far as it can be seen
    both = actor(eyes=course([2.0]), yaw=lambda t: -40.0).play(4.0)
    assert len(apexes(both)) == 1
    run = BLINKS.start()
    results = [r for one in half for r in run.update(one) if isinstance(r, Readings)]
    assert min(r.values["eye_openness"].value for r in results) == pytest.approx(0.5, abs=0.02)


def test_a_profile_is_not_judged(actor: Acted) -> None:
    run = BLINKS.start()
    seen = actor(eyes=course([2.0]), yaw=lambda t: 70.0).play(4.0)
    results = [r for one in seen for r in run.update(one)]
    reasons = {r.values["eye_openness"].reason for r in results if isinstance(r, Readings)}
    assert reasons == {"the head is turned too far to see the eyes"}
    assert not any(isinstance(r, Event) for r in results)


def test_openness_is_relative_to_the_person(actor: Acted) -> None:
    for opening in (0.22, 0.4):
        run = BLINKS.start()
        eyes = course([3.0], stay=0.2, usual=partial(constant, opening))
        seen = actor(eyes=eyes).play(4.0)
        values = {
            r.frame: r.values["eye_openness"].value
            for one in seen
            for r in run.update(one)
            if isinstance(r, Readings)
        }
        assert values[25] == pytest.approx(1.0, abs=0.02)
        assert values[78] == pytest.approx(0.5, abs=0.02)


def test_the_first_frames_wait_until_the_open_eyes_are_known(actor: Acted) -> None:
    run = BLINKS.start()
    seen = actor().play(3.0)
    first = next(one for one in seen if run.update(one))
    assert first.timestamp == pytest.approx(WARM_UP, abs=0.05)


@given(
    st.lists(st.tuples(st.floats(0.001, 1.0), st.floats(-10, 10)), min_size=1, max_size=60),
    st.floats(0.1, 5.0),
)
def test_the_baseline_is_a_percentile_of_the_last_seconds(
    steps: list[tuple[float, float]], seconds: float
) -> None:
    baseline, time = Baseline(seconds, 0.8), 0.0
    samples: list[tuple[float, float]] = []
    assert math.isnan(baseline.value)
    for step, value in steps:
        time += step
        samples = [s for s in [*samples, (time, value)] if s[0] >= time - seconds]
        baseline.add(time, value)
        known = sorted(v for _, v in samples)
        assert baseline.value == known[min(int(0.8 * len(known)), len(known) - 1)]
