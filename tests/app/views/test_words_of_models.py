"""What the timeline writes and says of a model's score: that its model was not trained on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtGui import QImage, QPainter, QPalette
from PyQt5.QtWidgets import QMenu, QPushButton, QToolTip
from pytestqt.qtbot import QtBot

from facetrack.pain.signal import PAIN
from facetrack.reading import Event, Kind, Row
from facetrack_app.model.curves import curve_of
from facetrack_app.model.judged import pack_event
from facetrack_app.model.readings import read_values, write_readings
from facetrack_app.model.session import Session
from facetrack_app.views.timeline import Timeline
from facetrack_app.views.timeline_painting import Painting, event_box
from facetrack_app.views.timeline_rows import CURVE, GUTTER
from facetrack_app.views.transport import Transport
from tests.app.aching import MODEL, PARTS, SPECS, Aching, said
from tests.app.conftest import N_FRAMES
from tests.app.views import gestures

BUTTONS = ("step_back", "play", "step_on", "previous_doubtful", "next_doubtful", "toggle_tracking")


class Pen:
    """A painter that remembers what it writes."""

    def __init__(self, image: QImage) -> None:
        self._painter = QPainter(image)
        self.written: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._painter, name)

    def drawText(self, *args: Any) -> None:
        """Remember the words."""
        self.written.append(args[-1])
        self._painter.drawText(*args)


@pytest.fixture
def timeline(qtbot: QtBot, session: Session, ache: Aching) -> Timeline:
    """Give a timeline with the curve of a score and an episode of it, from frame 20 to 24."""
    rows = [Row(frame, frame / 25, 0, said(frame)) for frame in range(N_FRAMES)]
    episode = Event("ache_episode", 0.8, 0.8, 0.96, 9.0, detail={"model": MODEL})
    with session.store.transaction():
        write_readings(session.store, 0, ache, 0, N_FRAMES, rows)
        session.store.write(
            "INSERT INTO event (person, estimator, version, name, start, peak, stop, score, text, "
            "detail) VALUES (0, 'aching', '1', ?, ?, ?, ?, ?, ?, ?)", pack_event(episode),
        )  # fmt: skip
    session.absorb_analysed()
    made = Timeline()
    qtbot.addWidget(made)
    made.resize(900, 400)
    made.show_session(session, session.times())
    made.refresh(0, 0)
    score = read_values(session.store, 0, ache, "ache", 0, N_FRAMES)
    made.show_curves([curve_of(SPECS[0], score, 0, N_FRAMES)])
    made.show()
    return made


@pytest.fixture
def pen() -> Iterator[Pen]:
    """Give a painter."""
    image = QImage(900, 400, QImage.Format_RGB32)
    made = Pen(image)
    yield made
    made.end()


def test_the_menu_of_curves_names_the_model(qtbot: QtBot, ache: Aching) -> None:
    transport = Transport({name: QPushButton(name) for name in BUTTONS}, [], QMenu())
    qtbot.addWidget(transport)
    transport.menu.aboutToShow.emit()
    listed = {action.text() for action in transport.menu.actions()}
    scores = [spec.name for spec in PAIN.specs if spec.kind != Kind.EVENT]
    names = [name.replace("_", " ") for name in ("ache", *PARTS, *scores)]
    assert {text for text in listed if MODEL in text} == {f"{name} ({MODEL})" for name in names}
    assert len(listed) > len(names)  # of the others, which are no model's
    (action,) = [a for a in transport.menu.actions() if a.text() == f"ache ({MODEL})"]
    assert action.toolTip() == SPECS[0].meaning
    action.trigger()
    assert transport.chosen == ("ache",)


def test_the_model_stands_below_the_name_of_a_curve(timeline: Timeline, pen: Pen) -> None:
    painting = Painting(pen, QPalette(), timeline.rows, timeline.axis)
    painting.names(timeline.curves)
    place = pen.written.index("ache")
    short = pen.written[place - 1].rstrip("\N{HORIZONTAL ELLIPSIS}")  # as much as there is room for
    assert short
    assert MODEL.startswith(short)


@pytest.mark.parametrize(
    ("columns", "words"), [(4000, f"ache_episode ({MODEL})"), (300, "ache_episode")]
)
def test_an_episode_is_named_with_its_model_where_there_is_room(
    timeline: Timeline, pen: Pen, columns: int, words: str
) -> None:
    timeline.resize(GUTTER + columns, timeline.height())
    Painting(pen, QPalette(), timeline.rows, timeline.axis).events(timeline.placed)
    assert pen.written == [words]


def test_what_lies_under_the_pointer_says_its_model(
    timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(QToolTip, "showText", lambda place, text, *rest: told.append(text))
    on_curve = QPoint(GUTTER + 5, timeline.rows.curve(0) + CURVE // 2)
    box = event_box(timeline.placed[0], timeline.rows, timeline.axis)
    for place in (on_curve, box.center().toPoint()):
        gestures.move(timeline, place, Qt.NoButton)
    on_score, on_episode = told
    assert on_score.splitlines()[-2:] == [SPECS[0].meaning, MODEL]
    assert f"ache_episode ({MODEL})" in on_episode
