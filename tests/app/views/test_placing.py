"""Whole faces by the mouse: a box around a new one, handles, deleting; and undo that goes there."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt5.QtCore import QPoint, Qt

from facetrack.face import Source
from facetrack_app.model.commands import MakeEvent
from facetrack_app.model.faces import faces_of
from facetrack_app.model.handles import GRAB, Handle, Points, handles_of
from facetrack_app.model.rows import Kind
from tests.app.views import gestures
from tests.app.views.hands import Hands


def width(points: Points) -> float:
    return float(np.ptp(points[:, 0]))


def points_of(hands: Hands) -> Points:
    person = hands.annotator.person
    assert person is not None
    points = hands.annotator.view(person).points
    assert points is not None
    return points


def handle(hands: Hands, kind: Handle, which: int = 0) -> QPoint:
    """Find a handle on the screen."""
    shown = hands.canvas.to_screen(points_of(hands))
    places = [at for found, at in handles_of(shown, GRAB) if found is kind]
    return QPoint(round(places[which][0]), round(places[which][1]))


def draw_box(hands: Hands, x0: float, y0: float, x1: float, y1: float) -> None:
    hands.key("new_person")
    start = hands.at(x0, y0)
    gestures.drag(hands.canvas, start, hands.at(x1, y1) - start)


def test_a_box_is_drawn_where_no_face_is_and_undone_as_one_step(hands: Hands) -> None:
    hands.go(7)
    hands.key("new_person")
    assert hands.canvas.cursor().shape() == Qt.CrossCursor
    start, end = hands.at(10, 150), hands.at(60, 210)
    gestures.press(hands.canvas, start)
    gestures.move(hands.canvas, end)
    assert hands.canvas._box == pytest.approx((10, 150, 60, 210), abs=1)
    assert hands.canvas.grab() is not None  # it is painted
    gestures.release(hands.canvas, end)
    assert hands.canvas._box is None
    assert hands.canvas.cursor().shape() == Qt.ArrowCursor
    points = points_of(hands)
    np.testing.assert_allclose((points.min(axis=0) + points.max(axis=0)) / 2, [35, 180], atol=1.0)
    assert 45 < width(points) < 65
    view = hands.annotator.view(hands.annotator.person or 0)
    assert view.source is not None
    assert set(view.source.tolist()) == {Source.INTERPOLATED}
    assert not hands.annotator.teaching.busy
    assert hands.canvas._faces[-1].handled
    assert hands.window.annotate.panel.state.text().startswith("placed, not corrected")
    summary = hands.annotator.session.summary(-1)
    assert not summary.corrected.any()
    assert not summary.seen.any()
    size = hands.annotator.document.size
    assert len(faces_of(hands.annotator.session, 7, hands.annotator.model.shape_model, size)) == 1
    hands.key("undo")
    assert list(hands.annotator.session.people) == [0]
    assert hands.annotator.session.present(7) == [0]


def test_a_box_around_a_face_is_fitted_by_the_model(hands: Hands) -> None:
    hands.go(7)
    truth = points_of(hands)
    (x0, y0), (x1, y1) = truth.min(axis=0).tolist(), truth.max(axis=0).tolist()
    draw_box(hands, x0 + 3, y0 - 6, x1 - 2, y1 - 3)
    person = hands.annotator.person
    assert person == -1
    view = hands.annotator.view(person)
    assert view.correction is None
    assert view.row is not None
    assert view.row.kind == Kind.PLAIN
    assert np.linalg.norm(points_of(hands) - truth, axis=1).mean() < 5
    hands.key("accept")
    hands.until(lambda: not hands.annotator.teaching.busy)
    assert (hands.annotator.session.summary(-1).kind == Kind.LEARNED).sum() > 10


def test_a_click_puts_a_face_of_the_size_of_the_others_and_esc_puts_none(hands: Hands) -> None:
    usual = width(points_of(hands))
    hands.key("new_person")
    hands.key("stop")
    hands.qtbot.mouseClick(hands.canvas, Qt.LeftButton, Qt.NoModifier, hands.at(40, 200))
    assert list(hands.annotator.session.people) == [0]
    hands.key("new_person")
    hands.qtbot.mouseClick(hands.canvas, Qt.LeftButton, Qt.NoModifier, hands.at(40, 200))
    assert hands.annotator.person == -1
    assert width(points_of(hands)) == pytest.approx(usual, rel=0.3)


def test_handles_scale_and_turn_a_new_face_which_stays_a_guess(hands: Hands) -> None:
    draw_box(hands, 20, 150, 60, 200)
    before = points_of(hands)
    corner = handle(hands, Handle.SCALE, which=2)
    gestures.drag(hands.canvas, corner, QPoint(40, 40))
    larger = points_of(hands)
    assert width(larger) > 1.2 * width(before)
    np.testing.assert_allclose(larger.mean(axis=0) - before.mean(axis=0), 0, atol=2.5)
    gestures.drag(hands.canvas, handle(hands, Handle.TURN), QPoint(60, 10))
    eyes = points_of(hands)[[36, 45]]
    assert eyes[1, 1] - eyes[0, 1] > 3  # turned with the clock
    assert set(hands.annotator.view(-1).source.tolist()) == {  # type: ignore[union-attr]
        Source.INTERPOLATED
    }
    assert not hands.annotator.teaching.busy
    for _ in range(2):
        hands.key("undo")
    np.testing.assert_allclose(points_of(hands), before)


def test_handles_and_keys_of_a_whole_tracked_shape(hands: Hands) -> None:
    hands.go(7)
    assert not hands.canvas._faces[-1].handled
    start = handle(hands, Handle.SCALE)
    gestures.drag(hands.canvas, start, QPoint(-20, -20))
    assert not hands.annotator.session.summary(0).corrected.any()  # it has none as yet
    hands.key("reach_shape")
    assert hands.canvas._faces[-1].handled
    hands.canvas.repaint()
    before = points_of(hands)
    for key in ("grow_shape", "turn_shape_left"):
        hands.key(key)
    after = points_of(hands)
    assert width(before) < width(after)
    eyes = [shape[45, 1] - shape[36, 1] for shape in (before, after)]
    assert eyes[1] < eyes[0]
    for key in ("turn_shape_right", "shrink_shape"):
        hands.key(key)
    np.testing.assert_allclose(points_of(hands), before, atol=0.05)
    source = hands.annotator.view(0).source
    assert source is not None
    assert (source == Source.CORRECTED).all()


def test_a_deleted_person_is_gone_with_events_and_comes_back(hands: Hands) -> None:
    annotator = hands.annotator
    hands.until(lambda: not annotator.analysing.busy)
    hands.go(12)
    hands.drag(8, QPoint(0, 14))
    hands.until(lambda: not annotator.teaching.busy)
    annotator.run(MakeEvent(0, "smile", 0.1, 0.3))
    known = annotator.session.store.read("SELECT * FROM track ORDER BY tracklet, frame")
    hands.key("delete_person")
    assert annotator.session.people == {}
    assert annotator.session.present(12) == []
    assert annotator.session.decisions == {}
    assert annotator.editor is None
    assert "brings everything back" in hands.window.message
    hands.new_person()
    assert annotator.person == -1
    for _ in range(3):
        hands.key("undo")
        if annotator.session.people == {0: "Person 1"}:
            break
    assert annotator.person == 0
    assert [judged.event.name for judged in annotator.session.decisions.values()] == ["smile"]
    assert annotator.session.summary(0).corrected[12]
    assert annotator.session.store.read("SELECT * FROM track ORDER BY tracklet, frame") == known


def test_undo_says_what_and_where_and_goes_there(hands: Hands) -> None:
    hands.go(12)
    hands.drag(8, QPoint(0, 14))
    hands.new_person()
    hands.go(25)
    hands.key("undo")
    if hands.window.message.startswith("undone: fit"):  # a model that sees the face fits it, too
        hands.key("undo")
    assert hands.window.message.startswith("undone: new person (frame 13)")
    hands.key("undo")
    hands.until(lambda: hands.window.message.startswith("undone: correction (frame 13, Person 1)"))
    hands.until(lambda: hands.annotator.shown == 12)
    assert hands.annotator.person == 0
    hands.go(3)
    hands.key("redo")
    hands.until(lambda: hands.annotator.shown == 12)
    assert "(frame 13, Person 1)" in hands.window.message
