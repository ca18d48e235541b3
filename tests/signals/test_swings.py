"""Swings run from one turning point to the next, and rest ends them."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import numpy as np
import pytest

from facetrack.formats.encoding import decode, encode
from facetrack.signals.swings import Swing, Swings

RATE = 50.0
TURNS = (0.0, 10.0, -5.0, 2.0, -1.0)  # degrees, half a second apart after a second of rest


def zigzag() -> list[tuple[float, float]]:
    """Times and angles that go straight from turn to turn, and then rest for a second."""
    times = np.arange(round(4 * RATE)) / RATE
    at = 1.0 + 0.5 * np.arange(len(TURNS))
    return list(zip(times.tolist(), np.interp(times, at, TURNS).tolist(), strict=True))


def found(samples: list[tuple[float, float]], swings: Swings) -> list[Swing]:
    return [swing for sample in samples if (swing := swings.update(*sample)[0]) is not None]


def test_each_way_between_turning_points_is_one_swing() -> None:
    swings = found(zigzag(), Swings(3.0, 0.6))
    assert [(s.before, s.after) for s in swings] == list(pairwise(TURNS))
    assert [s.size for s in swings] == [10.0, 15.0, 7.0, 3.0]
    assert [s.stop for s in swings] == pytest.approx([1.5, 2.0, 2.5, 3.0], abs=1e-9)
    assert [s.start for s in swings] == pytest.approx([1.0, 1.5, 2.0, 2.5], abs=1e-9)


def test_a_way_back_that_is_too_short_turns_nothing() -> None:
    """The last turn, of 3 degrees, is none where swings have 4 at least."""
    swings = found(zigzag(), Swings(4.0, 0.6))
    assert [s.after for s in swings] == list(TURNS[1:4])


@pytest.mark.parametrize("size", [2.9, 3.0])
def test_a_swing_has_the_smallest_size_at_least(size: float) -> None:
    swings = Swings(3.0, 0.4)
    assert [swings.update(0.0, 1.0), swings.update(0.1, 1.0 + size)] == [
        (None, True),
        (None, size < 3.0),
    ]
    assert (swings.end() == Swing(0.0, 0.1, 1.0, 4.0)) == (size == 3.0)


@pytest.mark.parametrize("seconds", [0.5, 0.51])
def test_a_movement_is_seen_if_it_is_quick_enough(seconds: float) -> None:
    swings = Swings(3.0, 0.5)
    swings.update(0.0, 0.0)
    assert swings.update(seconds, 3.0)[1] == (seconds > 0.5)


def test_it_begins_where_the_angle_left_its_rest() -> None:
    """Of equally far places the latest, so that rest is not a part of the movement."""
    swings = Swings(3.0, 1.0)
    for time, angle in ((0.0, 5.0), (0.2, 5.0), (0.4, 6.0), (0.6, 8.0)):
        swings.update(time, angle)
    assert swings.end() == Swing(0.2, 0.6, 5.0, 8.0)


def test_rest_ends_a_swing_where_it_came_farthest() -> None:
    swings = Swings(3.0, 0.5)
    answers = [
        swings.update(t, a) for t, a in ((0.0, 0.0), (0.25, -6.0), (0.5, -5.0), (0.75, -5.5))
    ]
    assert answers == [(None, True), (None, False), (None, False), (None, False)]
    assert swings.update(1.0, -5.5) == (Swing(0.0, 0.25, 0.0, -6.0), True)
    assert swings.end() is None
    # and what comes next is measured from where it rests
    swings.update(1.0, -5.5)
    assert swings.update(1.25, -2.5) == (None, False)
    assert swings.end() == Swing(1.0, 1.25, -5.5, -2.5)


def test_the_end_forgets_everything() -> None:
    swings = Swings(3.0, 0.5)
    swings.update(0.0, 0.0)
    assert swings.end() is None
    assert swings.update(0.1, 9.0) == (None, True)  # or it would be a swing of 9 degrees


def test_sines_swing_twice_a_period() -> None:
    samples = [(t / RATE, 8 * math.sin(2 * math.pi * t / RATE)) for t in range(500)]
    swings = found(samples, Swings(3.0, 0.6))
    assert [s.size for s in swings[1:]] == pytest.approx([16.0] * (len(swings) - 1), rel=0.01)
    assert np.diff([s.stop for s in swings]) == pytest.approx(0.5, abs=2 / RATE)
    assert len(swings) == 20  # turning points in ten periods


@pytest.mark.parametrize("cut", range(0, 200, 7))
def test_the_state_goes_through_json_anywhere(cut: int) -> None:
    samples, first = zigzag(), Swings(3.0, 0.6)
    before = found(samples[:cut], first)
    second = decode(Swings, json.loads(json.dumps(encode(first))))
    assert before + found(samples[cut:], second) == found(samples, Swings(3.0, 0.6))
