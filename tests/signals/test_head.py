from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from facetrack.face import Face, Pose, State, read_only_points
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


def poses(
    path: Sequence[tuple[float, float, float]], step: float = 0.1, roll: float = 0.0
) -> list[Observation]:
    """A head that goes straight from (time, pitch, yaw) to the next, in degrees."""
    times, pitches, yaws = np.array(path).T
    shape = read_only_points(np.zeros((68, 2)))
    seen = []
    for index, time in enumerate(np.arange(times[0], times[-1] + 1e-6, step).tolist()):
        pitch, yaw = (np.radians(np.interp(time, times, angle)) for angle in (pitches, yaws))
        pose = Pose((float(pitch), float(yaw), math.radians(roll)), (0.0, 0.0, 500.0))
        seen.append(Observation(index, time, Face(0, State.TRACKED, "", shape, shape, 0.9, pose)))
    return seen


def to_and_fro(
    size: float, other: float = 0.0, *, swings: int = 2, seconds: float = 0.3, yaw: bool = False
) -> list[Observation]:
    """An angle that goes down and up again, the other one along, between two seconds of rest."""
    path = [(0.0, 0.0, 0.0), (2.0, 0.0, 0.0)]
    for number in range(1, swings + 1):
        away = number % 2
        path.append((2.0 + seconds * number, away * size, away * other))
    path.append((path[-1][0] + 2.0, *path[-1][1:]))
    return poses([(t, b, a) if yaw else (t, a, b) for t, a, b in path])


GESTURES = {
    "a nod": (to_and_fro(5.1), ["nod"]),
    "a nod that is too small": (to_and_fro(4.9), []),
    "a nod that is half a nod": (to_and_fro(8.0, swings=1), []),
    "a nod along which the head turns little": (to_and_fro(10.0, 7.9), ["nod"]),
    "a nod along which the head turns as much": (to_and_fro(10.0, 8.1), []),
    "a nod of slow swings": (to_and_fro(10.0, seconds=0.6), ["nod"]),
    "a nod of swings that are too slow": (to_and_fro(10.0, seconds=0.8), []),
    "a shake": (to_and_fro(6.1, swings=3, yaw=True), ["shake"]),
    "a shake that is too small": (to_and_fro(5.9, swings=3, yaw=True), []),
    "a shake that is half a shake": (to_and_fro(8.0, yaw=True), []),
    "a shake along which the head nods as much": (to_and_fro(10.0, 8.1, swings=3, yaw=True), []),
}


@pytest.mark.parametrize(("seen", "names"), GESTURES.values(), ids=GESTURES.keys())
def test_gestures_have_a_size_a_number_and_a_time(
    seen: list[Observation], names: list[str]
) -> None:
    assert [event.name for event in events(seen)] == names


def test_a_gesture_says_how_large_and_when() -> None:
    (nod,) = events(to_and_fro(10.0))
    assert (nod.start, nod.peak, nod.stop) == pytest.approx((2.0, 2.3, 2.6))
    assert nod.score == pytest.approx(10.0)
    assert nod.detail == {"swings": 2, "largest": 10.0}


def test_the_size_of_a_gesture_is_the_mean_of_its_swings() -> None:
    path = [(0, 0, 0), (2, 0, 0), (2.3, 12, 0), (2.6, 4, 0), (2.9, 10, 0), (3.1, 0, 0), (5, 0, 0)]
    (nod,) = events(poses(path))
    assert nod.score == pytest.approx((12 + 8 + 6 + 10) / 4)
    assert nod.detail == {"swings": 4, "largest": 12.0}


def test_a_nod_that_does_not_end_is_told_in_pieces() -> None:
    """Four seconds long: seven swings, the eighth turns later."""
    path = [(0.0, 0.0, 0.0)] + [(2 + 0.5 * k, 10.0 * (k % 2), 0.0) for k in range(21)]
    path.append((14.0, 0.0, 0.0))
    nods = events(poses(path))
    assert [nod.detail["swings"] for nod in nods] == [7, 7, 6]
    assert sum(nod.stop - nod.start for nod in nods) == pytest.approx(10.0)


@pytest.mark.parametrize(("size", "count"), [(15.1, 1), (14.9, 0)])
def test_a_turn_is_fifteen_degrees_within_a_second(size: float, count: int) -> None:
    quick = events(poses([(0, 0, 0), (2, 0, 0), (2.9, 0, -size), (5, 0, -size)]))
    assert len(quick) == count
    slow = events(poses([(0, 0, 0), (2, 0, 0), (2 + size / 12, 0, size), (5, 0, size)]))
    assert not slow
    for turn in quick:
        assert (turn.start, turn.peak, turn.stop) == pytest.approx((2.0, 2.45, 2.9))
        assert turn.score == pytest.approx(-size)
        assert turn.detail == {"from": 0.0, "to": -size}


@pytest.mark.parametrize(("gap", "found"), [(0.4, ["turn"]), (0.6, [])])
def test_half_a_second_without_a_pose_ends_what_goes_on(gap: float, found: list[str]) -> None:
    seen = poses([(0, 0, 0), (2.0, 0, 0), (2.8, 0, 16.0), (5, 0, 16.0)], 0.2)
    kept = [one for one in seen if not 2.1 < one.timestamp < 1.9 + gap]
    assert [event.name for event in events(kept)] == found


def test_speed_counts_all_axes_over_a_fifth_of_a_second() -> None:
    run = HEAD.start()
    seen = poses([(0.0, 0.0, 0.0), (2.0, 6.0, -8.0)], roll=3.0)
    values = [r.values for one in seen for r in run.update(one) if isinstance(r, Readings)]
    assert [math.isnan(v["head_speed"].value) for v in values[:3]] == [True, True, False]
    assert values[10]["head_speed"].value == pytest.approx(math.hypot(3.0, 4.0))
    assert values[10]["pose_roll"].value == pytest.approx(3.0)


def test_six_seconds_of_poses_are_remembered() -> None:
    run = HEAD.start()
    for one in poses([(0.0, 0.0, 0.0), (9.0, 0.0, 0.0)], 0.25):
        run.update(one)
    assert [pose[0] for pose in run.state()["_recent"]] == [3.0 + 0.25 * k for k in range(25)]


def test_results_of_a_head_are_certain_when_the_longest_nod_and_a_rest_are_over() -> None:
    assert HEAD.delay == 4.0 + 1.0


def test_a_face_without_a_pose_says_so() -> None:
    (seen,) = poses([(0.0, 0.0, 0.0), (0.05, 0.0, 0.0)])
    faceless = Observation(0, 0.0, dataclasses.replace(seen.face, pose=None))
    (said,) = HEAD.start().update(faceless)
    assert isinstance(said, Readings)
    assert {reading.reason for reading in said.values.values()} == {"the head has no pose"}
