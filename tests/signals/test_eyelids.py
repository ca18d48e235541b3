"""A closure of the lids: what is kept of it, and how long it lasts between frames."""

from __future__ import annotations

import numpy as np
import pytest

from facetrack.signals.eyelids import Closure, Sample, _seconds

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
