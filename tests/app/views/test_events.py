"""Events in the timeline by mouse and keys, and what is painted of events and curves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import QEvent, QPoint
from PyQt5.QtGui import QImage
from PyQt5.QtWidgets import QApplication, QFileDialog, QInputDialog, QToolTip
from pytestqt.qtbot import QtBot

from facetrack.actions.signal import BANK
from facetrack.reading import Event
from facetrack.signals.registry import signals, unregister
from facetrack_app.model.commands import MarkSpan
from facetrack_app.model.curves import curve_of
from facetrack_app.model.judged import Decision, Judged, pack_event
from facetrack_app.services.analysing import chosen_signals
from facetrack_app.views.theme import ORANGE, SKY
from facetrack_app.views.timeline import Timeline
from facetrack_app.views.timeline_painting import event_box
from facetrack_app.views.timeline_rows import CURVE, GUTTER, Placed
from tests.actions.test_timeline import recogniser as by_hand
from tests.app.conftest import drawn
from tests.app.views import gestures
from tests.app.views.hands import Hands, N


@pytest.fixture
def timeline(hands: Hands) -> Timeline:
    """Give the timeline with two events of a machine: frames 5 to 9, and 20 to 24."""
    hands.until(lambda: not hands.annotator.analysing.busy)
    session = hands.annotator.session
    times = session.times()
    with session.store.transaction():
        session.store.write("DELETE FROM event")
        for first in (5, 20):
            start, stop = float(times[first]), float(times[first + 4])
            event = Event("blink", start, start, stop, 0.5)
            session.store.write(
                "INSERT INTO event (person, estimator, version, name, start, peak, stop, score, "
                "text, detail) VALUES (0, 'blinks', '1', ?, ?, ?, ?, ?, ?, ?)", pack_event(event),
            )  # fmt: skip
    session.absorb_analysed()
    hands.annotator.changed()
    made: Timeline = hands.window.annotate.timeline
    return made


def frames(hands: Hands) -> list[tuple[int, int]]:
    session = hands.annotator.session
    return [session.frames_of(j.event.start, j.event.stop) for j in session.events(0)]


def place(timeline: Timeline, number: int) -> QPoint:
    """Give the middle of an event on the screen."""
    box = event_box(timeline.placed[number], timeline.rows, timeline.axis)
    return QPoint(round(box.center().x()), round(box.center().y()))


def ends(timeline: Timeline, number: int) -> tuple[QPoint, QPoint]:
    box, y = (
        event_box(timeline.placed[number], timeline.rows, timeline.axis),
        place(timeline, number).y(),
    )
    return QPoint(round(box.left()), y), QPoint(round(box.right()), y)


def test_events_are_accepted_renamed_and_rejected_by_keys(
    hands: Hands, timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands.go(0)
    hands.key("accept_event")
    assert "choose an event first" in hands.window.message
    hands.key("next_event")
    hands.until(lambda: hands.annotator.shown == 5)
    assert "found by blinks" in hands.window.message
    hands.key("accept_event")
    first, second = hands.annotator.session.events(0)
    assert (first.decision, second.decision) == (Decision.ACCEPTED, Decision.MACHINE)
    monkeypatch.setattr(QInputDialog, "getItem", lambda *a, **k: ("wink", True))
    hands.key("rename_event")
    assert hands.annotator.session.events(0)[0].event.name == "wink"
    hands.key("next_event")
    hands.until(lambda: hands.annotator.shown == 20)
    hands.key("reject_event")
    assert frames(hands) == [(5, 9)]
    hands.key("next_event")
    assert "no event on this side" in hands.window.message
    hands.key("previous_event")
    hands.until(lambda: hands.annotator.shown == 5)
    for _ in range(3):
        hands.key("undo")
        assert frames(hands) == [(5, 9), (20, 24)]
    assert not hands.annotator.session.events(0)[0].human


def test_ends_are_dragged_in_the_timeline(hands: Hands, timeline: Timeline) -> None:
    _, stop = ends(timeline, 0)
    frame = timeline.columns / N
    gestures.drag(timeline, stop, QPoint(round(3 * frame), 0))
    assert frames(hands) == [(5, 12), (20, 24)]
    chosen = hands.annotator.judging.chosen
    assert chosen is not None
    assert chosen.decision == Decision.MOVED
    assert chosen.original is not None
    assert hands.annotator.session.frames_of(chosen.original.start, chosen.original.stop) == (5, 9)
    start, _ = ends(timeline, 0)
    gestures.drag(timeline, start, QPoint(round(-2 * frame), 0))
    assert frames(hands) == [(3, 12), (20, 24)]
    gestures.drag(timeline, ends(timeline, 0)[0], QPoint(timeline.width(), 0))
    assert frames(hands)[0] == (12, 12)  # both ends may meet, not pass each other
    for expected in ((3, 12), (5, 12), (5, 9)):
        hands.key("undo")
        assert frames(hands)[0] == expected


def test_a_click_chooses_an_event_and_goes_there(hands: Hands, timeline: Timeline) -> None:
    at = place(timeline, 1)
    gestures.press(timeline, at)
    gestures.release(timeline, at)
    hands.until(lambda: hands.annotator.shown == 22)
    chosen = hands.annotator.judging.chosen
    assert chosen is not None
    assert hands.annotator.session.frames_of(chosen.event.start, chosen.event.stop) == (20, 24)
    for key, expected in (("event_begins_here", (22, 24)), ("event_ends_here", (22, 22))):
        hands.key(key)
        assert frames(hands)[1] == expected
    hands.go(10)
    hands.key("event_ends_here")
    assert "move the other end first" in hands.window.message


def test_events_are_made_from_a_marked_range(
    hands: Hands, timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QInputDialog, "getItem", lambda *a, **k: ("smile", True))
    hands.go(18)
    hands.key("make_event")
    hands.go(14)
    hands.key("make_event")
    assert frames(hands) == [(5, 9), (14, 18), (20, 24)]
    assert hands.annotator.session.events(0)[1].decision == Decision.MADE
    hands.key("reject_event")
    assert frames(hands) == [(5, 9), (20, 24)]


def pixels(timeline: Timeline) -> QImage:
    timeline.repaint()
    return timeline.grab().toImage()


def test_a_machines_events_are_outlines_and_a_persons_filled(
    hands: Hands, timeline: Timeline
) -> None:
    hands.go(0)
    inside = event_box(timeline.placed[0], timeline.rows, timeline.axis)
    corner = QPoint(round(inside.right()) - 3, round(inside.bottom()) - 2)
    assert pixels(timeline).pixelColor(corner) != ORANGE
    hands.annotator.judging.accept(timeline.placed[0].judged)
    hands.annotator.judging.choose(None)
    hands.until(lambda: pixels(timeline).pixelColor(corner) == ORANGE)
    hands.annotator.judging.reject(timeline.placed[0].judged)
    hands.until(lambda: pixels(timeline).pixelColor(corner) != ORANGE)


def test_the_rows_follow_an_edit(hands: Hands, qtbot: QtBot) -> None:
    """They are drawn after the gesture, and though nothing else asks for it."""
    session, alone = hands.annotator.session, Timeline()
    qtbot.addWidget(alone)
    alone.resize(600, 200)
    alone.show_session(session)
    alone.refresh(hands.annotator.person, 0)
    before = pixels(alone)
    hands.annotator.run(MarkSpan("exclude", 5, 20, "cough"))
    assert pixels(alone) == before
    qtbot.waitUntil(lambda: pixels(alone) != before)


def test_no_line_crosses_a_gap(hands: Hands, timeline: Timeline) -> None:
    hands.go(0)
    values = np.linspace(0, 40, N, dtype=np.float32)
    values[10:20] = np.nan
    timeline.show_curves([curve_of(signals()["pose_yaw"], drawn(values), 0, timeline.columns)])
    picture, axis, top = pixels(timeline), timeline.axis, timeline.rows.curve(0)

    def painted(frame: float) -> bool:
        x = round(axis.x(frame))
        return any(picture.pixelColor(x, y) == SKY for y in range(top + 1, top + CURVE - 1))

    assert [painted(frame) for frame in (2.5, 9.2, 10.2, 14.5, 19.8, 20.8, 29.2)] == [
        True, True, False, False, False, True, True,
    ]  # fmt: skip
    assert axis.x(1) > GUTTER


def test_a_long_event_is_placed_once_and_others_beside_it(timeline: Timeline) -> None:
    long = Judged(0, Event("eyes_closed", 0.0, 0.1, 1.0))
    box = event_box(Placed(long, 0, 0, 25), timeline.rows, timeline.axis)
    below = event_box(Placed(long, 1, 0, 25), timeline.rows, timeline.axis)
    assert box.bottom() < below.top()


def test_where_a_face_showed_an_event_is_seen_on_hover(
    hands: Hands, timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, times = hands.annotator.session, hands.annotator.session.times()
    start, stop = float(times[10]), float(times[14])
    event = Event("smile", start, start, stop, 0.5, detail={"cues": {"mouthSmileLeft": 1.0}})
    with session.store.transaction():
        session.store.write(
            "INSERT INTO event (person, estimator, version, name, start, peak, stop, score, "
            "text, detail) VALUES (0, 'actions', '3', ?, ?, ?, ?, ?, ?, ?)", pack_event(event),
        )  # fmt: skip
    session.absorb_analysed()
    hands.annotator.changed()
    hands.go(12)
    bare = picture(hands)
    shown: list[str] = []
    monkeypatch.setattr(QToolTip, "showText", lambda at, words, *rest: shown.append(words))
    gestures.move(timeline, place(timeline, 1), 0)
    warm = np.abs(picture(hands) - bare).sum(axis=2)
    corners = [hands.place(point) for point in (48, 54)]
    right, left = (warm[at.y() - 3 : at.y() + 4, at.x() - 3 : at.x() + 4].mean() for at in corners)
    assert left > 20 > 5 > right
    assert "the program saw it in mouthSmileLeft 100 %" in shown[-1]
    gestures.move(timeline, place(timeline, 0), 0)  # of a blink, whose cues are not known
    assert np.array_equal(picture(hands), bare)
    gestures.move(timeline, place(timeline, 1), 0)
    assert not np.array_equal(picture(hands), bare)
    QApplication.sendEvent(timeline, QEvent(QEvent.Leave))
    assert np.array_equal(picture(hands), bare)


def picture(hands: Hands) -> np.ndarray:
    """Grab the picture: (H, W, 3), as it is painted."""
    image = hands.canvas.grab().toImage().convertToFormat(QImage.Format_RGB888)
    memory = image.constBits().asarray(image.sizeInBytes())
    rows = np.frombuffer(memory, np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


def test_kinds_of_events_are_chosen_from_those_that_there_are(hands: Hands) -> None:
    menu = hands.window.annotate.events_menu
    menu.aboutToShow.emit()
    shown = {action.text(): action for action in menu.actions() if action.isCheckable()}
    assert (shown["blink, eyes closed"].isChecked(), shown["blink, eyes closed"].isEnabled()) == (
        True,
        False,
    )
    smiles = shown["smile, brow raise, mouth open"]
    assert not smiles.isChecked()
    smiles.trigger()
    hands.until(lambda: not hands.annotator.analysing.busy)
    menu.aboutToShow.emit()
    shown = {action.text(): action for action in menu.actions()}
    assert shown["smile, brow raise, mouth open"].isChecked()
    assert "smile" in hands.annotator.analysing.names


def test_a_recogniser_finds_events_and_a_broken_one_leaves_the_one_before(
    hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    menu, settings = hands.window.annotate.events_menu, hands.window.settings
    known = replace(by_hand(), classes=("yawn",), thresholds={"yawn": 0.6}, levels={"yawn": 0.0},
                    card={"offered": ["yawn"]})  # fmt: skip
    known.write(tmp_path / "yawns.npz")
    (tmp_path / "broken.npz").write_bytes(b"no model")
    chosen = [str(tmp_path / "yawns.npz")]
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a, **k: (chosen[-1], ""))

    def ask() -> None:
        menu.aboutToShow.emit()
        menu.actions()[-1].trigger()

    try:
        ask()
        assert settings.recogniser == chosen[0]
        assert "yawn" in hands.annotator.analysing.names
        menu.aboutToShow.emit()
        assert "yawn (synthetic only)" in [action.text() for action in menu.actions()]
        replace(known, scale=2 * known.scale).write(tmp_path / "yawns.npz")
        before = chosen_signals(hands.annotator.session)
        ask()  # the same file, written anew
        assert chosen_signals(hands.annotator.session) != before
        chosen.append(str(tmp_path / "broken.npz"))
        ask()
        assert "broken.npz" in hands.window.message
        assert settings.recogniser == chosen[0]
        assert "yawn" in signals()
        hands.until(lambda: not hands.annotator.analysing.busy)
    finally:
        unregister(BANK)
