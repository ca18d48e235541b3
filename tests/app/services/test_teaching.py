"""What follows a correction while more happens: nothing is lost, and nothing comes unasked."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from facetrack.errors import InputError, OutputError
from facetrack.face import Fit, Source
from facetrack.fitting.face_model import FaceModel
from facetrack_app.model.commands import DeletePerson, Fitted, MarkSpan, Merge
from facetrack_app.model.rows import Kind
from facetrack_app.model.session import Session
from facetrack_app.services import retracking
from facetrack_app.services.replay import replay
from facetrack_app.services.video_tracking import VideoTracking
from tests.app.conftest import shape
from tests.app.services.desk import Desk, N

REACH = 8  # frames, so that stretches of two corrections lie apart in a short clip


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Hold what is tracked anew until it is let go, so that things happen meanwhile for sure."""
    go_on, real = threading.Event(), retracking.retrack  # type: ignore[attr-defined]

    def wait_then(*args: object, **options: object) -> object:
        go_on.wait(60)
        return real(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(retracking, "retrack", wait_then)
    monkeypatch.setattr(retracking, "REACH", REACH)
    yield go_on
    go_on.set()


def learned(desk: Desk, person: int = 0) -> list[int]:
    kinds = desk.annotator.session.summary(person).kind
    return [int(f) for f in np.flatnonzero(kinds == Kind.LEARNED)]


def new_person(desk: Desk) -> None:
    """Put one into the middle."""
    desk.annotator.placing.ask()
    desk.annotator.placing.ask()


def track_rows(desk: Desk) -> list[tuple[object, ...]]:
    return desk.annotator.session.store.read("SELECT * FROM track ORDER BY tracklet, frame")


def around(*frames: int) -> list[int]:
    reached = {f + i for f in frames for i in range(-REACH, REACH + 1)} - set(frames)
    return sorted(f for f in reached if 0 <= f < N)


def test_a_second_drag_does_not_lose_the_stretch_of_the_first(
    desk: Desk, held: threading.Event
) -> None:
    for frame in (9, 30):
        desk.go(frame)
        desk.drag(57, 0, 5)
    held.set()
    desk.settle()
    assert learned(desk) == around(9, 30)


def test_a_mark_made_meanwhile_does_not_lose_the_stretch(desk: Desk, held: threading.Event) -> None:
    annotator = desk.annotator
    desk.go(9)
    desk.drag(57, 0, 5)
    annotator.run(MarkSpan("event", 3, 5, "blink"))
    held.set()
    desk.settle()
    assert learned(desk) == around(9)
    annotator.undo()  # the mark alone
    assert learned(desk) == around(9)
    annotator.undo()
    assert learned(desk) == []
    annotator.redo()
    assert learned(desk) == around(9)


def test_people_merged_meanwhile_are_tracked_as_who_they_are_now(
    desk: Desk, held: threading.Event, shipped_model: FaceModel
) -> None:
    annotator = desk.annotator
    new_person(desk)
    other = min(annotator.session.people)
    desk.go(9)
    annotator.choose(0)
    desk.drag(57, 0, 5)
    annotator.run(Merge(0, other))
    held.set()
    desk.settle()
    assert learned(desk) == around(9)  # the merged one was only a guess in frame 0
    annotator.close()
    assert replay(annotator.session.folder, shipped_model).different == ()


def test_of_a_person_deleted_meanwhile_nothing_is_tracked_before_it_is_undone(
    desk: Desk, held: threading.Event, shipped_model: FaceModel
) -> None:
    annotator = desk.annotator
    desk.go(9)
    desk.drag(57, 0, 5)
    annotator.run(DeletePerson(0))
    assert not annotator.teaching.busy
    held.set()
    desk.settle()
    annotator.teaching.resume()
    assert not annotator.teaching.busy
    assert track_rows(desk) == [row for row in track_rows(desk) if row[2] != Kind.LEARNED]
    annotator.undo()
    desk.settle()
    assert learned(desk) == around(9)
    annotator.redo()
    annotator.close()
    assert replay(annotator.session.folder, shipped_model).different == ()


def test_undone_meanwhile_nothing_comes(desk: Desk, held: threading.Event) -> None:
    annotator = desk.annotator
    desk.go(9)
    desk.drag(57, 0, 5)
    annotator.undo()
    desk.go(30)
    desk.drag(57, 0, 5)  # has the number of the step that was undone
    held.set()
    desk.settle()
    assert learned(desk) == around(30)
    assert [step.retracks[0].start for step in annotator.history.steps()] == [22]


def test_the_second_of_two_quick_drags_undone_the_first_keeps_its_track(
    desk: Desk, held: threading.Event
) -> None:
    annotator = desk.annotator
    for frame in (9, 20):
        desk.go(frame)
        desk.drag(57, 0, 5)
    annotator.undo()
    assert annotator.teaching.busy
    held.set()
    desk.settle()
    assert learned(desk) == around(9)
    quick = track_rows(desk)
    annotator.undo()
    assert learned(desk) == []
    desk.go(9)
    desk.drag(57, 0, 5)
    desk.settle()
    assert track_rows(desk) == quick  # as if it had been waited for


@pytest.mark.parametrize("seed", range(3))
def test_quick_gestures_with_the_real_thread_are_as_slow_ones_and_replay(
    clip: Path, shipped_model: FaceModel, tmp_path: Path, held: threading.Event, seed: int
) -> None:
    rows = []
    for wait in (False, True):
        desk = Desk(clip, shipped_model, tmp_path / str(wait))
        desk.until(desk.tracked)
        held.set()
        annotator, chance = desk.annotator, np.random.default_rng(seed)
        for _ in range(7):
            gesture, frame = chance.integers(6), int(chance.choice([9, 14, 30]))
            if gesture < 4:
                desk.go(frame)
                annotator.placing.place(shape(0.5 + gesture) * 0.7)
            else:
                (annotator.undo if gesture == 4 else annotator.redo)()
            if wait:
                desk.settle()
        desk.settle()
        rows.append(track_rows(desk))
        annotator.close()
        assert replay(tmp_path / str(wait), shipped_model).different == ()
    assert rows[0] == rows[1]


def test_what_was_tracked_for_the_first_drag_is_there_again(
    desk: Desk, held: threading.Event
) -> None:
    held.set()
    desk.go(9)
    desk.drag(57, 0, 5)
    desk.settle()
    first = track_rows(desk)
    desk.go(14)
    desk.drag(8, 0, 5)
    desk.settle()
    assert track_rows(desk) != first
    desk.annotator.undo()
    assert not desk.annotator.teaching.busy
    assert track_rows(desk) == first


def test_redone_it_is_tracked_after_all(desk: Desk, held: threading.Event) -> None:
    annotator = desk.annotator
    desk.go(9)
    desk.drag(57, 0, 5)
    annotator.undo()
    assert not annotator.teaching.busy
    annotator.redo()
    held.set()
    desk.settle()
    assert learned(desk) == around(9)


def test_a_mark_undone_meanwhile_loses_no_stretch(desk: Desk, held: threading.Event) -> None:
    annotator = desk.annotator
    for frame in (9, 30):
        desk.go(frame)
        desk.drag(57, 0, 5)
    annotator.run(MarkSpan("event", 3, 5, "blink"))
    annotator.undo()
    held.set()
    desk.settle()
    assert learned(desk) == around(9, 30)


def test_esc_keeps_what_was_found_and_says_so(desk: Desk, held: threading.Event) -> None:
    desk.go(9)
    desk.drag(57, 0, 5)
    assert desk.annotator.stop()
    held.set()
    desk.settle()
    assert desk.said[-1] == "0 frames tracked anew; you stopped it"
    assert not desk.annotator.stop()
    assert desk.annotator.session.summary(0).corrected[9]


def test_what_a_closed_window_interrupted_goes_on(
    clip: Path, shipped_model: FaceModel, tmp_path: Path, held: threading.Event
) -> None:
    desk = Desk(clip, shipped_model, tmp_path)
    desk.until(desk.tracked)
    desk.go(9)
    desk.drag(57, 0, 5)
    threading.Timer(0.2, held.set).start()
    desk.annotator.close()
    said = len(desk.said)
    while not desk.waiting.empty():  # the session is closed: nothing may touch it
        desk.waiting.get()()
    assert desk.said[said:] == []
    again = Desk(clip, shipped_model, tmp_path)
    again.settle()
    assert learned(again) == around(9)
    again.annotator.close()


def test_a_picture_that_comes_during_a_drag_waits(desk: Desk) -> None:
    annotator = desk.annotator
    desk.go(9)
    assert annotator.editor is not None
    annotator.editor.grab(57, (0.0, 0.0))
    annotator.editor.drag((0.0, 5.0))
    annotator.show(12)
    desk.until(lambda: annotator._reader.frames._thing is not None)
    while not desk.waiting.empty():
        desk.waiting.get()()
    assert annotator.shown == 9
    annotator.release()
    assert annotator.shown == 12
    assert np.flatnonzero(annotator.session.summary(0).corrected).tolist() == [9]


def test_before_the_first_picture_there_is_no_face_to_edit(
    clip: Path, shipped_model: FaceModel, tmp_path: Path
) -> None:
    desk = Desk(clip, shipped_model, tmp_path)
    desk.until(desk.tracked)
    desk.annotator.frame = None  # as when the track comes before the picture
    desk.annotator.reload()
    assert desk.annotator.editor is None
    desk.annotator.correct()
    assert not desk.annotator.session.summary(0).corrected.any()
    desk.annotator.close()


def test_a_correction_ahead_of_the_background_leaves_its_track_alone(
    clip: Path, shipped_model: FaceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(VideoTracking, "begin", lambda self: None)
    desk = Desk(clip, shipped_model, tmp_path)
    annotator = desk.annotator
    desk.until(lambda: annotator.frame is not None)
    new_person(desk)
    desk.go(20)
    annotator.placing.place(annotator.session.view(-1, 0).points)  # type: ignore[arg-type]
    assert not annotator.teaching.busy
    assert "is not tracked yet" in desk.said[-1]
    assert annotator.session.summary(-1).corrected[20]
    assert (annotator.session.summary(-1).kind[1:] == Kind.NOTHING).all()
    monkeypatch.undo()
    annotator.tracking.begin()
    desk.until(lambda: annotator.session.tracked == N)
    annotator.undo()
    assert annotator.session.summary(0).seen.all()
    annotator.close()


def test_the_background_is_ended_on_wish_and_goes_on(
    clip: Path, shipped_model: FaceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facetrack_app.services.background.BATCH", 5)
    desk = Desk(clip, shipped_model, tmp_path)
    annotator = desk.annotator
    desk.until(lambda: annotator.session.tracked >= 5)
    annotator.tracking.toggle()
    desk.until(lambda: not annotator.tracking.running)
    tracked = annotator.session.tracked
    assert tracked < N
    assert desk.said[-1] == f"tracked {tracked} of {N} frames"
    annotator.tracking.toggle()
    desk.until(desk.tracked)
    desk.until(lambda: not annotator.tracking.running)
    annotator.tracking.toggle()
    assert desk.said[-1] == "the whole video is tracked"
    annotator.close()
    assert replay(tmp_path, shipped_model).different == ()


def test_a_new_person_teaches_nothing_before_it_is_moved(desk: Desk) -> None:
    annotator = desk.annotator
    desk.go(9)
    new_person(desk)
    assert not annotator.teaching.busy
    assert annotator.person == -1
    assert annotator.editor is not None
    assert set(annotator.editor.source.tolist()) == {Source.INTERPOLATED}
    annotator.placing.place(annotator.session.view(0, 9).points)  # type: ignore[arg-type]
    desk.settle()
    assert len(learned(desk, -1)) > 20


def test_absent_points_come_back_and_do_not_keep_the_model_from_fitting(desk: Desk) -> None:
    annotator = desk.annotator
    desk.go(9)
    before = annotator.view(0).points
    assert not annotator.placing.toggle_absent()
    assert annotator.editor is not None
    assert before is not None
    annotator.editor.selected = 30
    assert annotator.placing.toggle_absent()
    assert np.isnan(annotator.session.view(0, 9).points[30]).all()  # type: ignore[index]
    assert annotator.placing.toggle_absent()
    again = annotator.session.view(0, 9).points
    assert again is not None
    assert np.linalg.norm(again[30] - before[30]) < 12
    annotator.placing.toggle_absent()
    annotator.placing.fit_here()
    assert np.isfinite(annotator.session.view(0, 9).points).all()  # type: ignore[arg-type]
    desk.settle()


def test_a_fit_is_the_models_until_it_is_accepted(
    clip: Path, shipped_model: FaceModel, tmp_path: Path
) -> None:
    desk = Desk(clip, shipped_model, tmp_path)
    desk.until(desk.tracked)
    desk.go(9)
    tracked = desk.annotator.view(0).points
    desk.drag(30, 12, 4)
    desk.settle()
    rows = track_rows(desk)
    desk.annotator.placing.fit_here()
    assert not desk.annotator.teaching.busy
    desk.annotator.close()
    desk = Desk(clip, shipped_model, tmp_path)
    annotator = desk.annotator
    desk.until(desk.tracked)
    assert annotator.shown == 9
    view = annotator.view(0)
    assert view.correction is None
    assert view.row is not None
    assert view.row.kind == Kind.PLAIN
    assert set(view.row.source.tolist()) == {Source.TRACKED}
    assert np.isfinite(view.row.confidence).all()
    assert np.abs(view.points - tracked).max() < 8  # type: ignore[operator]
    assert annotator.session.corrections(0) == {}
    annotator.undo()
    assert annotator.session.corrections(0)[9].source[30] == Source.CORRECTED
    assert track_rows(desk) == rows
    annotator.redo()
    assert annotator.editor is not None
    annotator.editor.vouch_for_all()
    annotator.correct()
    desk.settle()
    assert annotator.session.corrections(0)[9].vouched.all()
    assert len(learned(desk)) > 20
    annotator.close()
    assert replay(tmp_path, shipped_model).different == ()


def test_a_fit_ahead_of_the_background_is_refused(session: Session) -> None:
    fit = Fit(np.ones((68, 2)), 0.9)
    with session.store.transaction():
        session.store.write("DELETE FROM ledger")
    session._load()
    with pytest.raises(InputError, match="frame 8 is not tracked yet"):
        Fitted.of(0, 7, fit).changes(session)


def test_removing_a_correction_learns_the_others_anew(desk: Desk) -> None:
    annotator = desk.annotator
    for frame, by in ((9, 5), (30, 12)):
        desk.go(frame)
        desk.drag(57, 0, by)
        desk.settle()
    before = annotator.session.view(0, 20).points
    annotator.uncorrect()
    assert annotator.teaching.busy
    desk.settle()
    after = annotator.session.view(0, 20).points
    assert before is not None
    assert after is not None
    assert after[57, 1] < before[57, 1] - 0.5


def test_a_disk_that_is_full_at_closing_is_said_and_all_is_let_go(
    clip: Path, shipped_model: FaceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(clip, shipped_model, tmp_path)
    desk.until(desk.tracked)

    def full(*args: object) -> None:
        raise OutputError(f"{tmp_path}: cannot be written (the disk is full)")

    monkeypatch.setattr(desk.annotator.session.store, "put", full)
    desk.annotator.close()
    assert "the disk is full" in desk.said[-1]
    Desk(clip, shipped_model, tmp_path).annotator.close()  # no longer held


def test_hands_on_time_is_kept_with_every_step(desk: Desk, tmp_path: Path) -> None:
    desk.go(9)
    desk.annotator.effort.gesture(time.monotonic() - 2)
    desk.drag(57, 0, 5)
    ((seconds,),) = desk.annotator.session.reader().store.read(
        "SELECT value FROM setting WHERE name='effort'"
    )
    assert float(seconds) == pytest.approx(desk.annotator.effort.seconds)
    assert float(seconds) >= 2
    desk.settle()


def test_a_face_is_read_once_until_something_changes(desk: Desk) -> None:
    annotator, statements = desk.annotator, list[str]()
    annotator.reload()
    annotator.session.store._db.set_trace_callback(statements.append)
    annotator.reload()
    assert not [text for text in statements if "FROM track" in text or "FROM correction" in text]
    desk.drag(30, 3.0, 0.0)
    assert annotator.view(0).correction is not None
    annotator.undo()
    assert annotator.view(0).correction is None
