"""Events that a person marks while live: moments, intervals, and names of keys."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facetrack.corpus.task import Outputs
from facetrack.formats.events_csv import write_events
from facetrack.reading import HUMAN, Event, EventRecord
from facetrack_app.model.importing import marks_of_recording
from facetrack_app.model.marking import LiveMarks, name_of
from facetrack_app.model.recording import NOTES


def test_a_moment_is_complete_at_once() -> None:
    marks = LiveMarks()
    event = marks.press("cough", 3.0)
    assert event is not None
    assert (event.name, event.start, event.stop) == ("cough", 3.0, 3.0)
    assert marks.running == {}


def test_an_interval_is_pressed_twice() -> None:
    marks = LiveMarks()
    assert marks.press("stimulus ...", 3.0) is None
    assert marks.press("cough", 4.0) is not None  # others go on meanwhile
    (running,) = [event for event in marks.shown(5.0, 10.0) if event.name == "stimulus"]
    assert (running.start, running.stop) == (3.0, 5.0)
    event = marks.press("stimulus ...", 6.0)
    assert event is not None
    assert (event.name, event.start, event.stop) == ("stimulus", 3.0, 6.0)
    assert marks.running == {}


def test_what_goes_on_ends_with_the_recording() -> None:
    marks = LiveMarks()
    marks.press("rest...", 1.0)
    marks.press("stimulus...", 2.0)
    assert [(e.name, e.stop) for e in marks.end(9.0)] == [("rest", 9.0), ("stimulus", 9.0)]
    assert marks.end(10.0) == []


def test_what_is_long_ago_is_not_shown() -> None:
    marks = LiveMarks()
    marks.press("cough", 3.0)
    assert [e.name for e in marks.shown(12.9, 10.0)] == ["cough"]
    assert marks.shown(13.1, 10.0) == []


@pytest.mark.parametrize(
    ("keys", "number", "name"),
    [([], 1, "event 1"), (["cough"], 1, "cough"), (["cough"], 9, "event 9"),
     (["", "rest..."], 1, "event 1"), (["", "rest..."], 2, "rest..."), (["..."], 1, "event 1")],
)  # fmt: skip
def test_names_of_keys(keys: list[str], number: int, name: str) -> None:
    assert name_of(keys, number) == name


def test_marks_of_a_recording_lie_on_its_frames(tmp_path: Path) -> None:
    video, times = tmp_path / "anna.mp4", np.array([0.0, 0.1, 0.2, 2.0, 2.1])
    write_events(Outputs(tmp_path / "anna").path("events"), [
        EventRecord(0, Event("cough", 0.1, 0.1, 0.1), source=HUMAN),
        EventRecord(0, Event("rest", 0.15, 0.2, 2.05), source=HUMAN),  # over a gap
        EventRecord(0, Event("late", 9.0, 9.0, 9.0), source=HUMAN),
        EventRecord(0, Event("blink", 0.1, 0.1, 0.2), "blinks"),
        EventRecord(0, Event("blink", 0.1, 0.1, 0.2), "blinks", HUMAN),
    ])  # fmt: skip
    assert marks_of_recording(video, times) == []  # of another program, perhaps
    video.with_suffix(NOTES).write_text("{}")
    found = marks_of_recording(video, times, first=3)
    assert [(change.key, change.after[1:]) for change in found if change.after] == [
        ((3,), (1, 2, "cough")), ((4,), (2, 4, "rest")), ((5,), (4, 5, "late")),
    ]  # fmt: skip
