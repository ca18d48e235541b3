"""A run goes on where another one stood, at any moment of a closure or a movement."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from facetrack.formats.encoding import decode, encode
from facetrack.signals import Estimator, Observation
from facetrack.signals.baseline import Baseline
from facetrack.signals.blinks import BLINKS
from facetrack.signals.estimator import Result, Run
from facetrack.signals.head import HEAD
from tests.signals.conftest import Actor, course


@pytest.fixture(scope="module")
def seen(mean: np.ndarray) -> list[Observation]:
    """Blinks, lids that flutter, a long closure, a nod, a shake, a turn, and a gap."""
    eyes = course([0.5, 1.6, 1.72, 3.6], stay=0.05)
    actor = Actor(
        mean,
        eyes=lambda t: 0.14 if 2.2 < t < 3.1 else eyes(t),
        pitch=lambda t: 8 * math.sin(2 * math.pi * 1.6 * t) if 1 < t < 2.25 else 0.0,
        yaw=lambda t: 9 * math.sin(2 * math.pi * 1.6 * t) if 3 < t < 4.25 else 30 * (t > 5),
        lost=[(4.5, 4.9)],
    )
    return actor.play(6.0)


def told(run: Run, seen: list[Observation]) -> list[Result]:
    return [result for one in seen for result in run.update(one)]


@pytest.mark.parametrize("estimator", [BLINKS, HEAD], ids=["blinks", "head"])
def test_the_state_goes_through_json_anywhere(
    estimator: Estimator, seen: list[Observation]
) -> None:
    whole = estimator.start()
    expected = repr([*told(whole, seen), *whole.finish()])
    for cut in range(1, len(seen), 4):
        first, second = estimator.start(), estimator.start()
        before = told(first, seen[:cut])
        second.restore(json.loads(json.dumps(first.state(), allow_nan=False)))
        found = [*before, *told(second, seen[cut:]), *second.finish()]
        assert repr(found) == expected  # NaN is not NaN, but is written alike


def test_a_baseline_goes_on_where_one_stood() -> None:
    samples = [(0.1 * n, float((7 * n) % 11)) for n in range(40)]
    first = Baseline(1.0, 0.8)
    for time, value in samples[:20]:
        first.add(time, value)
    second = decode(Baseline, json.loads(json.dumps(encode(first))))
    for time, value in samples[20:]:
        assert second.value == first.value
        for baseline in (first, second):
            baseline.add(time, value)


def test_a_percentile_of_all_is_the_largest() -> None:
    baseline = Baseline(1.0, 1.0)
    for number in range(3):
        baseline.add(0.1 * number, float(number))
    assert baseline.value == 2.0
