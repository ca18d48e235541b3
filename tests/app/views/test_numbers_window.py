"""Numbers beside the window: they follow what is chosen and corrected, and are saved."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt5.QtCore import QPoint

from facetrack_app.model.commands import MarkSpan
from facetrack_app.views import numbers_window
from facetrack_app.views.numbers_window import NumbersWindow
from tests.app.views.hands import Hands, N


@pytest.fixture
def numbers(hands: Hands) -> NumbersWindow:
    """Give the window of numbers, of a video with two marks."""
    hands.until(lambda: not hands.annotator.analysing.busy)
    hands.annotator.run(MarkSpan("event", 0, 10, "rest"))
    hands.annotator.run(MarkSpan("event", 12, 25, "pain"))
    hands.key("show_numbers")
    made = hands.window.annotate.numbers
    hands.until(lambda: bool(made.table.rowCount()))
    return made


def row(numbers: NumbersWindow, name: str) -> list[str]:
    table = numbers.table
    places = [r for r in range(table.rowCount()) if table.item(r, 0).text() == name]
    return [table.item(places[0], c).text() for c in range(1, table.columnCount())]


def headers(numbers: NumbersWindow) -> list[str]:
    table = numbers.table
    return [table.horizontalHeaderItem(c).text() for c in range(table.columnCount())]


def choose(numbers: NumbersWindow, first: str, second: str) -> None:
    for box, name in ((numbers.first, first), (numbers.second, second)):
        box.setCurrentText(name)
        box.activated.emit(box.currentIndex())


def test_two_intervals_stand_side_by_side(hands: Hands, numbers: NumbersWindow) -> None:
    assert headers(numbers)[:2] == ["", "whole video"]
    seconds = N / 30
    assert row(numbers, "seconds of the video")[0] == f"{seconds:.1f}"
    choose(numbers, "rest", "pain")
    hands.until(lambda: headers(numbers)[:4] == ["", "rest", "pain", "pain - rest"])
    assert row(numbers, "seconds of the video")[:3] == ["0.3", "0.4", "0.1"]
    assert "%" in row(numbers, "face tracked")[0]
    hands.window.annotate.timeline.zoom_by(3, 5)
    choose(numbers, "visible part", "nothing")
    hands.until(lambda: headers(numbers)[1] == "visible part")
    first, stop = hands.window.annotate.timeline.window
    assert row(numbers, "seconds of the video")[0] == f"{(stop - first) / 30:.1f}"


def test_numbers_follow_corrections_and_marks(hands: Hands, numbers: NumbersWindow) -> None:
    before = row(numbers, "mouth opening: mean")
    hands.go(10)
    hands.drag(57, QPoint(0, 60))
    hands.until(lambda: row(numbers, "mouth opening: mean") != before)
    hands.annotator.run(MarkSpan("event", 26, 29, "rest"))
    hands.until(lambda: numbers.first.findText("all rest") >= 0)
    choose(numbers, "all rest", "nothing")
    hands.until(lambda: headers(numbers)[1] == "all rest")
    hands.key("undo")
    hands.until(lambda: headers(numbers)[1] == "whole video")


def test_numbers_that_nobody_looks_at_are_not_computed(
    hands: Hands, numbers: NumbersWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers.hide()
    asked: list[object] = []
    monkeypatch.setattr(numbers, "ask", lambda: asked.append(1))
    hands.annotator.run(MarkSpan("event", 26, 29, "rest"))
    hands.qtbot.wait(500)
    assert not asked
    numbers.show()
    assert asked


def test_what_is_unknown_is_no_zero(hands: Hands, numbers: NumbersWindow) -> None:
    hands.annotator.run(MarkSpan("exclude", 0, 10, "cough"))
    choose(numbers, "rest", "nothing")
    hands.until(lambda: row(numbers, "eye openness: mean")[0] == "not assessable")
    assert "not assessable: the video has no such time" in row(numbers, "eye openness: mean")[-1]
    hands.annotator.run(MarkSpan("exclude", 0, N, "all"))
    hands.until(lambda: "in no frame that counts" in numbers.note.text())
    assert not numbers.table.rowCount()
    assert not any(button.isEnabled() for button in numbers.saving.values())


@pytest.mark.parametrize(("suffix", "start"), [(".html", "<!doctype"), (".csv", "video,face_id")])
def test_what_is_chosen_is_saved(
    hands: Hands, numbers: NumbersWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    suffix: str, start: str,
) -> None:  # fmt: skip
    path = tmp_path / f"numbers{suffix}"
    monkeypatch.setattr(numbers_window, "ask_where", lambda *a: path)
    choose(numbers, "rest", "pain")
    numbers.saving[suffix].click()
    hands.until(lambda: "written" in hands.window.message)
    text = path.read_text(encoding="utf-8")
    assert text.startswith(start)
    assert "rest" in text
    assert "pain" in text


def test_a_picture_is_saved_and_a_full_disk_is_said(
    hands: Hands, numbers: NumbersWindow, tmp_path: Path
) -> None:
    numbers.save_to(tmp_path / "numbers.png")
    hands.until(lambda: "written" in hands.window.message)
    assert (tmp_path / "numbers.png").read_bytes().startswith(b"\x89PNG")
    numbers.save_to(tmp_path / "nowhere" / "numbers.csv")
    hands.until(lambda: "nowhere" in hands.window.message)


def test_it_goes_with_the_video(hands: Hands, numbers: NumbersWindow) -> None:
    hands.window.annotate.close_document()
    assert not numbers.isVisible()
    assert not numbers.table.rowCount()
