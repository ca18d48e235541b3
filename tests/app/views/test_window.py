"""The window around the views: its place, its messages, what is to be known of a video."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PyQt5.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt5.QtGui import QDragEnterEvent, QDropEvent
from PyQt5.QtWidgets import (
    QAbstractButton,
    QAction,
    QApplication,
    QCheckBox,
    QInputDialog,
    QLabel,
    QMenu,
    QMenuBar,
    QPushButton,
    QTabBar,
    QTableView,
    QTabWidget,
)
from pytestqt.qtbot import QtBot

from facetrack.fitting.face_model import FaceModel
from facetrack.video.sink import write_video
from facetrack_app.model.actions import ACTIONS, ANNOTATE, EVALUATE, LIVE, SEPARATED
from facetrack_app.model.settings import Settings, load_settings, save_settings
from facetrack_app.views.dialogs import first_steps
from facetrack_app.views.main_window import MainWindow
from tests.app.views.hands import PATIENCE, Hands

Make = Callable[[Settings], MainWindow]
# Full HD at 200 % is 960 x 540; title and edges of the window take some of it.
LEAST = (940, 500)


@pytest.fixture
def make(qtbot: QtBot, shipped_model: FaceModel, tmp_path: Path) -> Make:
    """Make windows with given settings."""

    def made(settings: Settings) -> MainWindow:
        window = MainWindow(shipped_model, settings, tmp_path / "s.json", tmp_path / "r")
        qtbot.addWidget(window)
        return window

    return made


def test_it_fits_a_small_screen_with_everything_in_reach(hands: Hands) -> None:
    window = hands.window
    signals = ["eye_openness", "mouth_opening", "pose_yaw"]
    window.annotate.transport.choose(signals)
    hands.until(lambda: len(window.annotate.timeline.curves) == 3)
    window.say("a very long sentence " * 30, True)
    window.resize(*LEAST)
    for view in range(3):
        window.tabs.setCurrentIndex(view)
        hands.qtbot.wait(1)
        assert window.minimumSizeHint().width() <= LEAST[0]
        assert window.minimumSizeHint().height() <= LEAST[1]
        assert (window.width(), window.height()) == LEAST
    window.show_annotate()
    hands.qtbot.wait(1)
    assert window.annotate.canvas.height() >= 120


def test_it_remembers_where_it_was_and_how_it_was_divided(make: Make) -> None:
    settings = Settings(source="demo")
    first = make(settings)
    first.show()
    first.setGeometry(40, 60, 790, 480)
    (split,) = (s for name, s in first._splits.items() if name == "live")
    split.setSizes([150, 200])
    sizes = split.sizes()
    first.close()
    known, wrong = load_settings(first.settings_path)
    assert wrong == []
    second = make(known)
    second.show()
    assert (second.width(), second.height()) == (790, 480)
    assert second._splits["live"].sizes() == sizes
    second.close()


@pytest.mark.parametrize("window", ["", "zz", "00ff"])
def test_a_place_that_makes_no_sense_is_not_taken(make: Make, tmp_path: Path, window: str) -> None:
    path = tmp_path / "settings.json"
    save_settings(path, Settings(source="demo"))
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "window": window, "splits": {"live": [1]}}))
    made = make(load_settings(path)[0])
    room = made.screen().availableGeometry()
    made.show()
    assert made.width() <= room.width()
    assert made.height() <= room.height()
    made.close()


def test_trouble_belongs_to_its_view(window: MainWindow) -> None:
    window.show_live()
    window.annotate.said("the disk is full", True, "track")
    assert window.message == ""
    tabs: QTabWidget = window.tabs
    assert not tabs.tabIcon(1).isNull()
    assert tabs.tabToolTip(1) == "the disk is full"
    window.show_annotate()
    assert window.message == "the disk is full"
    assert tabs.tabIcon(1).isNull()
    window.show_evaluate()
    assert window.message == ""
    window.annotate.said("", False, "track")
    window.show_annotate()
    assert window.message == ""


def test_without_a_recording_there_is_no_sign_of_one(window: MainWindow) -> None:
    signs = [x for x in window.findChildren(QLabel) if x.accessibleName() == "recording"]
    assert [sign.isVisible() for sign in signs] == [False]


def test_trouble_of_the_window_is_seen_everywhere_and_can_be_taken_away(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.say("the settings are not saved", True, "settings")
    window.annotate.said("no such file", True, "open")
    for name, more in ((LIVE, ""), (ANNOTATE, " (and 1 more)"), (EVALUATE, "")):
        getattr(window, f"show_{name}")()
        assert window.message == "the settings are not saved" + more
    window.show_annotate()
    away = next(
        b for b in window.findChildren(QPushButton) if b.accessibleName() == "take the message away"
    )
    qtbot.mouseClick(away, Qt.LeftButton)
    assert window.message == "no such file"
    window.save()
    qtbot.mouseClick(away, Qt.LeftButton)
    assert window.message == ""
    assert not away.isVisible()


def test_news_fade_and_a_long_sentence_is_whole_in_the_tooltip(
    window: MainWindow, qtbot: QtBot
) -> None:
    sentence = "word " * 200 + "end"
    window.say(sentence, False)
    assert window.message == sentence
    label = next(
        label for label in window.findChildren(QLabel) if label.accessibleName() == "messages"
    )
    assert label.text().endswith("…")
    assert label.toolTip() == sentence
    window._line._fading.setInterval(0)
    window._line._fading.start()
    qtbot.waitUntil(lambda: window.message == "")


def test_opening_another_video_ends_the_trouble_of_the_one_before(
    window: MainWindow, qtbot: QtBot, clip: Path, tmp_path: Path
) -> None:
    window.open(tmp_path / "nothing.mp4")
    qtbot.waitUntil(lambda: "nothing.mp4" in window.message, timeout=PATIENCE)
    window.open(clip)
    qtbot.waitUntil(lambda: window.annotate.has_session, timeout=PATIENCE)
    assert window.message.startswith("opened: clip.mp4, 30 frames")


def test_what_a_video_lacks_is_listed(
    window: MainWindow, qtbot: QtBot, clip: Path, tmp_path: Path, shipped_model: FaceModel
) -> None:
    from facetrack.synthetic.video import SyntheticVideo

    long, short = tmp_path / "long.mkv", tmp_path / "short.mkv"
    video = SyntheticVideo(shipped_model.shape_model, n_frames=100, size=(320, 240), seed=1)
    write_video(video, long)
    content = long.read_bytes()
    short.write_bytes(content[: len(content) * 45 // 100])
    button = window.buttons["show_notes"]
    for _ in range(2):  # the second time without decoding all of it once more
        window.open(short)
        view = window.annotate
        qtbot.waitUntil(lambda: view.annotator is not None, timeout=PATIENCE)  # noqa: B023
        assert view.annotator is not None
        session = view.annotator.session
        qtbot.waitUntil(lambda: session.tracked == session.n_frames, timeout=PATIENCE)  # noqa: B023
        qtbot.waitUntil(lambda: bool(view.notes), timeout=PATIENCE)  # noqa: B023
        assert any("cut short" in note for note in view.notes), view.notes
        assert button.isVisible()
        assert button.text() == f"Notes ({len(view.notes)})"
        view.close_document()
        assert not button.isVisible()


def test_a_fifth_chart_is_refused_with_a_sentence(window: MainWindow) -> None:
    window.show_live()
    charts = window.live.panel.charts
    for row in range(1, 6):
        charts.activated.emit(row) if charts.itemData(row) not in charts.ticked else None
    assert len(charts.ticked) == 4
    assert "untick one" in window.message


def menu_of(window: MainWindow, title: str) -> QMenu:
    bar = window.menuBar().actions()
    menu = next(a.menu() for a in bar if a.text().replace("&", "") == title)
    assert isinstance(menu, QMenu)
    return menu


def test_menus_show_what_is_on(hands: Hands) -> None:
    window = hands.window

    def checked() -> set[str]:
        return {a.objectName() for a in window.findChildren(QAction) if a.isChecked()}

    window.refresh()
    assert checked() == {"reach_point", "markup_68", "toggle_ghost", "toggle_sound"}
    for name in ("reach_region", "markup_51", "toggle_ghost"):
        hands.key(name)
    assert checked() == {"reach_region", "markup_51", "toggle_sound"}
    hands.key("reach_region")  # once more: it stays on
    assert "reach_region" in checked()
    assert hands.annotator.markup == 51
    window.show_live()
    assert checked() == set()  # the mirror is off in this window
    hands.key("toggle_mirror")
    assert checked() == {"toggle_mirror"}


def test_every_menu_is_divided_and_no_line_stands_at_an_edge(window: MainWindow) -> None:
    for title in ("File", "Edit", "Go", "Live", "View", "Help"):
        entries = menu_of(window, title).actions()
        lines = [a.isSeparator() for a in entries]
        assert any(lines), title
        assert not lines[0], title
        assert not lines[-1], title
        assert not any(a and b for a, b in itertools.pairwise(lines)), title
    assert {action.id for action in ACTIONS} >= SEPARATED


def test_what_was_opened_before_is_listed(
    window: MainWindow, qtbot: QtBot, clip: Path, tmp_path: Path
) -> None:
    window.settings.recent = [str(tmp_path / "gone.mp4"), str(clip)]
    recent = window._bar.recent
    recent.aboutToShow.emit()
    gone, there, _, clear = recent.actions()
    assert (gone.text(), gone.isEnabled()) == ("gone.mp4 (not found)", False)
    assert (there.text(), there.toolTip()) == ("clip.mp4", str(clip))
    there.trigger()
    qtbot.waitUntil(lambda: window.annotate.name == "clip.mp4", timeout=PATIENCE)
    assert window.settings.recent[0] == str(clip)
    clear.trigger()
    assert window.settings.recent == []


def drop(window: MainWindow, *paths: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    place = QPoint(200, 200)
    enter = QDragEnterEvent(place, Qt.CopyAction, mime, Qt.LeftButton, Qt.NoModifier)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    event = QDropEvent(QPointF(place), Qt.CopyAction, mime, Qt.LeftButton, Qt.NoModifier)
    QApplication.sendEvent(window, event)


def test_a_video_and_a_session_can_be_dropped(
    window: MainWindow, qtbot: QtBot, clip: Path, tmp_path: Path
) -> None:
    video = tmp_path / "mine.mp4"
    video.write_bytes(clip.read_bytes())
    drop(window, video)
    qtbot.waitUntil(lambda: window.annotate.name == "mine.mp4", timeout=PATIENCE)
    window.annotate.close_document()
    drop(window, tmp_path / "mine.mp4.facetrack")
    qtbot.waitUntil(lambda: window.annotate.name == "mine.mp4", timeout=PATIENCE)
    window.annotate.close_document()
    (tmp_path / "empty.facetrack").mkdir()
    drop(window, tmp_path / "empty.facetrack")
    assert "holds no session" in window.message


def test_several_videos_that_are_dropped_become_a_queue(
    window: MainWindow, qtbot: QtBot, clip: Path, tmp_path: Path
) -> None:
    videos = [tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path / "none.mp4"]
    for video in videos[:2]:
        video.write_bytes(clip.read_bytes())
    drop(window, *videos)
    dialog = window.queue_dialog
    assert dialog.isVisible()
    assert dialog.table.rowCount() == 3
    assert dialog.output.text() == str(tmp_path / "facetrack-results")
    dialog.rate.setValue(30)
    dialog.start()
    assert not dialog._buttons["start"].isEnabled()
    qtbot.waitUntil(lambda: not window._queue.running, timeout=3 * PATIENCE)
    assert window.message.startswith("2 videos tracked, 1 failed")
    assert "none.mp4" in window.message
    assert '"rate": 30.0' in (tmp_path / "facetrack-results" / "b.ledger.json").read_text()
    dialog.table.cellDoubleClicked.emit(1, 0)
    qtbot.waitUntil(lambda: window.annotate.name == "b.mp4", timeout=PATIENCE)


def test_the_hint_comes_once_and_again_from_help(window: MainWindow, qtbot: QtBot) -> None:
    window.welcome()
    assert window.hint.isVisible()
    said = "".join(label.text() for label in window.hint.findChildren(QLabel))
    assert "GPL" in said
    assert "released for research" in said
    room = window.tabs.rect()
    assert room.contains(window.hint.geometry())
    window.resize(*LEAST)
    qtbot.waitUntil(lambda: window.tabs.rect().contains(window.hint.geometry()))
    qtbot.keyClick(window.hint, Qt.Key_Escape)
    assert not window.hint.isVisible()
    assert load_settings(window.settings_path)[0].welcomed
    window.welcome()
    assert not window.hint.isVisible()
    window.show_hint()
    assert window.hint.isVisible()
    qtbot.mouseClick(window.hint.button, Qt.LeftButton)
    assert not window.hint.isVisible()


def test_the_guide_says_the_keys_as_they_are_now() -> None:
    assert "| Next doubtful stretch | N |" in first_steps({})
    assert "| Next doubtful stretch | F8 |" in first_steps({"next_doubtful": "F8"})
    assert "Next doubtful" not in first_steps({"next_doubtful": ""})


def test_no_button_lacks_a_tooltip(window: MainWindow) -> None:
    for button in window.findChildren(QAbstractButton):
        inner = button.parent()
        if isinstance(inner, (QTabBar, QTableView, QMenuBar)):
            continue  # Qt's own
        if isinstance(button, QCheckBox):
            continue  # its text says all of it
        assert button.toolTip(), (button.text(), button.accessibleName())


def test_a_sequence_is_asked_for_its_rate_and_not_opened_without(
    make: Make, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((48, 64, 3), 90, np.uint8))
    answers = iter([(12.5, False), (12.5, True)])
    monkeypatch.setattr(QInputDialog, "getDouble", lambda *args: next(answers))
    window = make(Settings())
    window.open(folder, stills=False)
    assert window.settings.recent == []
    window.open(folder, stills=False)
    qtbot.waitUntil(lambda: window.annotate.annotator is not None, timeout=PATIENCE)
    assert window.annotate.annotator is not None
    assert window.annotate.annotator.session.rate == 12.5
    assert window.annotate.annotator.document.times.tolist() == [0, 0.08, 0.16]
    window.close()
    assert next(answers, None) is None
