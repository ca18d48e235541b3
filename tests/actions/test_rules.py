"""Smiles, raised brows and open mouths by rules on channels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from facetrack.actions.rules import AHEAD, RULES, Rules
from facetrack.reading import Event, Reading, Readings
from facetrack.signals.episodes import LONGEST

RATE = 25
CHANNELS = [channel for rule in RULES.values() for channel in rule.channels]


class Said:
    """Stands for the run of the expression estimator; what it says is set by the test."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}

    def update(self, seen: Any) -> tuple[Readings]:
        return (Readings(seen.index, {name: Reading(v) for name, v in self.values.items()}),)


def run_of() -> tuple[Any, Said]:
    said = Said()
    specs = tuple(SimpleNamespace(name=channel) for channel in CHANNELS)
    expression: Any = SimpleNamespace(specs=specs, version="1", start=lambda: said)
    return Rules(expression).start(), said


def play(frames: Mapping[str, list[float]]) -> list[Event]:
    """Run over frames of channels; those that are not named stay at 0.1."""
    run, said = run_of()
    found: list[Any] = []
    for index in range(len(next(iter(frames.values())))):
        said.values = {c: frames.get(c, [0.1] * (index + 1))[index] for c in CHANNELS}
        found += run.update(SimpleNamespace(index=index, timestamp=index / RATE))
        if index % 40 == 17:  # stop and go on
            again, said = run_of()
            again.restore(json.loads(json.dumps(run.state())))
            run = again
    return [*found, *run.finish()]


def raised(by: float, start: int, stop: int, length: int = 200) -> list[float]:
    return [0.1 + by * (start <= index <= stop) for index in range(length)]


def both(values: list[float]) -> dict[str, list[float]]:
    return {"mouthSmileLeft": values, "mouthSmileRight": values}


def test_a_raised_channel_is_an_event() -> None:
    (event,) = play(both(raised(0.4, 80, 99)))
    assert (event.name, event.start, event.stop) == ("smile", 80 / RATE, 99 / RATE)
    assert event.score == pytest.approx(0.4, abs=0.01)
    assert event.detail["cues"] == {"mouthSmileLeft": 0.5, "mouthSmileRight": 0.5}


@pytest.mark.parametrize("name", RULES)
def test_each_rule_has_its_level(name: str) -> None:
    rule = RULES[name]
    for by, expected in ((rule.level - 0.02, []), (rule.level + 0.02, [name])):
        values = raised(by, 80, 99)
        assert [e.name for e in play(dict.fromkeys(rule.channels, values))] == expected


def test_an_action_in_the_first_frames_is_found() -> None:
    (event,) = play(both(raised(0.4, 0, 10)))
    assert event.start == 0


def test_an_action_is_told_when_what_follows_is_known() -> None:
    run, said = run_of()
    told = None
    for index, value in enumerate(raised(0.4, 80, 99, 800)):
        said.values = dict.fromkeys(CHANNELS, value)
        if run.update(SimpleNamespace(index=index, timestamp=index / RATE)):
            told = index / RATE
            break
    assert told is not None
    assert 0 < told - 99 / RATE - AHEAD < 0.5


def test_too_short_is_none_and_short_gaps_are_joined() -> None:
    assert play(both(raised(0.4, 80, 81))) == []
    gap = [a + b - 0.1 for a, b in zip(raised(0.4, 80, 85), raised(0.4, 89, 94), strict=True)]
    (event,) = play(both(gap))
    assert (event.start, event.stop) == (80 / RATE, 94 / RATE)


def test_half_a_smile_counts_half() -> None:
    assert play({"mouthSmileLeft": raised(0.4, 80, 99)}) == []
    assert play({"mouthSmileLeft": raised(0.6, 80, 99)}) != []


def test_an_action_that_lasts_is_one_and_becomes_usual() -> None:
    (event,) = play(both(raised(0.4, 500, 999, 1500)))
    assert (event.start, event.stop) == (500 / RATE, 999 / RATE)
    (event,) = play(both(raised(0.4, 500, 2499, 2500)))
    assert event.stop - event.start == pytest.approx(LONGEST, abs=0.1)


def test_a_face_that_is_seldom_at_rest_shows_nothing() -> None:
    talking = [0.1 + 0.4 * (index % 50 >= 20) for index in range(1000)]
    assert play({"jawOpen": talking}) == []


def test_what_cannot_be_said_is_no_action() -> None:
    frames = both(raised(0.4, 80, 99))
    frames["mouthSmileLeft"] = [float("nan")] * 200
    assert play(frames) == []
