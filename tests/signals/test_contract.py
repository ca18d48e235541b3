"""What holds for every estimator, whoever wrote it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facetrack.reading import Event, Finding, Kind, Readings
from facetrack.signals import Choice, Estimator, Observation, Pipeline, estimators
from tests.signals.conftest import Actor, course

RATES = [15.0, 25.0, 29.97, 60.0]
DOCS = Path(__file__).resolve().parents[2] / "docs" / "signals.md"


def documented() -> Estimator:
    """The estimator that the page on signals shows."""
    (code,) = re.findall(r"```python\n(from dataclasses.*?)```", DOCS.read_text("utf-8"), re.S)
    names: dict[str, Any] = {}
    exec(code, names)
    made: Estimator = names["ESTIMATOR"]
    return made


ALL = [*estimators().values(), documented()]


@pytest.fixture(params=ALL, ids=lambda e: e.name, scope="module")
def estimator(request: pytest.FixtureRequest) -> Estimator:
    chosen: Estimator = request.param
    return chosen


def alone(estimator: Estimator) -> Choice:
    return Choice((estimator,), frozenset(spec.name for spec in estimator.specs))


def lively(mean: np.ndarray) -> Actor:
    """A person who blinks, nods, turns, and is covered for a while."""
    return Actor(
        mean,
        eyes=course([0.3, 1.9, 2.3, 4.1, 7.0], stay=0.05),
        pitch=lambda t: 8 * math.sin(2 * math.pi * 1.6 * t) if 3 < t < 4.25 else 0.0,
        yaw=lambda t: 30 * min(max(t - 5, 0), 1),
        noise=0.15,
        lost=[(6.0, 6.5)],
    )


def run(estimator: Estimator, seen: Sequence[Observation]) -> list[Finding]:
    pipeline = Pipeline(alone(estimator))
    found = [finding for one in seen for finding in pipeline.look([one])]
    assert not pipeline.faults
    return found + pipeline.finish()


def as_text(findings: Sequence[Finding]) -> list[str]:
    """Findings as they print: NaN equals NaN there."""
    return [repr(finding) for finding in findings]


def test_its_description_is_complete(estimator: Estimator) -> None:
    assert estimator.name.isidentifier()
    assert estimator.version
    assert estimator.delay >= 0
    assert estimator.frame_rate is None or estimator.frame_rate > 0
    assert all(spec.meaning and not spec.meaning.endswith(".") for spec in estimator.specs)


@pytest.mark.parametrize("rate", RATES)
def test_every_frame_gets_one_reading_of_every_value(
    estimator: Estimator, mean: np.ndarray, rate: float
) -> None:
    seen = lively(mean).play(8.0, rate)
    readings: dict[tuple[int, str], int] = {}
    for finding in run(estimator, seen):
        if isinstance(finding.result, Readings):
            for name, reading in finding.result.values.items():
                key = finding.result.frame, name
                readings[key] = readings.get(key, 0) + 1
                assert math.isnan(reading.value) == bool(reading.reason)
    values = [spec.name for spec in estimator.specs if spec.kind != Kind.EVENT]
    assert readings == {(one.index, name): 1 for one in seen for name in values}


@pytest.mark.parametrize("rate", RATES)
def test_results_are_certain_within_the_delay(
    estimator: Estimator, mean: np.ndarray, rate: float
) -> None:
    pipeline = Pipeline(alone(estimator))
    for one in lively(mean).play(8.0, rate):
        for finding in pipeline.look([one]):
            result = finding.result
            if isinstance(result, Event):
                assert 0 <= result.start <= result.peak <= result.stop <= one.timestamp
                assert one.timestamp - result.stop <= estimator.delay + 1 / rate
                assert any(spec.name == result.name for spec in estimator.specs)
                json.dumps(dict(result.detail), allow_nan=False)
            else:
                late = (one.index - result.frame) / rate
                assert late <= estimator.delay + 1 / rate


@given(cut=st.integers(0, 8 * 25))
@settings(max_examples=12, deadline=None)
def test_a_restored_run_goes_on_as_if_nothing_had_happened(
    estimator: Estimator, mean: np.ndarray, cut: int
) -> None:
    seen = lively(mean).play(8.0)
    pipeline = Pipeline(alone(estimator))
    found = [finding for one in seen[:cut] for finding in pipeline.look([one])]
    state = json.loads(json.dumps(pipeline.state(), allow_nan=False))
    again = Pipeline(alone(estimator))
    again.restore(state)
    found += [finding for one in seen[cut:] for finding in again.look([one])]
    assert as_text(found + again.finish()) == as_text(run(estimator, seen))


def test_only_an_estimator_that_needs_pixels_misses_them(
    estimator: Estimator, mean: np.ndarray
) -> None:
    seen = lively(mean).play(3.0)
    blind = as_text(run(estimator, [replace(one, frame=None) for one in seen]))
    alike = blind == as_text(run(estimator, seen))
    assert alike == (not estimator.needs_pixels) or not blind  # of no event the pixels are unseen


def test_other_faces_change_nothing(estimator: Estimator, mean: np.ndarray) -> None:
    seen = lively(mean).play(8.0)
    others = Actor(mean, id=1, eyes=course([1.0, 5.0]), noise=0.3, seed=4).play(8.0)
    pipeline = Pipeline(alone(estimator))
    found = [f for pair in zip(seen, others, strict=True) for f in pipeline.look(pair)]
    mine = [f for f in found + pipeline.finish() if f.face_id == 0]
    assert as_text(mine) == as_text(run(estimator, seen))


def test_frames_without_the_face_are_survived(estimator: Estimator, mean: np.ndarray) -> None:
    seen = [one for one in lively(mean).play(8.0) if not 2.0 <= one.timestamp < 3.0]
    frames = {f.result.frame for f in run(estimator, seen) if isinstance(f.result, Readings)}
    assert frames <= {one.index for one in seen}


@pytest.mark.parametrize("points", [slice(None), 37, slice(48, 68)])
def test_unknown_points_are_no_fault(
    estimator: Estimator, mean: np.ndarray, points: slice | int
) -> None:
    broken = mean.copy()
    broken[points] = np.nan
    seen = Actor(broken).play(2.0)
    for finding in run(estimator, seen):
        if isinstance(finding.result, Readings):
            for reading in finding.result.values.values():
                assert math.isnan(reading.value) == bool(reading.reason)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_short_videos_are_no_fault(estimator: Estimator, mean: np.ndarray, n: int) -> None:
    seen = lively(mean).play(1.0)[:n]
    frames = {f.result.frame for f in run(estimator, seen) if isinstance(f.result, Readings)}
    values = any(spec.kind != Kind.EVENT for spec in estimator.specs)
    assert frames == set(range(n if values else 0))


def test_changing_rates_are_no_fault(estimator: Estimator, mean: np.ndarray) -> None:
    slow, fast = lively(mean).play(4.0, 10.0), lively(mean).play(8.0, 60.0)
    both = [*slow, *(one for one in fast if one.timestamp >= 4.0)]
    seen = [Observation(i, one.timestamp, one.face, one.frame) for i, one in enumerate(both)]
    frames = [f.result.frame for f in run(estimator, seen) if isinstance(f.result, Readings)]
    values = any(spec.kind != Kind.EVENT for spec in estimator.specs)
    assert sorted(frames) == list(range(len(seen) if values else 0))


def test_nothing_of_a_face_stays_in_the_estimator(
    estimator: Estimator, mean: np.ndarray, actor: Callable[..., Actor]
) -> None:
    first = as_text(run(estimator, lively(mean).play(4.0)))
    run(estimator, actor(eyes=course([1.0], usual=lambda t: 0.2)).play(4.0))
    assert as_text(run(estimator, lively(mean).play(4.0))) == first


def test_the_page_names_every_signal() -> None:
    page = DOCS.read_text("utf-8")
    for estimator in estimators().values():
        assert f"| `{estimator.name}` |" in page
        for spec in estimator.specs:
            assert spec.name in page or spec.name.endswith("_left")


def test_the_documented_estimator_finds_an_open_mouth(mean: np.ndarray) -> None:
    wide = mean.copy()
    wide[[65, 66, 67], 1] += 0.3 * 80
    seen = Actor(mean).play(4.0)
    open_ = Actor(wide).play(4.0)
    played = [*seen[:25], *open_[25:75], *seen[75:]]
    found = run(documented(), played)
    (event,) = [f.result for f in found if isinstance(f.result, Event)]
    assert event.name == "mouth_open"
    assert (event.start, event.stop) == pytest.approx((1.0, 2.96))
