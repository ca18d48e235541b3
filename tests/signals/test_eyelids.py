"""A closure of the lids: what is kept of it, and how long it lasts between frames."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from facetrack.face import Face, Pose, State, read_only_points
from facetrack.reading import Event
from facetrack.signals import Observation
from facetrack.signals.eyelids import Closure, Sample, _seconds, judge, measure

STEP = 0.04  # seconds


def sample(time: float, both: float) -> Sample:
    return Sample(0, time, both, both, both, closed=0.0)


def triangle(times: np.ndarray) -> np.ndarray:
    """Eyes that are open by 0.4, fall from 0.2 s on, are shut at 0.4 s, and open until 0.8 s."""
    return np.asarray(np.interp(times, [0.2, 0.4, 0.8], [0.4, 0.0, 0.4]))


def closed(times: np.ndarray) -> Closure:
    samples = [sample(t, v) for t, v in zip(times.tolist(), triangle(times), strict=True)]
    lowest = min(samples, key=lambda one: one.both)
    return Closure(0.4, 0.4, samples, lowest, lowest, lowest)


@pytest.mark.parametrize("level", [0.1, 0.15, 0.25, 0.33])
@pytest.mark.parametrize("offset", [0.0, 0.01, 0.03])
def test_the_seconds_below_a_level_do_not_depend_on_the_frames(level: float, offset: float) -> None:
    """Two straight flanks: the way down takes 0.2 s, the way up 0.4 s."""
    closure = closed(np.arange(0, 1, STEP) + offset)
    assert _seconds(closure, level) == pytest.approx(level / 0.4 * 0.6, abs=0.012)
    if offset == 0.0:  # a frame lies on the apex: exact
        assert _seconds(closure, level) == pytest.approx(level / 0.4 * 0.6)


def test_without_frames_beside_it_a_closure_lasts_as_long_as_it_was_seen() -> None:
    closure = closed(np.arange(0.3, 0.6, 0.1))  # 0.3, 0.4, 0.5: all below a half of the way
    assert _seconds(closure, 0.21) == pytest.approx(0.2)


def test_the_first_sample_counts_as_a_neighbour() -> None:
    closure = closed(np.array([0.2, 0.4, 0.8]))  # open, shut, open
    assert _seconds(closure, 0.2) == pytest.approx(0.1 + 0.2)


def test_lids_that_stay_closed_are_thinned_but_for_what_marks_them() -> None:
    closure = Closure.begin(0.4, 0.4, [sample(0.0, 0.4), sample(0.1, 0.05)])
    apex = closure.apex
    for number in range(2, 3000):
        closure.add(sample(number / 10, 0.06))
    assert len(closure.samples) < 300
    assert closure.samples[0].time == 0.0
    assert closure.samples[1] is apex
    times = [one.time for one in closure.samples]
    assert times == sorted(times)
    assert times[-1] == 299.9
    # what goes is the middle: the fall and the last moments stay whole
    ends = len(times) // 2 - 2
    assert np.diff(times[:ends]).max() == pytest.approx(0.1)
    assert np.diff(times[-ends:]).max() == pytest.approx(0.1)


def test_what_is_kept_of_a_closure_is_two_seconds() -> None:
    closure = Closure.begin(0.4, 0.4, [sample(0.0, 0.1)])
    for number in range(1, 9):
        closure.add(sample(number / 4, 0.2))
    assert len(closure.samples) == 9  # two seconds, whole
    closure.add(sample(2.25, 0.2))
    assert [one.time for one in closure.samples] == [0, 0.25, 0.5, 0.75, 1, 1.5, 1.75, 2, 2.25]


def test_the_levels_of_a_closure_are_shares_of_the_open_eye() -> None:
    deep, dip = (Sample(0, 0.0, v, v, v, closed=0.7) for v in (0.2, 0.9))
    closure = Closure(1.0, 1.0, [deep, dip], deep, deep, deep)
    assert closure.level == pytest.approx(0.6)
    assert closure.rise == pytest.approx(0.08)
    closure.dip = dip
    assert closure.rise == pytest.approx(0.05)  # a dip that is no deeper rises by half of it
    assert closure.limit == 0.65
    assert closure.shut
    assert [closure.may_be_closed(sample(0.0, v)) for v in (0.0, 0.01)] == [True, False]
    for opening, may in ((0.65, True), (0.66, False)):
        assert closure.may_be_closed(deep._replace(both=opening)) == may
    for crest, ajar in ((0.5, True), (0.51, False)):
        closure.crest = crest
        assert closure.ajar == ajar
    closure.apex = deep._replace(both=0.5)
    assert closure.shut
    closure.apex = deep._replace(both=0.51)
    assert not closure.shut
    assert not closure.ajar


def well(
    depth: float,
    seconds: float,
    *,
    fall: float = 0.0,
    before: float = 1.0,
    closed: float = 1.0,
    left: float | None = None,
) -> Event | None:
    """Judge eyes that are open by 1, fall by a depth, and are below the half of it for so long."""
    step, bottom = 0.01, before - depth
    times = [-fall - 0.02, -fall - 0.01, *(step * k for k in range(round(seconds / step)))]
    values = [before, before] + [bottom] * round(seconds / step)
    if fall:
        way = np.arange(-fall, 0, step)
        times[2:2] = way.tolist()
        values[2:2] = np.interp(way, [-fall, 0], [before, bottom]).tolist()
    times.append(times[-1] + step)
    values.append(before)
    samples = []
    for time, value in zip(times, values, strict=True):
        other = value if left is None else 1 - left * (1 - value)
        samples.append(Sample(0, time, value, other, value, closed))
    deepest = next(one for one in samples if one.both == bottom)
    last = [one for one in samples if one.both == bottom][-1]
    return judge(Closure(before, 1.0, samples, deepest, last, deepest))


def test_a_closure_says_when_how_deep_and_how_long() -> None:
    event = well(0.8, 0.2)
    assert event is not None
    assert event.name == "blink"
    assert (event.start, event.peak, event.stop) == pytest.approx((0.0, 0.06, 0.19))
    assert event.score == pytest.approx(0.8)
    assert event.detail == pytest.approx(
        {"seconds": 0.2, "depth_right": 0.8, "depth_left": 0.8, "usual_opening": 1.0}
    )


# what is judged, and its name if it is an event
JUDGED: dict[str, tuple[Callable[[], Event | None], str | None]] = {
    "narrowed by just enough": (partial(well, 0.35, 0.2), "blink"),
    "not narrowed enough": (partial(well, 0.34, 0.2), None),
    "closed enough whoever it is": (partial(well, 0.8, 0.2, closed=0.21), "blink"),
    "not closed enough whoever it is": (partial(well, 0.8, 0.2, closed=0.19), None),
    "not open before": (partial(well, 0.6, 0.2, before=0.69), None),
    "just open before": (partial(well, 0.6, 0.2, before=0.7), "blink"),
    "too short": (partial(well, 0.8, 0.04), None),
    "just long enough": (partial(well, 0.8, 0.06), "blink"),
    "narrowed for the time of a blink": (partial(well, 0.45, 0.39), "blink"),
    "narrowed for longer": (partial(well, 0.45, 0.42), None),
    "shut for longer": (partial(well, 0.5, 0.42), "blink"),
    "shut for the longest time of a blink": (partial(well, 0.8, 0.59), "blink"),
    "shut for longer than a blink": (partial(well, 0.8, 0.61), "eyes_closed"),
    "one eye less": (partial(well, 0.8, 0.2, left=0.32), "blink"),
    "a wink": (partial(well, 0.8, 0.2, left=0.28), None),
    "falls within a third of a second": (partial(well, 0.8, 0.2, fall=0.8), "blink"),
    "falls slowly": (partial(well, 0.8, 0.2, fall=0.95), None),
}


@pytest.mark.parametrize(("judged", "name"), JUDGED.values(), ids=JUDGED.keys())
def test_a_closure_is_judged_by_its_depth_and_its_time(
    judged: Callable[[], Event | None], name: str | None
) -> None:
    event = judged()
    assert (event.name if event is not None else None) == name


def observed(*, yaw: float = 0.0, width: float = 100.0) -> Observation:
    """Eyes that are open by 0.3 (right) and 0.4, of a face that is so wide between its corners."""
    points = np.zeros((68, 2))
    points[[36, 39, 42, 45], 0] = 0, width / 4, 3 * width / 4, width
    for upper, lower, opening in (((37, 38), (41, 40), 0.3), ((43, 44), (47, 46), 0.4)):
        points[list(upper), 1] = -opening * width / 8
        points[list(lower), 1] = opening * width / 8
    shape = read_only_points(points)
    pose = Pose((0.0, np.radians(yaw), 0.0), (0.0, 0.0, 500.0))
    return Observation(7, 0.25, Face(0, State.TRACKED, "", shape, shape, 0.9, pose))


@pytest.mark.parametrize(
    ("yaw", "both"), [(0, 0.35), (29.9, 0.35), (30.1, 0.4), (-29.9, 0.35), (-30.1, 0.3)]
)
def test_the_eye_that_is_nearer_counts(yaw: float, both: float) -> None:
    found, reason = measure(observed(yaw=yaw))
    assert reason == ""
    assert found is not None
    assert (found.frame, found.time, found.closed) == (7, 0.25, 0.275)
    assert (found.right, found.left, found.both) == pytest.approx((0.3, 0.4, both))


@pytest.mark.parametrize("side", [-1, 1])
def test_beyond_fifty_five_degrees_no_eye_counts(side: int) -> None:
    assert measure(observed(yaw=side * 54.9))[0] is not None
    found, reason = measure(observed(yaw=side * 55.1))
    assert found is None
    assert reason == "the head is turned too far to see the eyes"


def test_lids_of_a_small_face_are_not_followed_all_the_way() -> None:
    limits = [measure(observed(width=width))[0] for width in (99.0, 100.0)]
    assert [one and one.closed for one in limits] == [0.3, 0.275]
