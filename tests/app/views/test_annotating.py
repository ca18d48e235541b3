"""A person at work in the annotate view: what they see, and what must not go wrong meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import QPoint, QPointF, Qt
from PyQt5.QtGui import QPainter, QWheelEvent
from PyQt5.QtWidgets import QApplication, QFileDialog, QInputDialog, QWidget
from pytestqt.qtbot import QtBot

from facetrack.errors import OutputError
from facetrack.face import Source
from facetrack.formats.openface import read_openface
from facetrack_app.model import importing
from facetrack_app.model.commands import NewPerson, Rename
from facetrack_app.model.session import Session
from facetrack_app.services import exporting, opening
from facetrack_app.views import asking, dialogs, exchange, theme
from facetrack_app.views.main_window import MainWindow
from tests.app.views import gestures
from tests.app.views.hands import Hands, N


def wheel(widget: QWidget, at: QPoint, notches: int) -> None:
    place, turn = QPointF(at), QPoint(0, 120 * notches)
    event = QWheelEvent(
        place, QPointF(widget.mapToGlobal(at)), QPoint(), turn, Qt.NoButton, Qt.NoModifier,
        Qt.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


def test_the_wheel_zooms_at_the_pointer(hands: Hands) -> None:
    at = hands.place(36)
    before = hands.canvas.scale
    wheel(hands.canvas, at, 5)
    assert hands.canvas.scale > 2 * before
    moved = hands.place(36) - at
    assert max(abs(moved.x()), abs(moved.y())) <= 2
    timeline = hands.window.annotate.timeline
    wheel(timeline, QPoint(timeline.width() - 10, 20), 2)
    first, stop = timeline.window
    assert stop == N
    assert first > 0
    hands.key("squeeze_time")
    hands.key("squeeze_time")
    assert timeline.window == (0, N)
    hands.key("stretch_time")
    assert timeline.window != (0, N)
    hands.key("zoom_all")
    hands.key("zoom_in")
    assert hands.canvas.scale > before
    place = hands.place(30)
    for key in ("pan_left", "pan_up"):
        hands.key(key)
    assert (hands.place(30) - place).x() > 30
    assert (hands.place(30) - place).y() > 30
    for key in ("pan_right", "pan_down"):
        hands.key(key)
    assert hands.place(30) == place
    hands.key("zoom_out")
    assert hands.canvas.scale == pytest.approx(before)


def test_shuttling_pausing_and_stepping_out_of_it(hands: Hands) -> None:
    playback = hands.annotator.playback
    hands.go(10)
    hands.key("shuttle_on")
    hands.key("shuttle_on")
    assert playback.speed == 2
    hands.key("pause")
    assert playback.speed == 0
    hands.key("pause")
    assert playback.speed == 0
    hands.key("shuttle_back")
    hands.until(lambda: playback.frame < 8)
    hands.key("step_on")  # a step ends it
    assert playback.speed == 0
    hands.key("play")
    hands.window.show_live()
    assert playback.speed == 0


def test_the_speed_of_playing_is_chosen_and_shown(hands: Hands) -> None:
    transport, playback = hands.window.annotate.transport, hands.annotator.playback
    hands.key("slower")
    assert transport.pace.currentText() == "0.5x"
    for _ in range(5):
        hands.key("slower")
    assert (playback.pace, transport.pace.currentText()) == (0.1, "0.1x")
    transport.pace.setCurrentIndex(5)
    transport.pace.activated.emit(5)
    assert playback.pace == 4
    hands.key("faster")
    assert playback.pace == 4
    hands.go(0)
    hands.key("shuttle_on")
    hands.key("shuttle_on")
    assert playback.rate == 8
    assert "8x" in transport.place.text()
    hands.until(lambda: playback.frame == N - 1)
    hands.until(lambda: playback.speed == 0)
    assert "8x" not in transport.place.text()


def test_frames_are_shown_when_they_are_due(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("facetrack_app.views.moves.time.perf_counter", lambda: now[0])
    hands.go(0)
    shown = []
    hands.key("play")
    hands.window.annotate.moves.set_pace(0.5)
    for passed in (0.05, 0.2, 0.4):
        now[0] = 100.0 + passed
        hands.qtbot.wait(60)
        shown.append(hands.annotator.playback.frame)
    assert shown == [0, 3, 6]  # 30 frames/s
    hands.key("pause")


def test_the_worst_frame_is_gone_to(hands: Hands) -> None:
    session = hands.annotator.session
    with session.store.transaction():
        session.store.write("UPDATE track SET trust = 0.2 WHERE frame = 7")
    session.absorb(0, N)
    hands.key("worst_frame")
    hands.until(lambda: hands.annotator.shown == 7)
    assert hands.window.message == "worst frame no. 1: trust 0.20"


def test_doubtful_and_corrected_frames_are_found(hands: Hands) -> None:
    session = hands.annotator.session
    with session.store.transaction():
        session.store.write("UPDATE track SET trust = 0.2 WHERE frame IN (7, 8, 20)")
    session.absorb(0, N)
    hands.go(0)
    for key, frame in (("next_doubtful", 7), ("next_doubtful", 20), ("previous_doubtful", 7)):
        hands.key(key)
        hands.until(lambda frame=frame: hands.annotator.shown == frame)  # type: ignore[misc]
    hands.key("previous_doubtful")
    assert "no such frame" in hands.window.message
    hands.go(12)
    hands.key("accept")
    hands.go(20)
    hands.key("up")
    hands.until(lambda: hands.annotator.shown == 12)


def test_a_shape_is_copied_to_another_frame(hands: Hands) -> None:
    hands.key("paste_shape")
    assert "copy a shape first" in hands.window.message
    hands.go(4)
    hands.key("copy_shape")
    before = hands.annotator.view(0).points
    hands.go(20)
    hands.key("paste_shape")
    after = hands.annotator.view(0).points
    assert before is not None
    assert after is not None
    np.testing.assert_allclose(after, before, atol=1e-6)


def test_esc_puts_back_what_is_dragged_and_the_ghost_can_be_hidden(hands: Hands) -> None:
    hands.go(9)
    start = hands.place(57)
    gestures.press(hands.canvas, start)
    gestures.move(hands.canvas, start + QPoint(0, 20))
    hands.key("stop")
    gestures.release(hands.canvas, start + QPoint(0, 20))
    assert not hands.annotator.session.summary(0).corrected.any()
    hands.drag(57, QPoint(0, 20))
    hands.until(lambda: not hands.annotator.teaching.busy)
    assert hands.annotator.ghost is not None
    n_drawn = len(hands.canvas._faces)
    hands.key("toggle_ghost")
    assert len(hands.canvas._faces) == n_drawn - 1
    hands.annotator.run(NewPerson("Ann"))
    hands.annotator.choose(-1)
    assert hands.annotator.ghost is None  # it is the other one's


def test_others_are_drawn_solid_with_their_name_and_the_ghost_dashed(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    monkeypatch.setattr(
        QPainter, "drawText", lambda painter, *args: written.append(args[-1]), raising=False
    )
    hands.drag(8, QPoint(0, 10))
    hands.until(lambda: not hands.annotator.teaching.busy)
    hands.annotator.run(Rename(0, "Ann"))
    hands.new_person()
    (other,) = hands.canvas._faces[:-1]
    assert (other.label, other.ghost) == ("Ann", False)
    hands.canvas.repaint()
    assert "Ann" in written
    hands.annotator.choose(0)
    assert [face.ghost for face in hands.canvas._faces] == [False, True, False]


def test_the_video_that_was_wished_for_last_is_opened(
    hands: Hands, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    view, slow, real = hands.window.annotate, threading.Event(), opening.open_document

    def wait_then(source: Path, *args: object, **options: object) -> object:
        if source.name == "slow.mp4":
            slow.wait(60)
        return real(source, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("facetrack_app.views.annotate_view.open_document", wait_then)
    for name in ("slow.mp4", "fast.mp4"):
        (tmp_path / name).write_bytes(clip.read_bytes())
        view.open(tmp_path / name)
        view.open(tmp_path / name)  # a second click changes nothing
    hands.until(lambda: view.annotator is not None)
    slow.set()
    folder = tmp_path / "slow.mp4.facetrack"
    hands.until(lambda: (folder / "session.db").exists())
    hands.until(lambda: _can_be_opened(folder))
    assert hands.annotator.document.name == "fast.mp4"
    assert hands.window.windowTitle() == "fast.mp4 - Facetrack"


def _can_be_opened(folder: Path) -> bool:
    try:
        Session(folder, N).close()
    except ValueError:
        return False
    return True


def test_people_who_share_a_name_can_be_merged(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        hands.key("split_person")
    people = hands.annotator.session.people
    for person in list(people):
        hands.annotator.run(Rename(person, "Ann"))
    asked: list[list[str]] = []

    def choose(parent: object, title: str, label: str, names: list[str], **more: object) -> object:
        asked.append(names)
        return names[0], True

    monkeypatch.setattr(QInputDialog, "getItem", choose)
    hands.key("merge_people")
    assert len(set(asked[0])) == 2
    assert len(people) == 2


def test_a_name_that_is_not_given_marks_nothing(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QInputDialog, "getItem", lambda *a, **k: ("x", False))
    hands.key("mark_event")
    hands.go(6)
    hands.key("mark_event")
    assert hands.annotator.session.spans == []


def test_what_is_known_of_a_frame_is_said(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QInputDialog, "getItem", lambda *a, **k: ("blink", True))
    state = hands.window.annotate.panel.state
    hands.go(3)
    assert state.text().startswith("plain track, trust")
    for key in ("mark_event", "mark_event", "exclude_range", "exclude_range"):
        hands.key(key)
    assert state.text().endswith("; blink; left out")
    hands.new_person()
    assert state.text().startswith("placed, not corrected")
    hands.go(4)
    assert state.text() == "not tracked"
    hands.key("time_zero")
    assert "-0.0" not in hands.window.annotate.transport.place.text()
    assert "+0.00 s" in hands.window.annotate.transport.place.text()


def test_a_rest_is_named_by_two_presses_and_taken_back_by_one(hands: Hands) -> None:
    hands.go(3)
    hands.key("mark_rest")
    assert "press the key once more" in hands.window.message
    hands.go(12)
    hands.key("mark_rest")
    session = hands.annotator.session
    assert session.setting("rest/0") == [3, 13]
    assert hands.window.message == "at rest: frames 4 to 13"
    hands.key("undo")
    assert session.setting("rest/0") is None
    hands.key("redo")
    assert session.setting("rest/0") == [3, 13]


@pytest.mark.parametrize(("kind", "name"), [("csv", "a.csv"), ("pts", "a"), ("coco", "a.json")])
def test_sources_of_all_points_survive_every_format(
    hands: Hands, tmp_path: Path, kind: str, name: str
) -> None:
    hands.go(9)
    hands.drag(8, QPoint(0, 12))
    for key in ("next_point", "toggle_occluded", "next_point", "mark_absent"):
        hands.key(key)
    hands.go(20)
    hands.key("next_point")
    hands.key("toggle_occluded")  # a frame in which nothing but this was said
    hands.until(lambda: not hands.annotator.teaching.busy)
    hands.annotator.cancel()
    before = {f: hands.annotator.session.view(0, f) for f in (5, 9, 20)}
    sources = before[9].source
    assert sources is not None
    assert {Source.CORRECTED, Source.OCCLUDED, Source.ABSENT} <= set(sources.tolist())
    path = tmp_path / name
    hands.exchange.export_to(kind, path)
    hands.until(lambda: "frames written" in hands.window.message)
    hands.exchange.import_from(path)
    hands.until(lambda: "imported" in hands.window.message)
    imported = min(hands.annotator.session.people)
    for frame, view in before.items():
        again = hands.annotator.session.view(imported, frame)
        assert (again.correction is None) == (view.correction is None)
        np.testing.assert_array_equal(again.source, view.source)
        assert again.points is not None
        assert view.points is not None
        np.testing.assert_allclose(again.points, view.points, atol=2e-3)


def test_an_import_while_people_change_hurts_nobody(
    hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    hands.exchange.export_to("csv", path)
    hands.until(lambda: "frames written" in hands.window.message)
    hold, real = threading.Event(), importing.read_tracks

    def wait_then(*args: object) -> object:
        hold.wait(60)
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(exchange, "read_tracks", wait_then)
    hands.exchange.import_from(path)
    hands.new_person()
    hold.set()
    people = hands.annotator.session.people
    hands.until(lambda: "Imported 1" in hands.annotator.session.people.values())
    assert list(people) == [0, -1]
    assert list(hands.annotator.session.people.values()) == ["Person 1", "Person 2", "Imported 1"]
    hold.clear()
    hands.exchange.import_from(path)
    hands.window.annotate.close_document()
    hold.set()
    hands.until(lambda: "its video was closed" in hands.window.message)


def test_an_export_that_fails_is_said_and_one_at_the_end_is_still_written(
    hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "full").write_text("")
    hands.exchange.export_to("csv", tmp_path / "full" / "a.csv")
    hands.until(lambda: "cannot be written" in hands.window.message)
    hold = threading.Event()
    real = exporting.export_document

    def wait_then(*args: object) -> str:
        hold.wait(60)
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(exchange, "export_document", wait_then)
    hands.exchange.export_to("csv", tmp_path / "a.csv")
    (thread,) = (t for t in threading.enumerate() if t.name == "work" and not t.daemon)
    hands.window.close()
    hold.set()
    thread.join(60)
    assert len(read_openface(tmp_path / "a.csv")) == N


def test_a_reader_that_cannot_be_had_is_said(
    hands: Hands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail() -> None:
        raise OutputError("session.db: cannot be read; check the disk")

    monkeypatch.setattr(hands.annotator.session, "reader", fail)
    hands.exchange.export_to("csv", tmp_path / "a.csv")
    assert "check the disk" in hands.window.message


def test_names_get_their_suffix_before_anything_is_overwritten(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)

    def accept(dialog: QFileDialog) -> int:
        dialog.selectFile(str(tmp_path / "mine"))
        return 1

    monkeypatch.setattr(QFileDialog, "exec", accept)
    assert asking.ask_where(parent, "?", tmp_path / "a.csv", ".csv") == tmp_path / "mine.csv"
    assert asking.ask_where(parent, "?", tmp_path / "a") == tmp_path / "mine"
    monkeypatch.setattr(QFileDialog, "exec", lambda dialog: 0)
    assert asking.ask_where(parent, "?", tmp_path / "a.csv", ".csv") is None


def test_another_theme_reaches_charts_and_curves(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialogs.SettingsDialog, "exec", lambda dialog: 1)
    for look in ("light", "dark"):
        window.settings.theme = look
        window.show_settings()
        ground = theme.palette(look).base().color()
        assert window.live.charts._graphics.backgroundBrush().color() == ground
        assert window.evaluate.plots.curves.backgroundBrush().color() == ground


def test_the_desktops_own_palette_decides_where_nothing_is_chosen(qapp: QApplication) -> None:
    known = qapp.property(theme._DESKTOP)
    try:
        for look in ("light", "dark"):
            qapp.setProperty(theme._DESKTOP, None)
            qapp.setPalette(theme.palette(look))
            for _ in range(2):  # ours has replaced it the second time
                theme.apply(qapp, "system")
                assert qapp.palette().window().color() == theme.palette(look).window().color()
                theme.apply(qapp, "light")
    finally:
        qapp.setProperty(theme._DESKTOP, known)
        theme.apply(qapp, "dark")
