"""Editing, settings, actions, playback, effort, meters: the parts without a file of their own."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facetrack.face import N_POINTS, Face, Source, State
from facetrack.landmarks.markup import MARKUPS
from facetrack_app.model.actions import ACTIONS, conflicts, keys_of
from facetrack_app.model.editing import PARTS, Editor, Reach
from facetrack_app.model.effort import Effort
from facetrack_app.model.live import LatencyMeter, SteadinessMeter, state_in_words
from facetrack_app.model.observable import Observable
from facetrack_app.model.playback import Playback
from facetrack_app.model.rows import TrackRow, known_points
from facetrack_app.model.settings import Settings, load_settings, save_settings
from tests.app.conftest import row, shape


def editor() -> Editor:
    return Editor.of(shape(), np.full(N_POINTS, Source.TRACKED, dtype=np.uint8))


def test_a_drag_of_one_point_moves_one_point() -> None:
    edit = editor()
    edit.grab(30, (0.0, 0.0))
    edit.drag((4.0, -2.0))
    assert edit.release()
    moved = np.flatnonzero(np.abs(edit.points - shape()).max(axis=1))
    assert moved.tolist() == [30]
    assert (edit.points[30] - shape()[30]).tolist() == [4.0, -2.0]
    assert edit.source[30] == Source.CORRECTED
    assert (edit.source == Source.CORRECTED).sum() == 1


@pytest.mark.parametrize("point", [0, 19, 24, 33, 38, 44, 60])
def test_a_region_follows_with_falloff_and_nothing_else(point: int) -> None:
    edit = editor()
    edit.grab(point, (0.0, 0.0), Reach.REGION)
    edit.drag((10.0, 0.0))
    edit.release()
    shifts = (edit.points - shape())[:, 0]
    part = next(p for p in PARTS.values() if point in p)
    assert shifts[point] == pytest.approx(10)
    moved = np.flatnonzero(shifts != 0).tolist()
    assert set(moved) <= set(part)
    assert len(moved) > 3
    assert all(0.5 < shifts[i] < 10 for i in moved if i != point)
    assert (edit.source[shifts >= 5] == Source.CORRECTED).all()
    assert (edit.source[(shifts > 0) & (shifts < 5)] == Source.INTERPOLATED).all()
    assert (edit.source[shifts == 0] == Source.TRACKED).all()
    assert edit.carried == sum(0 < shift < 5 for shift in shifts)


def test_points_of_a_person_that_are_carried_along_stay_the_persons() -> None:
    edit = editor()
    for reach in (Reach.POINT, Reach.REGION):
        edit.grab(60 if reach is Reach.POINT else 62, (0.0, 0.0), reach)
        edit.drag((0.0, 6.0))
        edit.release()
    assert 0 < edit.points[60, 1] - shape()[60, 1] - 6 < 3
    assert edit.source[60] == Source.CORRECTED


def test_a_shape_that_is_a_guess_stays_one_wherever_it_is_put() -> None:
    edit = Editor.of(shape(), np.full(N_POINTS, Source.INTERPOLATED, dtype=np.uint8))
    assert edit.guess
    edit.grab(30, (0.0, 0.0), Reach.SHAPE)
    edit.drag((30.0, 0.0))
    assert edit.release()
    assert edit.guess
    edit.grab(30, (0.0, 0.0))
    edit.drag((3.0, 0.0))
    edit.release()
    assert np.flatnonzero(edit.correction().vouched).tolist() == [30]
    assert not edit.guess


def test_a_hidden_point_that_is_seen_again_is_not_the_persons() -> None:
    edit = editor()
    edit.selected = 30
    edit.toggle_occluded()
    edit.toggle_occluded()
    assert edit.source[30] == Source.INTERPOLATED


def test_the_whole_shape_moves_together_hidden_points_too() -> None:
    edit = editor()
    edit.selected = 5
    assert edit.toggle_occluded()
    edit.grab(30, (0.0, 0.0), Reach.SHAPE)
    edit.drag((3.0, 3.0))
    edit.release()
    np.testing.assert_allclose(edit.points, shape() + 3)
    assert edit.source[5] == Source.OCCLUDED


def test_hidden_points_stay_when_their_region_is_dragged() -> None:
    edit = editor()
    edit.selected = 37
    edit.toggle_occluded()
    edit.grab(38, (0.0, 0.0), Reach.REGION)
    edit.drag((5.0, 0.0))
    edit.release()
    np.testing.assert_array_equal(edit.points[37], shape()[37])


def test_a_drag_can_be_taken_back_and_one_that_moved_nothing_is_none() -> None:
    edit = editor()
    edit.grab(3, (0.0, 0.0))
    edit.drag((9.0, 9.0))
    edit.cancel()
    np.testing.assert_array_equal(edit.points, shape())
    edit.grab(3, (1.0, 1.0))
    assert not edit.release()


def test_points_of_the_markup_are_grabbed_and_walked_through() -> None:
    edit = editor()
    edit.visible = MARKUPS[51]
    assert edit.nearest(tuple(shape()[3]), 0.5) is None
    assert edit.nearest(tuple(shape()[30] + 1), 4) == 30
    assert edit.nearest((-500.0, 0.0), 5) is None
    edit.select_next(1)
    assert edit.selected == 17
    edit.select_next(-1)
    assert edit.selected == 67


def test_absent_points_have_no_place_and_are_not_found() -> None:
    edit = editor()
    assert not edit.mark_absent()
    edit.selected = 30
    assert edit.mark_absent()
    assert not known_points(edit.points)[30]
    assert edit.correction().source[30] == Source.ABSENT
    assert edit.nearest(tuple(shape()[30]), 1.0) is None
    assert not edit.correction().vouched.any()


def test_nudges_move_by_pixels() -> None:
    edit = editor()
    assert not edit.nudge(1, 0)
    edit.selected = 8
    assert edit.nudge(-10, 1)
    np.testing.assert_allclose(edit.points[8], shape()[8] + [-10, 1])


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)
KEYS = st.sampled_from([*asdict(Settings()), "unknown"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=60)
    | st.dictionaries(KEYS, JSON).map(lambda d: json.dumps(d).encode())
)
def test_settings_survive_any_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    loaded, _ = load_settings(path)
    save_settings(path, loaded)
    assert load_settings(path) == (loaded, [])


def test_nonsense_in_settings_is_said_and_the_rest_kept(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"theme": "pink", "smoothing": 0.5}')
    loaded, wrong = load_settings(path)
    assert (loaded.theme, loaded.smoothing) == ("system", 0.5)
    assert wrong == [f"{path}: theme makes no sense; the standard is used"]
    path.write_text('{"keys": {"play": "N"}}')  # N does something else already
    assert load_settings(path) == (
        Settings(), [f"{path}: keys makes no sense; the standard is used"],
    )  # fmt: skip
    path.write_text("{")
    assert "is broken" in load_settings(path)[1][0]
    assert load_settings(tmp_path / "none.json") == (Settings(), [])


def test_actions_are_unique_and_their_keys_too() -> None:
    ids = [action.id for action in ACTIONS]
    assert len(set(ids)) == len(ids)
    assert conflicts({}) == []


def test_a_key_for_two_things_is_named() -> None:
    assert conflicts({"play": "N"}) == ["n: Play or pause and Next doubtful stretch"]
    assert conflicts({"play": ""}) == []
    assert keys_of(ACTIONS[0], {ACTIONS[0].id: "F9"}) == ("F9",)


def test_playing_and_shuttling() -> None:
    play = Playback(10)
    assert not play.go(-3)
    play.shuttle(1)
    play.shuttle(1)
    assert play.speed == 2
    play.shuttle(-1)
    assert play.speed == 0
    play.shuttle(-1)
    assert play.speed == -1
    times = np.array([0.0, 0.1, 0.2, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1])  # a variable rate
    assert play.follow(times, 0.45)
    assert (play.frame, play.speed) == (2, -1)
    assert not play.follow(times, 0.2)
    assert play.follow(times, -0.01)
    assert (play.frame, play.speed) == (0, 0)
    play.shuttle(1)
    play.pace = 0.5
    assert play.rate == 0.5
    play.follow(times, 1.2)
    assert (play.frame, play.speed) == (9, 0)
    play.go(99)
    assert play.frame == 9
    play.toggle()
    assert (play.frame, play.speed) == (0, 1)


def test_breaks_do_not_count_as_work() -> None:
    effort = Effort(10)
    for now in (0.0, 2.0, 100.0, 101.0):
        effort.gesture(now)
    assert effort.seconds == 13
    assert effort.per_minute(120) == 6.5


def face(quality: float = 0.9, *, lost: str = "", shift: float = 0.0) -> Face:
    points = np.full((N_POINTS, 2), np.nan) if lost else shape(shift)
    state = State.LOST if lost else State.TRACKED
    return Face(0, state, lost, points, points, 0.0 if lost else quality, None)


@pytest.mark.parametrize(
    ("faces", "learning", "words"),
    [
        ((), False, ("searching", "searching for a face")),
        ((face(),), False, ("tracking", "tracking")),
        ((face(), face()), False, ("tracking", "tracking 2 faces")),
        ((face(),), True, ("learning", "learning")),
        ((face(0.3),), False, ("unsure", "unsure (quality 0.30)")),
        ((face(lost="left the image"),), False, ("lost", "lost: left the image")),
    ],
)
def test_the_state_is_said_in_words(
    faces: tuple[Face, ...], learning: bool, words: tuple[str, str]
) -> None:
    assert state_in_words(faces, learning=learning) == words


def test_rate_and_latency_are_those_of_the_last_frames() -> None:
    meter = LatencyMeter()
    assert meter.rate == 0
    assert np.isnan(meter.latency())
    for i in range(11):
        meter.add(i * 0.1, i * 0.1 + 0.02)
    assert meter.rate == pytest.approx(10)
    assert meter.latency(95) == pytest.approx(20)


def test_a_still_face_has_no_jitter_and_a_lost_one_none_known() -> None:
    meter = SteadinessMeter()
    for i in range(90):
        meter.add(face(), i / 30)
    raw, smooth, _ = meter.measure()
    assert (raw, smooth) == (0, 0)
    meter.add(face(lost="covered"), 4.0)
    assert np.isnan(meter.measure()).all()


def test_rows_go_through_the_store() -> None:
    made = row(3, 7)
    confidence = np.linspace(0, 1, N_POINTS)
    confidence[5] = np.nan
    made = TrackRow(**{**{f: getattr(made, f) for f in made.__slots__}, "confidence": confidence})
    again = TrackRow.from_row(made.key(), made.values())
    np.testing.assert_allclose(again.points, made.points, atol=1e-4)
    np.testing.assert_allclose(again.confidence, confidence, atol=0.002)
    assert again.values() == made.values()


def test_notices_reach_all_listeners_in_order() -> None:
    heard: list[int] = []
    notice: Observable[[int]] = Observable()
    first = heard.append
    notice.connect(first)
    notice.connect(lambda n: heard.append(10 * n))
    notice(1)
    notice(2)
    assert heard == [1, 10, 2, 20]
