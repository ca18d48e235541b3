"""Signals of a session: the same as the library's, of what counts, and only of what changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import facetrack
from facetrack.annotation.corrections import Correction
from facetrack.errors import InputError
from facetrack.face import N_POINTS, Source
from facetrack.fitting.face_model import FaceModel
from facetrack.reading import Event, Kind, Reading, Readings, Spec
from facetrack.signals.observation import Observation
from facetrack.signals.pipeline import Pipeline, event_records
from facetrack.signals.registry import Choice, choose, estimators, register, unregister
from facetrack.signals.rows import RowAssembler
from facetrack.video.frame import Frame
from facetrack_app.model.commands import Correct, Merge, RejectEvent, Split
from facetrack_app.model.faces import face_of
from facetrack_app.model.history import History
from facetrack_app.model.judged import Decision
from facetrack_app.model.readings import NOT_YET, read_series, read_values
from facetrack_app.model.rows import TrackRow
from facetrack_app.model.session import Session
from facetrack_app.model.store import Store
from facetrack_app.model.stretches import mark_stale
from facetrack_app.services.analysis import PIECE, Analysis
from facetrack_app.services.background import track_into
from tests.app.conftest import row, shape
from tests.app.services.desk import Desk, N

LONG = 2000  # frames at 25/s
SIZE = (640, 480)
BLINKS = range(100, LONG, 150)


def no_pixels(frame: int) -> Frame:
    raise AssertionError(f"frame {frame} is not needed")


def blinking(tracklet: int, frame: int) -> TrackRow:
    """Give a row of a face that blinks now and then."""
    points = shape(0.01 * (frame % 7))
    if any(start <= frame < start + 4 for start in BLINKS):
        for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
            points[upper] = points[lower] - (0, 0.4)
    return replace(row(tracklet, frame), points=points)


def add_rows(session: Session, start: int, stop: int) -> None:
    """Track frames as the background does."""
    rows = [blinking(0, frame) for frame in range(start, stop)]
    with session.store.transaction():
        session.store.put("track", [(r.key(), r.values()) for r in rows])
        session.store.put("person", [((0,), ("Ann",))])
        session.store.put("assignment", [((0, 0), (0,))])
        times = (np.arange(start, stop) / 25).astype("<f8").tobytes()
        session.store.put("ledger", [((start,), (times,))])
    session.absorb_tracked(start, stop)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    made = Session(tmp_path, LONG)
    yield made
    made.close()


@pytest.fixture
def store(session: Session) -> Iterator[Store]:
    with closing(Store(session.store.path)) as made:
        yield made


@pytest.fixture
def analysis(store: Store, shipped_model: FaceModel) -> Analysis:
    return Analysis(store, choose(), shipped_model.shape_model, SIZE, no_pixels)


def finish(analysis: Analysis, *, more: bool = False) -> int:
    steps = 0
    while analysis.step(more=more):
        steps += 1
    return steps


def test_a_piece_that_is_cut_short_is_not_kept(session, store, shipped_model) -> None:
    add_rows(session, 0, LONG)
    left = [300]  # frames until the window closes, in the second piece

    def ended() -> bool:
        left[0] -= 1
        return left[0] < 0

    model = shipped_model.shape_model
    cut = Analysis(store, choose(), model, SIZE, no_pixels, ended=ended)
    assert finish(cut) == 1
    found = everything(store)["eye_openness reason"]
    assert set(found[PIECE:]) == {NOT_YET}
    whole = Analysis(store, choose(), model, SIZE, no_pixels)
    finish(whole)
    assert NOT_YET not in set(everything(store)["eye_openness reason"])


def everything(store: Store, person: int = 0, stop: int = LONG) -> dict[str, Any]:
    """Give all values and reasons of a person."""
    found: dict[str, Any] = {}
    for estimator in choose().estimators:
        for name, series in read_series(store, person, estimator, 0, stop).items():
            found[name] = series.value
            found[f"{name} reason"] = np.array(series.reason)
    return found


def events(store: Store) -> list[tuple[Any, ...]]:
    return store.read("SELECT person, estimator, name, start, peak, stop, score FROM event "
                      "ORDER BY start, name")  # fmt: skip


def by_the_library(session: Session, model: FaceModel) -> tuple[dict[str, Any], list[Any]]:
    """Run the library's pipeline over what counts of a person."""
    choice, found = choose(), dict[str, Any]()
    pipeline, rows = Pipeline(choice), RowAssembler(choice.values, choice.delay)
    done, said = [], []
    for frame, time in enumerate(session.times().tolist()):
        face = face_of(session, 0, frame, model.shape_model, SIZE)
        if face is not None:
            results = pipeline.look([Observation(frame, time, face)])
            done += rows.add(frame, time, [face], results)
            said += event_records(results)
    last = pipeline.finish()
    rows.take(last)
    said += event_records(last)
    for one in [*done, *rows.finish()]:
        for name, reading in one.values.items():
            found.setdefault(name, {})[one.frame] = reading
    return found, [r.event for r in sorted(said, key=lambda r: (r.event.start, r.event.name))]


def assert_same(one: dict[str, Any], other: dict[str, Any], where: Any = slice(None)) -> None:
    for name, values in one.items():
        np.testing.assert_array_equal(values[where], other[name][where], err_msg=name)


def test_a_background_run_gives_what_the_library_gives_for_the_same_faces(
    clip: Path, shipped_model: FaceModel, tmp_path: Path
) -> None:
    with closing(Store(tmp_path / "a.db")) as tracks, closing(Store(tmp_path / "a.db")) as own:
        analysis = Analysis(own, choose(), shipped_model.shape_model, (320, 240), no_pixels)
        for progress in track_into(tracks, clip, shipped_model, N, max_faces=1):
            finish(analysis, more=not progress.finished)
        known = everything(own, stop=N)
        found = events(own)
    expected = facetrack.analyse(clip, model=shipped_model)
    assert len(expected.signals) == N
    for name, series in expected.signals.signals.items():
        np.testing.assert_allclose(known[name], series.value, rtol=2e-4, atol=2e-5, err_msg=name)
        assert known[f"{name} reason"].tolist() == list(series.reason)
    assert [e[2] for e in found] == [r.event.name for r in expected.events]


def test_what_is_analysed_while_frames_come_equals_the_pipeline_over_all_of_them(
    session: Session, store: Store, analysis: Analysis, shipped_model: FaceModel
) -> None:
    for start in range(0, LONG, 60):
        add_rows(session, start, min(start + 60, LONG))
        finish(analysis, more=start + 60 < LONG)
    values, said = by_the_library(session, shipped_model)
    known = everything(store)
    for name, readings in values.items():
        expected = np.array([readings[f].value for f in range(LONG)], np.float32)
        np.testing.assert_array_equal(known[name], expected, err_msg=name)
        assert known[f"{name} reason"].tolist() == [readings[f].reason for f in range(LONG)]
    assert [e.start for e in said] == [e[3] for e in events(store)]
    assert sum(e.name == "blink" for e in said) == len(BLINKS)


def correct(frame: int, shift: float) -> Correct:
    source = np.full(N_POINTS, Source.CORRECTED, dtype=np.uint8)
    points = shape()
    points[[37, 38, 43, 44]] -= (0, shift)
    return Correct.of(0, frame, Correction(points, source))


def test_a_correction_changes_its_stretch_and_undo_gives_all_back(
    session: Session, store: Store, analysis: Analysis
) -> None:
    add_rows(session, 0, LONG)
    finish(analysis)
    before, found = everything(store), events(store)
    history = History(session)
    history.run(correct(1060, 2.0))
    assert 0 < finish(analysis) < LONG // 240
    after = everything(store)
    assert after["eye_opening_right"][1060] > 1.05 * before["eye_opening_right"][1060]
    outside = np.ones(LONG, dtype=bool)
    outside[1060 - 25 * 5 - 1 : 1060 + 25 * 10 + 2] = False
    assert_same(before, after, outside)
    only = np.arange(LONG) != 1060
    for name in ("eye_opening_left", "mouth_opening", "pose_yaw", "quality"):  # without memory
        np.testing.assert_array_equal(before[name][only], after[name][only])
    assert events(store) == found
    history.undo()
    finish(analysis)
    assert_same(before, everything(store))
    assert events(store) == found


def test_only_the_chunks_of_the_stretch_are_written(
    session: Session, store: Store, analysis: Analysis
) -> None:
    add_rows(session, 0, LONG)
    finish(analysis)
    with store.transaction():
        store.write("UPDATE reading SET header = 'untouched' WHERE chunk = 1")
    History(session).run(correct(300, 2.0))  # up to frame 552 or so: in the first chunk
    finish(analysis)
    rows = store.read("SELECT DISTINCT chunk, header = 'untouched' FROM reading ORDER BY chunk")
    assert rows == [(0, 0), (1, 1)]


def test_what_changes_while_it_is_analysed_is_analysed_again(
    session: Session, store: Store, analysis: Analysis
) -> None:
    add_rows(session, 0, LONG)
    history, frames = History(session), iter((5, 700, 100))
    while analysis.step():
        frame = next(frames, None)
        if frame is not None:
            history.run(correct(frame, 2.0))
    whole = everything(store)
    with store.transaction():
        for table in ("reading", "event", "analysed"):
            store.write(f"DELETE FROM {table}")
    finish(analysis)
    again = everything(store)
    for name, values in again.items():
        if "openness" not in name:  # its baseline began at another frame
            np.testing.assert_array_equal(values, whole[name], err_msg=name)


def test_a_program_that_ended_knows_what_is_missing(
    session: Session, store: Store, analysis: Analysis, shipped_model: FaceModel
) -> None:
    add_rows(session, 0, LONG)
    assert analysis.step()
    assert analysis.step()
    History(session).run(correct(1000, 2.0))  # and here it ended
    with closing(Store(session.store.path)) as own:
        later = Analysis(own, choose(), shipped_model.shape_model, SIZE, no_pixels)
        finish(later)
        assert own.read("SELECT start, stop FROM analysed") == [(0, LONG)]
        assert own.read("SELECT * FROM stale") == []
        known = everything(own)
        found = [event for event in events(own) if event[2] == "blink"]
    assert np.isfinite(known["eye_openness"]).all()
    assert len(found) == len(BLINKS)


def test_tracking_that_goes_on_brings_the_last_seconds_up_to_date(
    session: Session, store: Store, analysis: Analysis
) -> None:
    stop = BLINKS[5] + 2  # in the middle of a blink
    add_rows(session, 0, stop)
    finish(analysis)
    assert np.isfinite(everything(store)["eye_openness"][:stop]).all()
    with store.transaction():
        mark_stale(store, [(None, (stop - 1, stop))])
    add_rows(session, stop, LONG)
    finish(analysis)
    assert len([e for e in events(store) if e[2] == "blink"]) == len(BLINKS)


def test_readings_follow_people_who_are_split_and_merged(
    session: Session, store: Store, analysis: Analysis
) -> None:
    add_rows(session, 0, LONG)
    finish(analysis)
    before, history = everything(store), History(session)
    history.run(Split(0, 1200, "Eve"))
    finish(analysis)
    eve = min(session.people)
    mine, hers = everything(store), everything(store, eve)
    assert np.isfinite(mine["quality"]).tolist() == [f < 1200 for f in range(LONG)]
    assert np.isfinite(hers["quality"]).tolist() == [f >= 1200 for f in range(LONG)]
    assert {e[0] for e in events(store)} == {0, eve}
    history.run(Merge(0, eve))
    finish(analysis)
    assert_same(before, everything(store))
    assert store.read("SELECT DISTINCT person FROM reading") == [(0,)]


def test_what_a_person_rejected_stays_so_when_all_is_analysed_anew(
    session: Session, store: Store, analysis: Analysis
) -> None:
    add_rows(session, 0, LONG)
    finish(analysis)
    session.absorb_analysed()
    history, (first, *others) = History(session), session.events(0)
    history.run(RejectEvent.of(first))
    with store.transaction():
        store.write("DELETE FROM analysed")
    finish(analysis)
    session.absorb_analysed()
    assert [j.event for j in session.events(0)] == [j.event for j in others]
    assert session.decisions[0].decision == Decision.REJECTED
    history.undo()
    assert session.events(0)[0].event == first.event


class Brightness:
    """An estimator that looks at pixels, and one day fails."""

    name, version, delay, needs_pixels, frame_rate = "brightness", "1", 0.0, True, None
    specs = (Spec("brightness", "mean of the picture", range=(0, 255)),
             Spec("dark", "it is dark", kind=Kind.EVENT))  # fmt: skip
    fails_at = 10**9

    def start(self) -> Brightness:
        return self

    def update(self, seen: Observation) -> list[Readings | Event]:
        if seen.index >= self.fails_at:
            raise InputError("no more")
        reading = Reading(float(seen.grey.mean()))
        return [Readings(seen.index, {"brightness": reading})]

    def finish(self) -> list[Readings | Event]:
        return []

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        pass


@pytest.fixture
def brightness() -> Iterator[Brightness]:
    made = Brightness()
    register(made)
    yield made
    unregister("brightness")


def test_frames_are_decoded_only_for_estimators_that_look_at_them(
    brightness: Brightness, desk: Desk
) -> None:
    annotator = desk.annotator
    desk.until(lambda: not annotator.analysing.busy)
    assert "brightness" in estimators()
    annotator.want_signals(("brightness", "pose_yaw"))
    desk.until(lambda: not annotator.analysing.busy)
    store = annotator.session.store
    values = read_values(store, 0, brightness, "brightness", 0, N).value
    video = annotator.document.open()
    expected = [video.frame(f).grey.mean() for f in (0, 7, N - 1)]
    video.close()
    np.testing.assert_allclose(values[[0, 7, N - 1]], expected, rtol=1e-6)
    assert annotator.session.setting("signals") == "default,brightness,dark"


def test_an_estimator_that_fails_is_named_and_the_others_go_on(
    brightness: Brightness, desk: Desk
) -> None:
    brightness.fails_at = 5
    desk.annotator.want_signals(("brightness",))
    desk.until(lambda: not desk.annotator.analysing.busy)
    assert any("brightness are switched off" in text for text in desk.said)
    store = desk.annotator.session.store
    assert np.isfinite(
        read_values(store, 0, choose("head").estimators[0], "pose_yaw", 0, N).value
    ).all()
    series = read_series(store, 0, brightness, 0, N)["brightness"]
    assert np.isfinite(series.value[:5]).all()
    assert "no more" in series.reason[5]


def test_a_drag_brings_its_readings_along(desk: Desk) -> None:
    annotator = desk.annotator
    desk.until(lambda: not annotator.analysing.busy)
    geometry = choose("geometry").estimators[0]
    store = annotator.session.store
    before = read_values(store, 0, geometry, "mouth_opening", 0, N).value
    assert np.isfinite(before).all()
    desk.go(20)
    desk.drag(66, 0, 12)
    desk.settle()
    desk.until(lambda: not annotator.analysing.busy)
    after = read_values(store, 0, geometry, "mouth_opening", 0, N).value
    assert after[20] > before[20] + 0.02
    annotator.undo()
    desk.until(lambda: not annotator.analysing.busy)
    np.testing.assert_array_equal(
        read_values(store, 0, geometry, "mouth_opening", 0, N).value, before
    )


def test_another_choice_or_version_is_another_set_of_results(
    session: Session, store: Store, analysis: Analysis, shipped_model: FaceModel
) -> None:
    add_rows(session, 0, 300)
    finish(analysis)
    assert not analysis.step()
    geometry = choose("geometry").estimators[0]
    newer = Choice((replace(geometry, version="2"),), frozenset({"mouth_opening"}))  # type: ignore[type-var]
    other = Analysis(store, newer, shipped_model.shape_model, SIZE, no_pixels)
    assert finish(other) > 0
    assert store.read("SELECT DISTINCT version FROM reading WHERE estimator='geometry'") == [("2",)]
