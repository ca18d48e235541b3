"""The annotate view by mouse and keys; what is checked is the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtWidgets import QCheckBox, QComboBox, QInputDialog, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from facetrack.face import Source
from facetrack.formats.openface import read_openface
from facetrack_app.model.actions import ACTIONS, ANNOTATE, EVALUATE, LIVE, WINDOW
from facetrack_app.views.main_window import MainWindow
from facetrack_app.views.timeline_rows import GUTTER
from tests.app.views import gestures
from tests.app.views.hands import PATIENCE, Hands, N


def test_every_action_has_a_part_that_does_it(hands: Hands) -> None:
    window = hands.window
    views: dict[str, Any] = {
        LIVE: window.live, ANNOTATE: window.annotate, EVALUATE: window.evaluate,
    }  # fmt: skip
    parts_of: dict[str, tuple[Any, ...]] = {
        LIVE: window.live.parts, ANNOTATE: window.annotate.parts,
        EVALUATE: window.evaluate.parts, WINDOW: (window,),
    }  # fmt: skip
    for action in ACTIONS:
        parts = parts_of[action.view]
        assert any(callable(getattr(part, action.id, None)) for part in parts), action.id
        if action.needs:
            assert hasattr(views[action.view], action.needs), action.id


def test_dragging_a_point_corrects_learns_and_can_be_undone(hands: Hands) -> None:
    hands.go(12)
    before = hands.annotator.view(0).points
    hands.drag(8, QPoint(0, 14))
    assert hands.annotator.session.summary(0).corrected[12]
    after = hands.annotator.view(0).points
    assert before is not None
    assert after is not None
    moved = after - before
    assert moved[8, 1] == pytest.approx(14 / hands.canvas.scale, abs=0.8)
    assert np.abs(np.delete(moved, 8, axis=0)).max() < 1e-4
    hands.until(lambda: "tracked anew" in hands.window.message)
    assert (hands.annotator.session.summary(0).kind == 2).sum() > 10, hands.window.message
    hands.key("undo")
    assert not hands.annotator.session.summary(0).corrected.any()
    assert not (hands.annotator.session.summary(0).kind == 2).any()
    hands.key("redo")
    assert hands.annotator.session.summary(0).corrected[12]


def test_shift_drags_the_whole_shape(hands: Hands) -> None:
    hands.go(5)
    before = hands.annotator.view(0).points
    hands.drag(30, QPoint(20, 0), Qt.ShiftModifier)
    after = hands.annotator.view(0).points
    assert before is not None
    assert after is not None
    np.testing.assert_allclose((after - before)[:, 0], 20 / hands.canvas.scale, atol=0.8)


def test_arrows_step_or_nudge(hands: Hands) -> None:
    hands.go(5)
    hands.key("right")
    hands.until(lambda: hands.annotator.shown == 6)
    hands.key("next_point")
    editor = hands.annotator.editor
    assert editor is not None
    assert editor.selected == 0
    x = editor.points[0, 0]
    hands.key("right_far")
    assert hands.annotator.shown == 6
    view = hands.annotator.view(0)
    assert view.points is not None
    assert view.points[0, 0] == pytest.approx(x + 10, abs=1e-3)
    hands.key("step_on")
    hands.until(lambda: hands.annotator.shown == 7)


def test_a_selected_point_is_forgotten_with_its_frame(hands: Hands) -> None:
    hands.go(5)
    hands.key("reach_region")
    hands.qtbot.mouseClick(hands.canvas, Qt.LeftButton, Qt.NoModifier, hands.place(51))
    assert hands.annotator.editor is not None
    assert hands.annotator.editor.selected == 51
    hands.key("step_on")
    hands.key("right")  # before the picture has come
    hands.until(lambda: hands.annotator.shown == 7)
    hands.key("right")
    hands.until(lambda: hands.annotator.shown == 8)
    hands.key("down")
    assert not hands.annotator.session.summary(0).corrected.any()
    hands.key("next_point")
    hands.new_person()
    assert hands.annotator.editor is not None
    assert hands.annotator.editor.selected is None  # it was another one's


def test_every_press_of_a_nudge_is_one_step_and_says_what_was_carried_along(hands: Hands) -> None:
    hands.go(5)
    before = hands.annotator.view(0).points
    hands.key("reach_region")
    hands.qtbot.mouseClick(hands.canvas, Qt.LeftButton, Qt.NoModifier, hands.place(57))
    assert before is not None
    for _ in range(3):
        hands.key("down")
    view = hands.annotator.view(0)
    assert view.points is not None
    assert view.source is not None
    assert view.points[57, 1] == pytest.approx(before[57, 1] + 3, abs=1e-3)
    moved = (view.points - before)[:, 1]
    human = view.source == Source.CORRECTED
    assert human[57]
    assert (moved[human] >= 1.5 - 1e-3).all()
    carried = view.source == Source.INTERPOLATED
    assert carried.any()
    assert " along: not yours" in hands.window.message
    assert (moved[~human & ~carried] == 0).all()
    for left in (2, 1, 0):
        hands.key("undo")
        points = hands.annotator.view(0).points
        assert points is not None
        assert points[57, 1] == pytest.approx(before[57, 1] + left, abs=1e-3)
    assert not hands.annotator.session.summary(0).corrected.any()


def test_nobody_vouches_for_points_that_are_not_shown(hands: Hands) -> None:
    hands.go(5)
    for _ in range(2):
        hands.key("next_markup")
    assert hands.annotator.markup == 49
    hands.key("accept")
    source = hands.annotator.view(0).source
    assert source is not None
    assert (source == Source.CORRECTED).sum() == 49
    assert (source[:17] == Source.TRACKED).all()
    hands.drag(30, QPoint(9, 0), Qt.ShiftModifier)
    source = hands.annotator.view(0).source
    assert source is not None
    assert (source == Source.CORRECTED).sum() == 49
    assert (source[:17] == Source.INTERPOLATED).all()


def test_hidden_and_absent_points(hands: Hands) -> None:
    hands.go(4)
    hands.qtbot.mouseClick(hands.canvas, Qt.LeftButton, Qt.NoModifier, hands.place(30))
    hands.key("toggle_occluded")
    assert hands.annotator.view(0).source is not None
    assert hands.annotator.view(0).source[30] == Source.OCCLUDED  # type: ignore[index]
    hands.key("mark_absent")
    points = hands.annotator.view(0).points
    assert points is not None
    assert np.isnan(points[30]).all()


def test_scrubbing_zooming_and_panning(hands: Hands) -> None:
    timeline = hands.window.annotate.timeline
    middle = QPoint(GUTTER + timeline.columns // 2, 20)
    hands.qtbot.mouseClick(timeline, Qt.LeftButton, Qt.NoModifier, middle)
    hands.until(lambda: abs(hands.annotator.shown - N // 2) <= 1)
    whole = hands.canvas.scale
    hands.key("zoom_face")
    assert hands.canvas.scale > 1.2 * whole
    place = hands.place(30)
    gestures.drag(hands.canvas, QPoint(100, 100), QPoint(30, -10), Qt.MiddleButton)
    moved = hands.place(30) - place
    assert abs(moved.x() - 30) <= 1
    assert abs(moved.y() + 10) <= 1
    hands.key("zoom_all")
    assert hands.canvas.scale == pytest.approx(whole)


def test_playing_goes_on_and_stops_at_the_end(hands: Hands) -> None:
    hands.go(20)
    hands.key("play")
    hands.until(lambda: hands.annotator.playback.frame == N - 1)
    hands.until(lambda: hands.annotator.playback.speed == 0)


def test_people_are_renamed_split_and_merged(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    hands.go(10)
    monkeypatch.setattr(QInputDialog, "getText", lambda *a, **k: ("Ann", True))
    hands.key("rename_person")
    assert hands.annotator.session.people[0] == "Ann"
    hands.key("split_person")
    assert len(hands.annotator.session.people) == 2
    assert not hands.annotator.session.summary(0).seen[10:].any()
    monkeypatch.setattr(QInputDialog, "getItem", lambda *a, **k: ("Person 2", True))
    hands.key("merge_people")
    assert list(hands.annotator.session.people) == [0]
    assert hands.annotator.session.summary(0).seen.all()


def test_marks_and_trimming(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QInputDialog, "getItem", lambda *a, **k: ("blink", True))
    hands.go(3)
    hands.key("mark_event")
    hands.go(6)
    hands.key("mark_event")
    (span,) = hands.annotator.session.spans
    assert (span.kind, span.start, span.stop, span.label) == ("event", 3, 7, "blink")
    hands.key("remove_mark")
    assert hands.annotator.session.spans == []
    hands.key("trim_start")
    assert hands.annotator.session.excluded()[:6].all()
    hands.key("time_zero")
    assert hands.annotator.session.setting("time_zero") == 6


def test_sources_survive_export_and_import(hands: Hands, tmp_path: Path) -> None:
    hands.go(9)
    hands.drag(8, QPoint(0, 12))
    hands.until(lambda: not hands.annotator.teaching.busy)
    path = tmp_path / "out.csv"
    hands.exchange.export_to("csv", path)
    hands.until(path.exists)
    table = read_openface(path)
    assert table.source[9, 8] == Source.CORRECTED
    assert (table.source[10] == Source.LEARNED).all()
    hands.exchange.import_from(path)
    hands.until(lambda: len(hands.annotator.session.people) == 2)
    imported = min(hands.annotator.session.people)
    again = hands.annotator.session.view(imported, 9)
    assert again.correction is not None
    assert again.source is not None
    np.testing.assert_array_equal(again.source, table.source[9])
    hands.key("undo")
    assert imported not in hands.annotator.session.people


@pytest.mark.filterwarnings("ignore:.*rows are left out")
def test_what_an_import_leaves_out_is_said_and_kept_as_a_note(hands: Hands, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    hands.exchange.export_to("csv", path)
    hands.until(path.exists)
    lines = path.read_text().splitlines()
    lines[3] = lines[3].replace(",", ";", 1)
    path.write_text("\n".join(lines) + "\n")
    said = dict[str, tuple[str, bool]]()
    hands.annotator.said.connect(lambda text, trouble, about: said.update({about: (text, trouble)}))
    hands.exchange.import_from(path)
    hands.until(lambda: said.get("import", ("",))[0].startswith("imported"))
    text, trouble = said["import"]
    assert trouble
    assert f"{path}: 1 rows are left out, the first in line 4: " in text
    (note,) = (note for note in hands.annotator.notes if str(path) in note)
    assert note in text


def test_importing_another_videos_tracks_is_refused(hands: Hands, tmp_path: Path) -> None:
    from facetrack.formats.openface import write_openface
    from facetrack.formats.table import make_table

    path = tmp_path / "other.csv"
    write_openface(path, make_table([N + 5], np.ones((1, 68, 2)), timestamp=0.0))
    hands.exchange.import_from(path)
    hands.until(lambda: "was it made from another video?" in hands.window.message)


def test_a_file_that_is_no_video_is_said(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("no video")
    window.open(path)
    qtbot.waitUntil(lambda: "notes.mp4" in window.message, timeout=PATIENCE)
    assert window.annotate.annotator is None


def test_a_read_only_folder_keeps_its_session_elsewhere(
    window: MainWindow, qtbot: QtBot, clip: Path, tmp_path: Path
) -> None:
    video = tmp_path / "disc" / "clip.mp4"
    video.parent.mkdir()
    video.write_bytes(clip.read_bytes())
    (tmp_path / "disc" / "clip.mp4.facetrack").write_text("stands for a disc that is read-only")
    window.open(video)
    qtbot.waitUntil(lambda: "the session lies in" in window.message, timeout=PATIENCE)
    qtbot.waitUntil(lambda: window.annotate.annotator is not None, timeout=PATIENCE)
    annotator = window.annotate.annotator
    assert annotator is not None
    assert annotator.session.folder.is_relative_to(tmp_path / "data")


def test_signals_are_drawn_and_follow_corrections_and_zoom(hands: Hands) -> None:
    view = hands.window.annotate
    view.transport.choose(["mouth_opening", "pose_yaw"])
    hands.until(lambda: not hands.annotator.analysing.busy and len(view.timeline.curves) == 2)
    hands.until(lambda: bool(np.isfinite(view.timeline.curves[0].least).all()))
    before = view.timeline.curves[0]
    assert before.spec.name == "mouth_opening"
    assert len(before.least) == N
    hands.go(12)
    hands.drag(66, QPoint(0, 40))
    opened = before.least[12] + 0.02
    hands.until(lambda: bool(view.timeline.curves[0].least[12] > opened))
    view.timeline.zoom_by(3)
    hands.until(lambda: len(view.timeline.curves[0].least) < N)
    hands.key("next_signal")
    hands.until(lambda: [c.spec.name for c in view.timeline.curves] == ["pose_roll"])
    view.transport.choose([])
    assert not view.timeline.curves


@pytest.mark.parametrize("back", ["next_person", "delete_person", "undo"])
def test_signals_are_those_of_the_person_whoever_chooses(hands: Hands, back: str) -> None:
    view = hands.window.annotate
    view.transport.choose(["mouth_opening"])

    def known(share: float) -> bool:
        curves = view.timeline.curves
        return bool(curves) and bool(np.isfinite(curves[0].least).mean() == share)

    hands.until(lambda: not hands.annotator.analysing.busy and known(1))
    hands.new_person()
    hands.until(lambda: known(0))
    hands.key(back)
    hands.until(lambda: known(1))


def test_signals_are_chosen_from_those_that_there_are(hands: Hands) -> None:
    transport = hands.window.annotate.transport
    transport.choose([])
    transport.menu.aboutToShow.emit()
    names = [action.text() for action in transport.menu.actions()]
    assert "pose yaw (deg)" in names
    assert "blink" not in names
    for _ in range(3):
        transport.menu.aboutToShow.emit()
        next(a for a in transport.menu.actions() if a.isCheckable() and not a.isChecked()).trigger()
    transport.menu.aboutToShow.emit()
    assert sum(action.isChecked() for action in transport.menu.actions()) == 3
    signals = [action for action in transport.menu.actions() if action.isCheckable()]
    assert sum(action.isEnabled() for action in signals) == 3
    assert hands.window.settings.curves == list(transport.chosen)


def test_new_people_stand_in_the_middle(hands: Hands) -> None:
    hands.new_person()
    person = min(hands.annotator.session.people)
    points = hands.annotator.session.view(person, hands.annotator.shown).points
    assert points is not None
    np.testing.assert_allclose(points.mean(axis=0), [160, 120], atol=25)


def test_nothing_is_cut_off_at_1280_by_720(hands: Hands) -> None:
    hands.window.annotate.transport.show_progress("writing a_video_with_a_long_name_100%.mp4", 0.5)
    hands.window.buttons["toggle_tracking"].show()
    hands.window.resize(1280, 720)
    hands.qtbot.wait(50)
    assert (hands.window.width(), hands.window.height()) == (1280, 720)
    for panel in (hands.window.annotate.panel, hands.window.live.panel):
        assert panel.minimumSizeHint().height() <= 720 - 60
    for place in range(3):
        hands.window.tabs.setCurrentIndex(place)
        hands.qtbot.wait(20)
        for label in hands.window.view.findChildren(QLabel):
            if label.isVisible() and not label.wordWrap():
                assert label.width() >= label.minimumSizeHint().width(), label.text()
        for control in hands.window.view.findChildren((QPushButton, QCheckBox, QComboBox)):
            text = control.currentText() if isinstance(control, QComboBox) else control.text()
            if control.isVisible():
                assert control.width() > control.fontMetrics().horizontalAdvance(text), text
    bar = hands.window.annotate.transport.progress
    hands.window.annotate.transport.show_progress("tracking, 59 min 30 s left", 0.5)
    assert bar.text() == "tracking, 59 min 30 s left"
    hands.window.annotate.transport.show_progress("writing a_video_with_a_long_name_100%.mp4", 0.5)
    assert bar.fontMetrics().horizontalAdvance(bar.text()) < bar.width()
    assert bar.text().startswith("writing")
    assert bar.text().endswith("100%.mp4")


def test_pictures_are_named_and_a_broken_one_shows_why(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("img (1).png", "img (10).png"):
        (folder / name).write_bytes(cv2.imencode(".png", np.zeros((60, 80), np.uint8))[1].tobytes())
    (folder / "img (2).png").write_bytes(b"no picture")
    window.open(folder)
    view = window.annotate
    qtbot.waitUntil(lambda: view.annotator is not None, timeout=30_000)
    assert window.message.startswith("opened: pictures, 3 pictures")
    annotator = view.annotator
    assert annotator is not None
    qtbot.waitUntil(lambda: annotator.frame is not None, timeout=30_000)
    assert annotator.session.stills
    assert "1 / 3   img (1).png" in view.transport.place.text()
    annotator.show(1)
    qtbot.waitUntil(lambda: bool(annotator.trouble), timeout=30_000)
    assert "2 / 3   img (2).png" in view.transport.place.text()
    assert "img (2).png" in view.canvas.hint


def test_several_formats_are_exported_from_a_dialog(
    qtbot: QtBot, hands: Hands, tmp_path: Path
) -> None:
    window = hands.window
    window.export_several()
    dialog = window.export_dialog
    assert dialog.sessions.count() == 1
    dialog.kinds["coco"].setChecked(True)
    dialog.target.setText(str(tmp_path / "out"))
    dialog.start()
    qtbot.waitUntil(lambda: not dialog.busy, timeout=PATIENCE)
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".csv", ".json"}
    assert "2 exports written" in dialog.progress.format()
    dialog.start()
    qtbot.waitUntil(lambda: not dialog.busy, timeout=PATIENCE)
    assert dialog.report.toPlainText().count("is there already") == 2
