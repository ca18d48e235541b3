"""Annotating without a window: open, track, correct, learn, track anew, undo, go on later."""

from __future__ import annotations

import dataclasses
import shutil
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from facetrack.annotation.retrack import STOPPED, Outcome
from facetrack.corpus.fingerprint import fingerprint
from facetrack.errors import InputError, VideoError
from facetrack.face import Source
from facetrack.fitting.face_model import FaceModel
from facetrack.signals import choose
from facetrack.synthetic.video import SyntheticVideo
from facetrack.tracking.tracker import Tracker
from facetrack.video.sink import write_video
from facetrack.video.unchanged import Unchanged
from facetrack_app.model.commands import MarkSpan, Retrack, Split
from facetrack_app.model.exporting_signals import recording_of
from facetrack_app.model.importing import events_of
from facetrack_app.model.owed import Stretch
from facetrack_app.model.rows import Kind
from facetrack_app.model.session import Session
from facetrack_app.model.stops import next_corrected
from facetrack_app.model.store import Store
from facetrack_app.services.background import track_into
from facetrack_app.services.exporting import export_document
from facetrack_app.services.opening import open_document
from facetrack_app.services.replay import replay
from facetrack_app.services.retracking import Job, do_job, rows_of, stretch_around
from tests.app.services.desk import Desk, N


def test_a_drag_teaches_tracks_anew_and_is_one_step(desk: Desk) -> None:
    annotator = desk.annotator
    desk.go(15)
    before = annotator.view(0).points
    others = annotator.session.view(0, 14).points
    assert before is not None
    assert others is not None
    desk.drag(57, 0, 5)
    desk.settle()
    summary = annotator.session.summary(0)
    assert summary.corrected[15]
    assert summary.kind[[14, 16, 30]].tolist() == [Kind.LEARNED] * 3
    corrected = annotator.view(0)
    assert corrected.points is not None
    assert corrected.points[57, 1] == pytest.approx(before[57, 1] + 5, abs=1e-3)
    assert annotator.ghost is not None
    np.testing.assert_array_equal(annotator.ghost, before)
    learned = annotator.session.view(0, 14)
    assert learned.points is not None
    assert learned.points[57, 1] > others[57, 1] + 1.0  # the neighbours learned it, too
    assert learned.source is not None
    assert set(learned.source.tolist()) == {Source.LEARNED}
    annotator.undo()
    assert not annotator.session.summary(0).corrected[15]
    again = annotator.session.view(0, 14).points
    assert again is not None
    np.testing.assert_allclose(again, others, atol=1e-4)
    annotator.redo()
    assert annotator.session.summary(0).kind[14] == Kind.LEARNED


def test_corrected_frames_are_left_untouched(desk: Desk) -> None:
    annotator = desk.annotator
    for frame in (10, 20):
        desk.said.clear()
        desk.go(frame)
        desk.drag(8, 0, 4)
        desk.settle()
    first = annotator.session.view(0, 10).points
    desk.said.clear()
    desk.go(15)
    assert stretch_around(annotator.session, 0, 15) == (0, 11, 20, 15)
    desk.drag(8, 0, 4)
    desk.settle()
    np.testing.assert_array_equal(annotator.session.view(0, 10).points, first)
    assert next_corrected(annotator.session, 0, 15) == 20
    assert next_corrected(annotator.session, 0, 15, back=True) == 10
    assert next_corrected(annotator.session, None, 15) is None


def test_tracking_anew_stops_on_wish_and_says_why(desk: Desk) -> None:
    annotator = desk.annotator
    desk.go(0)
    desk.drag(8, 0, 4)
    time.sleep(0.02)
    if annotator.stop():
        desk.settle()
        assert "you stopped it" in desk.said[-1]
    assert annotator.session.summary(0).corrected[0]


def test_pasting_nobody_and_tracking_without_a_correction_are_said(desk: Desk) -> None:
    annotator = desk.annotator
    annotator.track(1)
    assert "correct or accept" in desk.said[-1]
    annotator.person = None
    annotator.placing.place(np.zeros((68, 2)))
    assert "no person is chosen" in desk.said[-1]


def test_work_goes_on_where_it_was_left(
    clip: Path, shipped_model: FaceModel, tmp_path: Path
) -> None:
    desk = Desk(clip, shipped_model, tmp_path)
    desk.until(desk.tracked)
    desk.go(12)
    desk.drag(30, 3, 0)
    desk.settle()
    rows = desk.annotator.session.store.read("SELECT * FROM track ORDER BY tracklet, frame")
    desk.annotator.close()
    again = Desk(clip, shipped_model, tmp_path)
    again.until(lambda: again.annotator.frame is not None)
    assert again.annotator.shown == 12
    assert (
        again.annotator.session.store.read("SELECT * FROM track ORDER BY tracklet, frame") == rows
    )
    again.annotator.undo()
    assert not again.annotator.session.summary(0).corrected.any()
    again.annotator.close()


def test_a_background_that_was_ended_goes_on_to_the_same_bytes(
    clip: Path, shipped_model: FaceModel, tmp_path: Path
) -> None:
    rows = []
    for name, halts in (("whole", [10**9]), ("parts", [7, 13, 10**9])):
        (tmp_path / name).mkdir()
        for halt in halts:
            store = Store(tmp_path / name / "session.db")
            answers = iter([*[False] * min(halt, N), True])
            done = list(track_into(store, clip, shipped_model, N, stop=answers.__next__))
            store.close()
        assert done[-1].finished
        store = Store(tmp_path / name / "session.db")
        rows.append(store.read("SELECT * FROM track ORDER BY tracklet, frame"))
        times = b"".join(r[0] for r in store.read("SELECT times FROM ledger ORDER BY start"))
        assert len(times) == 8 * N
        store.close()
    assert len(rows[0]) == N
    assert rows[0] == rows[1]


def test_a_folder_with_a_broken_picture_is_annotated_without_it(
    shipped_model: FaceModel, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    video = SyntheticVideo(shipped_model.shape_model, n_frames=6, size=(320, 240), seed=1)
    for frame in video:
        cv2.imwrite(str(folder / f"{frame.index}.png"), frame.image)
    (folder / "3.png").write_bytes(b"broken")
    for _ in range(2):
        desk = Desk(folder, shipped_model, tmp_path / "session")
        desk.until(lambda desk=desk: desk.annotator.session.tracked == 6)  # type: ignore[misc]
        desk.until(lambda desk=desk: desk.annotator.frame is not None)  # type: ignore[misc]
        assert desk.annotator.session.n_frames == 6  # it keeps its place
        desk.annotator.close()


def test_a_session_of_another_video_is_refused(
    clip: Path, shipped_model: FaceModel, tmp_path: Path
) -> None:
    open_document(clip, shipped_model, folder=tmp_path / "s").session.close()
    other = tmp_path / "other.mp4"
    write_video(SyntheticVideo(shipped_model.shape_model, n_frames=9, size=(320, 240)), other)
    with pytest.raises(InputError, match="belongs to a video of 40 frames"):
        open_document(other, shipped_model, folder=tmp_path / "s")


def test_a_session_keeps_the_model_it_was_made_with(
    clip: Path, shipped_model: FaceModel, tmp_path: Path
) -> None:
    other = dataclasses.replace(shipped_model, name="other")
    for model in (other, shipped_model, other):  # nothing is tracked yet
        document = open_document(clip, model, folder=tmp_path / "s")
        assert not document.notes
        document.session.close()
    document = open_document(clip, other, folder=tmp_path / "s")
    with document.session.store.transaction():
        document.session.store.put("ledger", [((0,), (np.zeros(1, "<f8").tobytes(),))])
    document.session.close()
    for _ in range(2):
        document = open_document(clip, shipped_model, folder=tmp_path / "s")
        assert "made with another model (other)" in document.notes[0]
        about = recording_of(document.session, choose(), "clip").about
        assert about["Model"] == "other"
        assert about["Other models"] == f"{shipped_model.name} ({fingerprint(shipped_model)})"
        document.session.close()


@pytest.mark.parametrize("kind", ["csv", "pts", "coco", "elan", "vtt", "overlay"])
def test_every_format_is_written(
    desk: Desk, shipped_model: FaceModel, tmp_path: Path, kind: str
) -> None:
    annotator = desk.annotator
    suffix = {"csv": ".csv", "pts": "", "coco": ".json", "elan": ".eaf", "vtt": ".vtt"}
    path = tmp_path / f"out{suffix.get(kind, '.mp4')}"
    reader = annotator.session.reader()
    text = export_document(annotator.document, reader, kind, path, shipped_model)
    assert text == f"{N} frames written: {path}"
    assert path.exists()


def test_a_session_replays_to_the_same_bytes(
    clip: Path, shipped_model: FaceModel, tmp_path: Path
) -> None:
    desk = Desk(clip, shipped_model, tmp_path / "session")
    desk.until(desk.tracked)
    for frame, point in ((12, 30), (25, 8)):
        desk.said.clear()
        desk.go(frame)
        desk.drag(point, 3, 1)
        desk.settle()
    desk.annotator.undo()
    desk.annotator.run(Split(0, 20, "Ann"))
    desk.said.clear()
    desk.go(30)
    desk.annotator.choose(min(desk.annotator.session.people))
    desk.drag(57, 0, 4)
    desk.settle()
    desk.annotator.close()
    done = replay(tmp_path / "session", shipped_model)
    assert done.different == ()
    assert (done.steps, done.frames) == (3, N)
    store = Store(tmp_path / "session" / "session.db")
    with store.transaction():
        store.write("UPDATE track SET quality = 0.5 WHERE frame = 13")
    store.close()
    assert replay(tmp_path / "session", shipped_model).different == ("track 0, 13",)


def test_a_stopped_stretch_replays_too(
    clip: Path, shipped_model: FaceModel, tmp_path: Path
) -> None:
    desk = Desk(clip, shipped_model, tmp_path)
    desk.until(desk.tracked)
    desk.go(10)
    desk.drag(57, 0, 4)
    desk.settle()
    (step,) = desk.annotator.history.steps()
    fits = step.retracks[0].fits
    desk.annotator.undo()
    assert desk.annotator.editor is not None
    number = desk.annotator.history.run(step.command)
    corrections = desk.annotator.session.corrections(0)
    stretch = Stretch(0, step.retracks[0].start, step.retracks[0].stop)
    job = Job(number, stretch, lambda: corrections)
    answers = iter([False] * (fits // 2) + [True] * fits)
    video = desk.annotator.document.open()
    assert do_job(job, shipped_model, video, leave=lambda: True) == Outcome([], STOPPED, 0)
    outcome = do_job(job, shipped_model, video, stop=answers.__next__)
    desk.annotator.history.amend(number, *rows_of(desk.annotator.session, job, outcome))
    desk.annotator.close()
    assert 0 < len(outcome.refits) < N - 1
    assert replay(tmp_path, shipped_model).different == ()


def test_a_moved_video_takes_its_session_along(
    clip: Path, shipped_model: FaceModel, tmp_path: Path
) -> None:
    (tmp_path / "here").mkdir()
    video = shutil.copy(clip, tmp_path / "here")
    desk = Desk(Path(video), shipped_model, tmp_path / "here" / "clip.mp4.facetrack")
    desk.until(desk.tracked)
    desk.go(12)
    desk.drag(30, 3, 1)
    desk.settle()
    desk.annotator.close()
    shutil.move(tmp_path / "here", tmp_path / "there")
    moved = tmp_path / "there" / "clip.mp4"
    document = open_document(moved, shipped_model)
    assert document.session.folder == moved.with_name("clip.mp4.facetrack")
    assert document.notes == ()
    assert list(document.session.corrections(0)) == [12]
    document.session.close()
    assert replay(document.session.folder, shipped_model).different == ()


def test_a_video_that_is_replaced_or_gone_is_said_and_nothing_is_lost_or_mixed(
    clip: Path, shipped_model: FaceModel, tmp_path: Path
) -> None:
    video = Path(shutil.copy(clip, tmp_path))
    desk = Desk(video, shipped_model, tmp_path / "session")
    desk.until(desk.tracked)
    desk.go(3)
    desk.drag(30, 3, 1)
    desk.settle()
    annotator = desk.annotator
    desk.go(5)
    before = annotator.session.store.read("SELECT * FROM track ORDER BY tracklet, frame")
    annotator.document.open().close()  # what the threads share is forgotten
    kept = video.rename(tmp_path / "kept.mp4")

    def trouble(words: str) -> None:
        desk.said.clear()
        desk.until(lambda: any(f"{video}: {words}" in said for said in desk.said))

    annotator.show(30)
    trouble("is not there any more")
    video.write_bytes(kept.read_bytes()[:-100] + bytes(100))
    annotator.show(31)
    trouble("was replaced or changed by another program while it was open")
    annotator.history.run(Retrack(0, 4, 30), stretch=Stretch(0, 4, 30))
    annotator.teaching.begin()
    trouble("was replaced or changed")
    assert annotator.session.store.read("SELECT * FROM track ORDER BY tracklet, frame") == before
    kept.replace(video)
    desk.go(32)
    annotator.close()
    assert list(Session(tmp_path / "session", N).corrections(0)) == [3]


def test_a_session_says_that_its_video_is_another_file(
    clip: Path, shipped_model: FaceModel, tmp_path: Path
) -> None:
    video = Path(shutil.copy(clip, tmp_path))
    open_document(video, shipped_model).session.close()
    content = video.read_bytes()
    video.write_bytes(content + bytes(8))  # the same frames in other bytes
    for _ in range(2):
        document = open_document(video, shipped_model)
        document.session.close()
        assert any("another file than the one" in note for note in document.notes)
    video.write_bytes(content)
    document = open_document(video, shipped_model)
    document.session.close()
    assert document.notes == ()


def test_frames_of_a_video_that_is_replaced_while_it_is_tracked_are_not_kept(
    clip: Path, shipped_model: FaceModel, tmp_path: Path
) -> None:
    video = Path(shutil.copy(clip, tmp_path))
    file = Unchanged(video)
    store = Store(tmp_path / "session.db")
    found = track_into(store, video, shipped_model, N, check=file.check)
    video.write_bytes(b"another one")
    with pytest.raises(VideoError):
        list(found)
    assert store.read("SELECT count(*) FROM track") == [(0,)]
    store.close()


def test_replaying_with_another_model_or_nothing_is_refused(
    clip: Path, shipped_model: FaceModel, tmp_path: Path
) -> None:
    open_document(clip, shipped_model, folder=tmp_path / "s").session.close()
    other = dataclasses.replace(shipped_model, name="other", card={"changed": True})
    with pytest.raises(InputError, match="was made with the model"):
        replay(tmp_path / "s", other)
    with pytest.raises(InputError, match="holds no session"):
        replay(tmp_path, shipped_model)


def test_a_person_is_remembered_for_other_videos(
    desk: Desk, shipped_model: FaceModel, tmp_path: Path
) -> None:
    annotator = desk.annotator
    path = tmp_path / "ann.npz"
    with pytest.raises(InputError, match="nothing was learned"):
        export_document(
            annotator.document, annotator.session.reader(), "person", path, shipped_model
        )
    for frame in (8, 20):
        desk.said.clear()
        desk.go(frame)
        desk.drag(8, 0, 6)
        desk.settle()
    reader = annotator.session.reader()
    text = export_document(annotator.document, reader, "person", path, shipped_model)
    assert text.startswith("2 corrections remembered")
    assert "delete the file to forget" in text
    video = annotator.document.open()
    plain, taught = Tracker(shipped_model), Tracker(shipped_model, profile=path)
    for frame in range(12):
        image = video.frame(frame)
        before, after = plain.update(image)[0], taught.update(image)[0]
    assert after.points[8, 1] > before.points[8, 1] + 1.5


def test_events_come_back_from_elan_and_webvtt(
    desk: Desk, shipped_model: FaceModel, tmp_path: Path
) -> None:
    annotator = desk.annotator
    annotator.run(MarkSpan("event", 5, 9, "blink"))
    for suffix, kind in ((".eaf", "elan"), (".vtt", "vtt")):
        path = tmp_path / f"events{suffix}"
        reader = annotator.session.reader()
        export_document(annotator.document, reader, kind, path, shipped_model)
        found = [c.after for c in events_of(annotator.session, path).changes]
        assert ("event", 5, 9, "blink") in found
    (tmp_path / "late.vtt").write_text("WEBVTT\n\n00:10:00.000 --> 00:11:00.000\nlate\n")
    with pytest.raises(InputError, match="none of its 1 annotations"):
        events_of(annotator.session, tmp_path / "late.vtt")
    late = (tmp_path / "late.vtt").read_text()
    (tmp_path / "partly.vtt").write_text(f"{late}\n00:00:00.200 --> 00:00:00.400\nearly\n")
    taken = events_of(annotator.session, tmp_path / "partly.vtt")
    assert [c.after[3] for c in taken.changes if c.after is not None] == ["early"]
    assert "1 of 2 annotations are left out" in taken.notes[0]
