"""Events along a stream, found by a recogniser of one known cue."""

from __future__ import annotations

import json
from itertools import count
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from facetrack.actions import signal
from facetrack.actions.looks import LOOK, RATE
from facetrack.actions.recogniser import WINDOW, Recogniser
from facetrack.actions.timeline import HOP, Action, Timeline
from facetrack.reading import Event

JAW = LOOK.index("jawOpen")


def recogniser() -> Recogniser:
    """Make one by hand: the class's only filter is the opening of the jaw."""
    identity = np.zeros((1, len(LOOK), 1), np.float32)
    identity[0, JAW] = 1.0
    arrays = {
        "average_weight": np.zeros((1, 1)), "average_bias": np.zeros(1),
        "filters_weight": np.full((1, 1), 20.0), "filters_bias": np.full(1, -10.0),
        "readout_weight": np.ones((1, 1)), "readout_bias": np.zeros(1),
    }  # fmt: skip
    return Recogniser(
        "by hand", ("mouth_open",), LOOK, np.ones(len(LOOK), np.float32),
        ((identity, np.zeros(1, np.float32)),),
        {name: array.astype(np.float32) for name, array in arrays.items()},
        {"mouth_open": 0.6}, {"mouth_open": 0.0}, {"offered": ["mouth_open"]},
    )  # fmt: skip


def looks(frames: int, *openings: tuple[int, int], height: float = 1.0) -> np.ndarray:
    values = np.full((frames, len(LOOK)), 0.2)
    for start, stop in openings:
        values[start : stop + 1, JAW] += height
    return values


def follow(values: list[np.ndarray | None] | np.ndarray) -> list[Action]:
    timeline, found = Timeline(recogniser()), list[Action]()
    for one in values:
        found += timeline.add(one)
    return [*found, *timeline.finish()]


def test_events_begin_and_end_where_the_cue_does() -> None:
    found = follow(looks(200, (60, 69), (100, 159)))
    assert [(a.name, a.start, a.stop) for a in found] == [
        ("mouth_open", 60, 69),
        ("mouth_open", 100, 159),
    ]
    assert all(a.start <= a.peak <= a.stop for a in found)
    assert all(a.score > 0.6 for a in found)


def test_events_say_where_on_the_face_they_were_seen() -> None:
    values = looks(120, (60, 69))
    values[60:70, LOOK.index("mouthSmileLeft")] += 2.0  # what no filter looks for
    (event,) = follow(values)
    assert event.cues == {"jawOpen": 1.0}


def test_little_cues_and_single_frames_are_none() -> None:
    assert not follow(looks(120, (60, 69), height=0.3))
    assert not follow(looks(120, (60, 60)))


def test_short_gaps_join_and_longer_ones_part() -> None:
    assert len(follow(looks(140, (60, 69), (73, 80)))) == 1
    assert len(follow(looks(140, (60, 69), (75, 80)))) == 2


def test_a_face_that_leaves_ends_what_is_going_on() -> None:
    values: list[np.ndarray | None] = [*looks(160, (60, 120))]
    values[90:100] = [None] * 10
    found = follow(values)
    assert found
    assert all(not a.start < 95 < a.stop for a in found)


def test_clips_shorter_than_the_window_have_no_events() -> None:
    assert follow(looks(WINDOW - 1, (5, 15))) == []


def test_events_are_certain_in_time_and_survive_a_restart() -> None:
    values = looks(160, (60, 69), (100, 110))
    timeline, told = Timeline(recogniser()), list[tuple[int, Action]]()
    for i, one in enumerate(values):
        if i % 17 == 0:
            state = json.loads(json.dumps(timeline.state(), allow_nan=False))
            timeline = Timeline(recogniser())
            timeline.restore(state)
        told += [(i, action) for action in timeline.add(one)]
    assert [action for _, action in told] == follow(values)
    assert all(i - action.stop <= WINDOW + 2 * HOP for i, action in told)


@pytest.mark.parametrize("rate", [20.0, 25.0, 30.0])
def test_the_estimator_tells_times_of_frames(monkeypatch: pytest.MonkeyPatch, rate: float) -> None:
    openings = (3.0, 3.6)
    times = 1.0 + np.arange(int(6 * rate)) / rate

    def look(seen: Any, encoder: Any) -> tuple[np.ndarray, str]:
        opened = openings[0] <= seen.timestamp <= openings[1]
        return looks(1, *([(0, 0)] if opened else []))[0], ""

    monkeypatch.setattr(signal, "look", look)
    encoder: Any = None
    run, told = signal._ActionRun(Timeline(recogniser()), encoder, frozenset({"mouth_open"})), []
    for index, time in zip(count(), times.tolist(), strict=False):
        seen: Any = SimpleNamespace(index=index, timestamp=time)
        if index % 23 == 5:
            state = json.loads(json.dumps(run.state(), allow_nan=False))
            run = signal._ActionRun(Timeline(recogniser()), encoder, frozenset({"mouth_open"}))
            run.restore(state)
        told += [(time, event) for event in run.update(seen)]
    ((time, event),) = told
    assert isinstance(event, Event)
    assert event.name == "mouth_open"
    assert event.detail == {"cues": {"jawOpen": 1.0}}
    assert abs(event.start - openings[0]) <= 1.5 / min(rate, RATE)
    assert abs(event.stop - openings[1]) <= 1.5 / min(rate, RATE)
    assert {event.start, event.peak, event.stop} <= set(times.tolist())
    assert time - event.stop <= signal.FilterBank().delay
    assert not run.finish()
