from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest

from facetrack.reading import Event, Readings
from facetrack.signals import Observation
from facetrack.signals.head import HEAD
from tests.signals.conftest import Actor

Acted = Callable[..., Actor]
RATES = [15.0, 25.0, 30.0, 60.0]


def events(seen: Sequence[Observation]) -> list[Event]:
    run = HEAD.start()
    results = [r for one in seen for r in run.update(one)] + list(run.finish())
    return [r for r in results if isinstance(r, Event)]


def swing(size: float, hertz: float, start: float, times: float) -> Callable[[float], float]:
    """An angle that goes to and fro, beginning and ending at 0."""

    def angle(t: float) -> float:
        phase = (t - start) * hertz
        return size * math.sin(2 * math.pi * phase) if 0 <= phase <= times else 0.0

    return angle


@pytest.mark.parametrize("rate", RATES)
def test_nods_are_found(actor: Acted, rate: float) -> None:
    (nod,) = events(actor(pitch=swing(7, 1.5, 2.0, 2)).play(6.0, rate))
    assert nod.name == "nod"
    assert nod.start == pytest.approx(2.0, abs=0.25)
    assert nod.stop == pytest.approx(3.3, abs=0.35)
    assert nod.detail["swings"] >= 4


@pytest.mark.parametrize("rate", RATES)
def test_shakes_are_found(actor: Acted, rate: float) -> None:
    (shake,) = events(actor(yaw=swing(7, 1.5, 2.0, 2)).play(6.0, rate))
    assert shake.name == "shake"


def test_one_movement_down_is_no_nod_and_one_turn_no_shake(actor: Acted) -> None:
    down = actor(pitch=lambda t: 12 * min(max(4 * (t - 2), 0), 1)).play(6.0)
    assert events(down) == []
    turned = events(actor(yaw=lambda t: 12 * min(max(4 * (t - 2), 0), 1)).play(6.0))
    assert turned == []


def test_slow_and_small_movements_are_nothing(actor: Acted) -> None:
    assert events(actor(pitch=swing(8, 0.2, 1.0, 1)).play(8.0)) == []
    assert events(actor(pitch=swing(1.5, 2, 1.0, 4), yaw=swing(2, 2, 1.0, 4)).play(6.0)) == []


def test_a_roll_of_both_angles_is_neither(actor: Acted) -> None:
    both = actor(pitch=swing(7, 1.5, 2.0, 2), yaw=swing(7, 1.5, 2.0, 2)).play(6.0)
    assert events(both) == []


def test_turns_say_from_where_to_where(actor: Acted) -> None:
    there_and_back = actor(yaw=lambda t: 30 * min(max(t - 2, 0), 1) - 30 * min(max(t - 5, 0), 1))
    there, back = events(there_and_back.play(9.0))
    assert [there.name, back.name] == ["turn", "turn"]
    assert there.score == pytest.approx(30, abs=1.5)
    assert back.score == pytest.approx(-30, abs=1.5)
    assert (there.detail["from"], there.detail["to"]) == pytest.approx((0, 30), abs=1.5)


def test_angles_and_speed_are_what_was_played(actor: Acted) -> None:
    run = HEAD.start()
    seen = actor(yaw=lambda t: 20 * t - 20, pitch=lambda t: -5.0).play(2.0)
    values = [r.values for one in seen for r in run.update(one) if isinstance(r, Readings)]
    assert values[25]["pose_yaw"].value == pytest.approx(0.0, abs=1e-9)
    assert values[25]["pose_pitch"].value == pytest.approx(-5.0)
    assert values[25]["head_speed"].value == pytest.approx(20.0)
    assert values[2]["head_speed"].reason == "seen for less than 0.2 s"


def test_a_gap_ends_a_movement(actor: Acted) -> None:
    seen = actor(pitch=swing(7, 1.5, 2.0, 2), lost=[(2.3, 3.1)]).play(6.0)
    assert events(seen) == []


def test_a_turn_is_told_when_the_head_rests(actor: Acted) -> None:
    run = HEAD.start()
    for one in actor(yaw=lambda t: 30 * min(max(t - 2, 0), 1)).play(9.0):
        told = [r for r in run.update(one) if isinstance(r, Event)]
        if told:
            break
    assert [event.name for event in told] == ["turn"]
    assert one.timestamp == pytest.approx(4.0, abs=0.2)
