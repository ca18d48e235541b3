"""The live view: a synthetic camera, a drag that teaches, recording, a camera that vanishes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from PyQt5.QtCore import QPoint
from PyQt5.QtWidgets import QAction
from pytestqt.qtbot import QtBot

from facetrack.errors import CameraError, OutputError
from facetrack.formats.events_csv import read_events
from facetrack.formats.openface import OpenFaceWriter, read_openface
from facetrack.formats.signals_csv import read_signals
from facetrack.synthetic.video import SyntheticVideo
from facetrack.tracking.face_model import FaceModel
from facetrack.video.frame import Frame
from facetrack_app.services import capture
from facetrack_app.services.recorder import FACELESS, KINDS, LANDMARKS
from facetrack_app.views.main_window import MainWindow
from tests.app.views import gestures

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
    shown = live.shown_frame
    assert shown is not None
    canvas = live.canvas
    x, y = canvas.to_screen(shown.faces[0].points[8]).tolist()
    gestures.press(canvas, QPoint(round(x), round(y)))
    assert live.frozen
    assert session.editor is not None
    before = session.editor.points[8].copy()
    gestures.move(canvas, QPoint(round(x), round(y) + 20))
    assert session.editor.points[8, 1] > before[1] + 5
    gestures.release(canvas, QPoint(round(x), round(y) + 20))
    assert not live.frozen
    index = shown.frame.index
    qtbot.waitUntil(
        lambda: live.shown_frame is not None and live.shown_frame.frame.index > index + 3,
        timeout=PATIENCE,
    )


def test_a_point_is_taught_by_keys(running: MainWindow, qtbot: QtBot) -> None:
    live, bar = running.live, running.findChild
    assert not bar(QAction, "live_next_point").isEnabled()  # Tab goes through the controls
    bar(QAction, "freeze").trigger()
    assert live.frozen
    assert live.session is not None
    assert live.session.editor is not None
    before = live.session.editor.points[1].copy()
    for name in ("live_next_point", "live_next_point", *["live_down"] * 6, "live_right"):
        assert bar(QAction, name).isEnabled()
        bar(QAction, name).trigger()
    assert (live.session.editor.points[1] - before).tolist() == [1, 6]
    bar(QAction, "teach").trigger()
    assert not live.frozen
    assert "1 corrections of this face" in running.message
    bar(QAction, "freeze").trigger()
    bar(QAction, "teach").trigger()
    assert "nothing was moved" in running.message


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
    live.panel.kinds.setCurrentText(kind)
    live.recording.toggle_record()
    qtbot.waitUntil(
        lambda: (
            live.session is not None
            and live.session.recorder is not None
            and live.session.recorder.frames > 5
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
    assert f"recorded: {csv.with_suffix('')}" in running.message
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
    assert "1 corrections of this face" in running.message
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
    assert running.live.panel.recorded.text().startswith("ended by an error")
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
