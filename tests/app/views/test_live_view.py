"""The live view: a synthetic camera, a drag that teaches, recording, a camera that vanishes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PyQt5.QtCore import QPoint
from PyQt5.QtWidgets import QAction
from pytestqt.qtbot import QtBot

from facetrack.errors import CameraError, OutputError
from facetrack.face import Pose
from facetrack.fitting.face_model import FaceModel
from facetrack.formats.events_csv import read_events
from facetrack.formats.openface import OpenFaceWriter, read_openface
from facetrack.formats.signals_csv import read_signals
from facetrack.synthetic.video import SyntheticVideo
from facetrack.video.frame import Frame
from facetrack_app.model import resting
from facetrack_app.model.live import FROZEN
from facetrack_app.model.recording import FACELESS, KINDS, LANDMARKS, VIDEO
from facetrack_app.services import capture
from facetrack_app.views.main_window import MainWindow
from tests.app.aching import Aching
from tests.app.views import gestures
from tests.app.views.hands import N

PATIENCE = 60_000  # ms


@pytest.fixture
def running(window: MainWindow, qtbot: QtBot) -> Iterator[MainWindow]:
    window.live.start()
    qtbot.waitUntil(
        lambda: window.live.canvas.painted_at > 0 and _tracked(window), timeout=PATIENCE
    )
    yield window
    window.live.stop()


def _tracked(window: MainWindow) -> bool:
    live = window.live.shown_frame
    return live is not None and any(face.tracked for face in live.faces)


def test_state_rate_and_charts_are_shown(running: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: running.live.panel.state.text() == "tracking", timeout=PATIENCE)
    qtbot.waitUntil(lambda: "frames/s" in running.live.panel.numbers.text(), timeout=PATIENCE)
    assert running.live.charts.names == ["pose_yaw", "mouth_opening"]
    numbers = running.live.panel.numbers
    running.resize(1280, 720)
    qtbot.waitUntil(lambda: "pitch" in numbers.text(), timeout=PATIENCE)
    assert numbers.width() >= numbers.minimumSizeHint().width()  # nothing is cut off


def test_a_drag_freezes_teaches_and_goes_on(running: MainWindow, qtbot: QtBot) -> None:
    live = running.live
    session = live.session
    assert session is not None
    frame = session.freeze((0.0, 0.0), 1.0)  # only to stand still: no point is there
    assert frame is None
    canvas = live.canvas
    place = QPoint()

    def grab() -> bool:  # the head moves on while a busy machine comes to it
        nonlocal place
        shown = live.shown_frame
        assert shown is not None
        place = QPoint(*np.rint(canvas.to_screen(shown.faces[0].points[8])).astype(int).tolist())
        gestures.press(canvas, place)
        return live.frozen

    qtbot.waitUntil(grab, timeout=PATIENCE)
    assert session.editor is not None
    before = session.editor.points[8].copy()
    gestures.move(canvas, place + QPoint(0, 20))
    assert session.editor.points[8, 1] > before[1] + 5
    assert live.shown_frame is not None
    index = live.shown_frame.frame.index
    gestures.release(canvas, place + QPoint(0, 20))
    assert not live.frozen
    qtbot.waitUntil(
        lambda: live.shown_frame is not None and live.shown_frame.frame.index > index + 3,
        timeout=PATIENCE,
    )


def test_a_point_is_taught_by_keys(running: MainWindow, qtbot: QtBot) -> None:
    live, bar = running.live, running.findChild
    assert not bar(QAction, "live_next_point").isEnabled()  # Tab goes through the controls

    def freeze() -> bool:  # a busy machine may have lost the face for a moment
        bar(QAction, "freeze").trigger()
        return live.frozen

    qtbot.waitUntil(freeze, timeout=PATIENCE)
    assert live.session is not None
    assert live.session.editor is not None
    before = live.session.editor.points[1].copy()
    for name in ("live_next_point", "live_next_point", *["live_down"] * 6, "live_right"):
        assert bar(QAction, name).isEnabled()
        bar(QAction, name).trigger()
    assert (live.session.editor.points[1] - before).tolist() == [1, 6]
    bar(QAction, "teach").trigger()
    assert not live.frozen
    assert "1 correction of this face" in running.message
    bar(QAction, "freeze").trigger()
    bar(QAction, "teach").trigger()
    assert "nothing was moved" in running.message


def test_drags_within_a_freeze_collect_until_return(running: MainWindow) -> None:
    live, key = running.live, running.findChild
    key(QAction, "freeze").trigger()
    session, canvas = live.session, live.canvas
    assert session is not None
    assert session.editor is not None
    before = session.editor.points.copy()
    for point in (8, 30):
        place = canvas.to_screen(session.editor.points[point])
        gestures.drag(canvas, QPoint(*np.rint(place).astype(int).tolist()), QPoint(0, 12))
        assert live.frozen
    moved = np.flatnonzero(np.abs(session.editor.points - before).max(axis=1) > 1)
    assert moved.tolist() == [8, 30]
    gestures.drag(canvas, QPoint(3, 3), QPoint(0, 5))  # where no point is
    assert live.frozen
    (shown,) = canvas._faces
    assert session.taught is not None
    assert shown.confidence is not None
    assert np.array_equal(shown.confidence, session.taught.confidence, equal_nan=True)
    assert np.isfinite(shown.confidence).all()
    key(QAction, "teach").trigger()
    assert not live.frozen
    assert "1 correction of this face" in running.message


def test_frames_of_a_freeze_do_not_count_as_dropped(running: MainWindow, qtbot: QtBot) -> None:
    live = running.live
    session = live.session
    assert session is not None
    live.recording.toggle_record()
    live.correcting.freeze()
    dropped = session.untracked
    qtbot.waitUntil(lambda: session.stood_still > 10, timeout=PATIENCE)
    assert session.untracked == dropped
    live.correcting.cancel_freeze()
    live.recording.toggle_record()
    recorder = live.recording.last
    assert recorder is not None
    table = read_openface(recorder.base.with_suffix(".csv"))
    assert table.reason.count(FROZEN) > 8
    assert table.frame.tolist() == list(range(len(table)))
    assert FROZEN in live.panel.recording.recorded.text()


def test_the_camera_rests_behind_another_tab_and_comes_back(
    running: MainWindow, qtbot: QtBot
) -> None:
    session = running.live.session
    assert session is not None
    running.show_annotate()
    assert session.paused
    qtbot.waitUntil(lambda: session._frames.take(timeout=0.3) is None, timeout=PATIENCE)
    running.show_live()
    assert running.live.session is session  # what was learned is still there
    index = session.tracking._last.frame.index  # type: ignore[union-attr]
    qtbot.waitUntil(
        lambda: running.live.shown_frame.frame.index > index + 5,  # type: ignore[union-attr]
        timeout=PATIENCE,
    )
    running.live._show_numbers()
    assert 0 <= session.meter.latency() < 60_000


def test_a_recording_goes_on_behind_other_tabs_with_a_sign(
    running: MainWindow, qtbot: QtBot
) -> None:
    live = running.live
    live.panel.recording.subject.setText("Anna")
    live.recording.toggle_record()
    running.show_evaluate()
    session = live.session
    assert session is not None
    assert not session.paused
    sign = running.tabs.cornerWidget()
    qtbot.waitUntil(lambda: "recording 0:01" in sign.text(), timeout=PATIENCE)
    assert sign.isVisible()
    live.recording.toggle_record()
    assert session.paused  # nothing keeps the camera on any more
    assert sign.text() == ""
    running.show_live()
    assert "s: Anna-2" in running.message
    assert live.panel.recording.recorded.text().startswith("recorded ")


def test_a_file_ends_at_its_end_and_its_recording_with_it(
    window: MainWindow, qtbot: QtBot, clip: Path
) -> None:
    live = window.live
    live.choose(str(clip))
    live.start()
    live.recording.toggle_record()
    qtbot.waitUntil(lambda: not live.running, timeout=PATIENCE)
    assert live.panel.state.text() == "clip.mp4 has ended"
    assert live.recording.last is not None
    first = live.recording.last._first
    assert first is not None
    table = read_openface(live.recording.last.base.with_suffix(".csv"))
    assert table.frame.tolist() == list(range(N - first[0]))
    assert table.timestamp.max() == pytest.approx((N - 1) / 30 - first[1], abs=0.01)


def test_a_recording_is_opened_in_annotate(running: MainWindow, qtbot: QtBot) -> None:
    live = running.live
    for kind, sentence in ((LANDMARKS, "holds no picture"), (VIDEO, "")):
        live.panel.recording.kinds.setCurrentText(kind)
        live.recording.toggle_record()
        qtbot.waitUntil(
            lambda: live.session.recorder.account.frames > 5,  # type: ignore[union-attr]
            timeout=PATIENCE,
        )
        live.recording.toggle_record()
        running.findChild(QAction, "annotate_recording").trigger()
        assert sentence in running.message
    assert running.shown == "annotate"
    qtbot.waitUntil(lambda: running.annotate.annotator is not None, timeout=PATIENCE)


def test_event_keys_mark_the_chart_the_table_and_the_session(
    running: MainWindow, qtbot: QtBot
) -> None:
    live, key = running.live, running.findChild
    running.settings.event_keys = ["cough", "stimulus ..."]
    session = live.session
    assert session is not None
    key(QAction, "live_event_1").trigger()
    assert "marked: cough; not kept" in running.message
    qtbot.waitUntil(lambda: "cough" in live.charts.shown["pose_yaw"].named, timeout=PATIENCE)
    live.panel.recording.kinds.setCurrentText(VIDEO)
    live.recording.toggle_record()

    def recorded(frames: int) -> None:
        qtbot.waitUntil(
            lambda: session.recorder.account.frames > frames,  # type: ignore[union-attr]
            timeout=PATIENCE,
        )

    recorded(5)
    key(QAction, "live_event_2").trigger()
    assert "lasts until key 2" in running.message
    recorded(session.recorder.account.frames + 10)  # type: ignore[union-attr]
    key(QAction, "live_event_3").trigger()
    recorded(session.recorder.account.frames + 3)  # type: ignore[union-attr]
    live.recording.toggle_record()  # ends the interval, too
    assert live.recording.last is not None
    base = live.recording.last.base
    human = [e for e in read_events(base.with_suffix(".events.csv")) if e.source == "human"]
    assert [e.event.name for e in human] == ["stimulus", "event 3"]
    stimulus, third = (e.event for e in human)
    assert 0 < stimulus.start < third.start <= stimulus.stop
    key(QAction, "annotate_recording").trigger()
    qtbot.waitUntil(
        lambda: (
            running.annotate.annotator is not None
            and len(running.annotate.annotator.session.spans) == 2
        ),
        timeout=PATIENCE,
    )


def test_numbers_that_are_not_known_are_blank(running: MainWindow) -> None:
    live = running.live
    session, shown = live.session, live.shown_frame
    assert session is not None
    assert shown is not None
    session.meter.clear()
    pose = Pose((-0.001, 0.001, 0.4), (0.0, 0.0, 0.0))
    live.panel.show_numbers(session, replace(shown, faces=(replace(shown.faces[0], pose=pose),)))
    text = live.panel.numbers.text()
    assert "nan" not in text
    assert "0°, 0°, +23°" in text
    session.meter.add(200.0, 6.0)  # painted before it came: another tab was shown
    assert np.isnan(session.meter.latency())
    session.tracking.steadiness = 2.0, 1.0, 10.0
    live.panel.show_numbers(session, shown)
    assert "jitter 1.00 %" in live.panel.steadiness.text()
    live.stop()
    assert "not yet measured" in live.panel.steadiness.text()


def test_esc_goes_on_without_a_correction(running: MainWindow, qtbot: QtBot) -> None:
    live = running.live
    shown = live.shown_frame
    assert shown is not None
    place = QPoint(*np.rint(live.canvas.to_screen(shown.faces[0].points[8])).astype(int).tolist())
    gestures.press(live.canvas, place)
    live.toggle_adapt()  # while the tracker stands still
    live.toggle_adapt()
    live.correcting.cancel_freeze()
    assert not live.frozen


@pytest.mark.parametrize("kind", KINDS)
def test_recording_writes_what_was_chosen(
    running: MainWindow, qtbot: QtBot, tmp_path: Path, kind: str
) -> None:
    live = running.live
    live.panel.recording.kinds.setCurrentText(kind)
    live.recording.toggle_record()
    qtbot.waitUntil(
        lambda: (
            live.session is not None
            and live.session.recorder is not None
            and live.session.recorder.account.frames > 5
        ),
        timeout=PATIENCE,
    )
    live.recording.toggle_record()
    assert not live.recording.going_on
    (csv,) = (f for f in (tmp_path / "recordings").glob("*.csv") if f.suffixes == [".csv"])
    assert len(read_openface(csv)) > 5
    signals = read_signals(csv.with_suffix(".signals.csv"))
    assert signals.frame.tolist() == list(range(len(read_openface(csv))))
    assert read_events(csv.with_suffix(".events.csv")) is not None
    assert "eye_openness_reason" in csv.with_suffix(".columns.csv").read_text()
    assert not list((tmp_path / "recordings").glob("*partial*"))
    assert f"s: {csv.stem} (table, signals, events" in running.message
    assert str(csv.parent) in running.message
    videos = list((tmp_path / "recordings").glob("*.mp4"))
    assert len(videos) == (kind != LANDMARKS)
    for path in videos:
        with av.open(str(path)) as video:
            picture = next(video.decode(video=0)).to_ndarray(format="gray")
        ground = float((np.abs(picture.astype(float) - 32) < 12).mean())
        assert (ground > 0.8) == (kind == FACELESS)  # an empty ground instead of a room


def test_choices_are_remembered(running: MainWindow) -> None:
    live = running.live
    live.panel.smoothing.setValue(0)
    live.panel.mirror.setChecked(True)
    live.panel.charts.chosen.emit(["quality"])
    running.close()
    saved = running.settings
    assert (saved.smoothing, saved.mirror, saved.charts) == (0.0, True, ["quality"])


class Flaky(SyntheticVideo):
    """A camera that vanishes after ten frames, the first time."""

    failed = False

    def __iter__(self) -> Iterator[Frame]:
        for frame in super().__iter__():
            if frame.index == 10 and not Flaky.failed:
                Flaky.failed = True
                raise CameraError("camera 0: has vanished")
            yield frame


def test_a_camera_that_vanishes_is_said_and_found_again(
    window: MainWindow, qtbot: QtBot, shipped_model: FaceModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        capture, "_endless_demo",
        lambda model, size: Flaky(model, n_frames=10**5, clock=capture.SystemClock()),
    )  # fmt: skip
    heard: list[str] = []
    window.live.said.connect(lambda text, trouble, about: heard.append(text))
    window.live.start()
    state = window.live.panel.state
    qtbot.waitUntil(lambda: any("has vanished" in text for text in heard), timeout=PATIENCE)
    assert "has vanished" in state.text()
    window.live._show_numbers()  # four times a second: it must not say "tracking" meanwhile
    assert "has vanished" in state.text()
    qtbot.waitUntil(
        lambda: window.live.shown_frame is not None and window.live.shown_frame.frame.index > 15,
        timeout=PATIENCE,
    )
    assert heard[-1] == "all is well again"
    qtbot.waitUntil(lambda: state.text() in ("tracking", "searching for a face"), timeout=PATIENCE)


def test_a_person_is_saved_and_used_again(
    running: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    live = running.live
    shown = live.shown_frame
    assert shown is not None
    place = QPoint(*np.rint(live.canvas.to_screen(shown.faces[0].points[8])).astype(int).tolist())
    gestures.drag(live.canvas, place, QPoint(0, 15))
    assert "1 correction of this face" in running.message
    path = tmp_path / "ann.npz"
    live.people.save_person_to(path)
    assert path.stat().st_size < 5_000_000
    live.stop()
    (tmp_path / "broken.npz").write_bytes(path.read_bytes()[:1000])
    live.people.use_person(tmp_path / "broken.npz")
    live.start()
    assert not live.running
    assert "broken.npz" in running.message
    live.people.use_person(path)
    live.start()
    qtbot.waitUntil(lambda: _tracked(running), timeout=PATIENCE)


def test_adapting_is_switched_and_said(running: MainWindow, qtbot: QtBot) -> None:
    live = running.live
    live.toggle_adapt()
    assert live.session is not None
    assert live.session.adapting
    assert running.buttons["toggle_adapt"].text() == "Adapting"
    qtbot.waitUntil(lambda: live.panel.state.text() == "learning", timeout=PATIENCE)
    live.toggle_adapt()
    assert not live.session.adapting
    live.people.forget_person()
    assert "forgotten" in running.message


def test_a_recording_that_fails_ends(
    running: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OutputError("live.csv: cannot be written (the disk is full)")

    monkeypatch.setattr(OpenFaceWriter, "write", full)
    running.live.recording.toggle_record()
    qtbot.waitUntil(lambda: not running.live.recording.going_on, timeout=PATIENCE)
    assert running.live.panel.recording.recorded.text().startswith("ended by an error")
    assert "the disk is full" in running.message
    assert running.buttons["toggle_record"].text() == "Record"


def test_a_fifth_chart_is_not_ticked(window: MainWindow) -> None:
    box = window.live.panel.charts
    before = list(box.ticked)
    for row in range(1, box.count()):
        if box.itemData(row) not in box.ticked:
            box.activated.emit(row)
    assert len(window.live.charts.names) == 4
    assert window.live.charts.names[: len(before)] == before  # what is drawn stays where it is
    checked = [box.itemData(r) for r in range(box.count()) if box.model().item(r).checkState()]
    assert sorted(checked) == sorted(window.live.charts.names)
    box.activated.emit(0)  # the title
    box.activated.emit(box.findData(before[0]))
    assert window.live.charts.names[0] != before[0]
    assert window.live.panel.charts.currentIndex() == 0


def test_a_face_at_rest_is_counted_down_measured_and_cleared(
    window: MainWindow, qtbot: QtBot, ache: Aching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resting, "SECONDS", 3.0)
    live, key = window.live, window.findChild
    assert not key(QAction, "measure_rest").isEnabled()
    live.start()
    qtbot.waitUntil(lambda: _tracked(window), timeout=PATIENCE)
    key(QAction, "measure_rest").trigger()
    assert "no signal in the charts" in window.message
    live._choose_charts(["ache"])
    known = lambda: np.isfinite(live.charts._strip.current("ache").value)  # noqa: E731
    qtbot.waitUntil(known, timeout=PATIENCE)
    key(QAction, "measure_rest").trigger()
    live._show_numbers()
    assert live.panel.state.text() == "keep your face at rest: 3 s"

    def measured() -> bool:  # a busy machine may see too few frames
        if not live.resting.sentence and not live.has_rest:
            key(QAction, "measure_rest").trigger()
        return live.has_rest

    qtbot.waitUntil(measured, timeout=PATIENCE)
    assert window.message == "values are measured from the face at rest"
    assert live.charts.shown["ache"].title.startswith("ache from rest: ")
    qtbot.waitUntil(known, timeout=PATIENCE)
    drawn = live.charts._strip.curve("ache", 10.0).values
    assert np.isin(drawn[np.isfinite(drawn)], [-1.0, 0.0, 1.0]).all()  # 3, 4 and 5 before
    key(QAction, "clear_rest").trigger()
    assert not live.has_rest
    assert not key(QAction, "clear_rest").isEnabled()
    assert live.charts.shown["ache"].title.startswith("ache: ")
    live.stop()
