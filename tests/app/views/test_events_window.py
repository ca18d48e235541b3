"""The list of events: what it shows, where a click goes, and what is edited in it is undone."""

from __future__ import annotations

import pytest
from PyQt5.QtCore import QModelIndex, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QComboBox, QInputDialog

from facetrack.reading import Event
from facetrack_app.model.commands import MarkSpan, SetTimeZero
from facetrack_app.model.judged import pack_event
from facetrack_app.views.event_table import NAME, START, STOP
from facetrack_app.views.events_window import EventsWindow
from tests.app.views.hands import Hands


@pytest.fixture
def listed(hands: Hands) -> EventsWindow:
    """Give the list, of a machine's two blinks (frames 5 to 9, 20 to 24) and a mark (12 to 14)."""
    hands.until(lambda: not hands.annotator.analysing.busy)
    session = hands.annotator.session
    times = session.times()
    with session.store.transaction():
        session.store.write("DELETE FROM event")
        for first in (5, 20):
            start, stop = float(times[first]), float(times[first + 4])
            session.store.write(
                "INSERT INTO event (person, estimator, version, name, start, peak, stop, score, "
                "text, detail) VALUES (0, 'blinks', '1', ?, ?, ?, ?, ?, ?, ?)",
                pack_event(Event("blink", start, start, stop, 0.5)),
            )
    session.absorb_analysed()
    hands.annotator.run(MarkSpan("event", 12, 15, "rest"))
    hands.key("show_events")
    return hands.window.annotate.event_list


def shown(listed: EventsWindow) -> list[tuple[str, str, str]]:
    listed.reload()
    return [(line.name, line.source, line.state) for line in listed.rows.lines]


def frames(listed: EventsWindow) -> list[tuple[int, int]]:
    listed.reload()
    return [(line.first, line.last) for line in listed.rows.lines]


def cell(listed: EventsWindow, row: int, column: int) -> QModelIndex:
    return listed.rows.index(row, column)


def type_in(listed: EventsWindow, row: int, column: int, text: str) -> None:
    listed.rows.setData(cell(listed, row, column), text, Qt.EditRole)
    listed.reload()


def test_events_marks_and_what_was_rejected_are_listed(hands: Hands, listed: EventsWindow) -> None:
    blink, mark = ("blink", "machine", "found"), ("rest", "human", "marked")
    assert shown(listed) == [blink, mark, blink]
    assert [cell(listed, 1, c).data() for c in (START, STOP)] == ["0.40", "0.50"]
    listed.table.selectRow(0)
    hands.until(lambda: hands.annotator.shown == 5)
    assert hands.annotator.judging.chosen is not None
    listed.accept.click()
    assert shown(listed)[0] == ("blink", "human", "accepted")
    assert listed.chosen is not None
    assert listed.chosen.first == 5  # still chosen
    listed.remove.click()
    assert shown(listed)[0] == ("blink", "machine", "rejected")
    listed.accept.click()  # nothing is lost: a rejected one can be accepted
    assert shown(listed)[0] == ("blink", "human", "accepted")
    listed.table.selectRow(1)
    listed.remove.click()
    assert shown(listed) == [("blink", "human", "accepted"), blink]
    hands.key("undo")
    assert shown(listed)[1] == mark
    for _ in range(3):
        hands.key("undo")
    assert shown(listed) == [blink, mark, blink]


def test_times_and_names_are_edited_in_the_list(hands: Hands, listed: EventsWindow) -> None:
    type_in(listed, 0, STOP, "0,21")  # the nearest frame: 6
    assert frames(listed) == [(5, 6), (12, 14), (20, 24)]
    type_in(listed, 1, STOP, "0.60")  # a mark ends with its last frame
    type_in(listed, 1, START, "0.30")
    assert frames(listed)[1] == (9, 17)
    (span,) = hands.annotator.session.spans
    assert (span.start, span.stop) == (9, 18)
    type_in(listed, 1, NAME, "pause")
    type_in(listed, 0, NAME, "wink")
    assert [name for name, _, _ in shown(listed)] == ["wink", "pause", "blink"]
    assert hands.window.settings.vocabulary == ["pause", "wink"]
    type_in(listed, 0, START, "0.9")
    assert "ends after it begins" in hands.window.message
    type_in(listed, 0, START, "soon")
    assert "'soon' is no number of seconds" in hands.window.message
    for _ in range(5):
        hands.key("undo")
    assert frames(listed) == [(5, 9), (12, 14), (20, 24)]
    assert [name for name, _, _ in shown(listed)] == ["blink", "rest", "blink"]


def test_seconds_count_from_time_zero(hands: Hands, listed: EventsWindow) -> None:
    hands.annotator.run(SetTimeZero(10))
    assert shown(listed)[0][0] == "blink"
    assert cell(listed, 0, START).data() == "-0.17"
    type_in(listed, 0, START, "-0.2")
    assert frames(listed)[0] == (4, 9)


def test_the_list_is_filtered_and_follows(hands: Hands, listed: EventsWindow) -> None:
    listed.filter.setCurrentText("rest")
    listed.filter.activated.emit(listed.filter.currentIndex())
    assert [line.name for line in listed.rows.lines] == ["rest"]
    assert listed.count.text() == "1 event"
    hands.annotator.run(MarkSpan("event", 25, 28, "rest"))
    hands.until(lambda: len(listed.rows.lines) == 2)
    for _ in range(2):
        hands.key("undo")
    hands.until(lambda: listed.filter.currentText() == "all names")  # there is no rest any more
    assert [line.name for line in listed.rows.lines] == ["blink", "blink"]


def test_names_are_completed_and_kept(
    hands: Hands, listed: EventsWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "smile\n\n  frown \nsmile"
    monkeypatch.setattr(QInputDialog, "getMultiLineText", lambda *a: (words, True))
    listed.names.click()
    assert hands.window.settings.vocabulary == ["smile", "frown"]
    listed.table.setCurrentIndex(cell(listed, 0, NAME))
    listed.table.edit(cell(listed, 0, NAME))
    box = listed.table.findChild(QComboBox)
    assert box.itemText(1) == "smile"
    assert "blink" in [box.itemText(i) for i in range(box.count())]
    QTest.keyClicks(box.lineEdit(), "fro")
    assert box.currentText() == "frown"
    QTest.keyClick(box.lineEdit(), Qt.Key_Return)
    hands.until(lambda: listed.rows.lines[0].name == "frown")
    QTest.keyClick(listed.table, Qt.Key_Return)
    assert not hands.annotator.session.summary(0).corrected.any()  # Return accepts no frame here


def test_del_deletes_and_it_goes_with_the_video(hands: Hands, listed: EventsWindow) -> None:
    listed.table.selectRow(1)
    QTest.keyClick(listed.table, Qt.Key_Delete)
    assert [name for name, _, _ in shown(listed)] == ["blink", "blink"]
    hands.window.annotate.close_document()
    assert not listed.isVisible()
    assert listed.rows.rowCount() == 0
