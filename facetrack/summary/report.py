"""The report: a page for every person, and the same numbers as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from facetrack.formats.signals_csv import SignalTable
from facetrack.reading import EventRecord
from facetrack.reporting.html import Block, Notice, Picture, Section, page
from facetrack.summary.details import csv_rows, csv_text, details
from facetrack.summary.numbers import Summary, summarise
from facetrack.summary.spans import Span, unlike, when
from facetrack.summary.tables import (
    LISTED,
    comparison_table,
    event_list,
    event_table,
    level_table,
    side_table,
    time_table,
    value_table,
)
from facetrack.summary.timeline import Timeline, people, timeline

CAUTION: Final = "These are numbers of a program, not a diagnosis."
_TERMS: Final = {
    "assessable": "the program could say the value of that frame. Frames count by their duration; "
    "what is not assessable is in no mean and in no rate.",
    "per minute": "events in assessed time, over the minutes of assessed time.",
    "SD, 5 %, 95 %": "standard deviation and percentiles over time: how far the value goes to and "
    "fro in this person, not how sure the mean is.",
    "peak": "the value that is farthest from 0, and when.",
    "mean size": "mean magnitude of the events' score, such as the depth of a blink or the degrees "
    "of a turn.",
    "right, left": "the person's own sides.",
    "doubtful": "the probability of a well-fitted face is below 0.6.",
    "blinks and other events": "are found by rules or models; how often they were right, and on "
    "which recordings that was measured, stands in docs/results of Facetrack.",
}
_CURVES: Final = (
    "Signals over time. Lines have gaps where nothing is known; events are coloured as in the bars "
    "at the top, and lie also behind the curves that they were found in."
)
_NO_FACE_FOUND: Final = (
    "No face was found in this video, so there are no numbers. That says nothing about the people "
    "in it: look at the video, at its light and at the size of the face."
)


@dataclass(frozen=True, slots=True)
class Recording:
    """What is known of one video, from whichever place."""

    title: str  # each has its own
    table: SignalTable
    events: Sequence[EventRecord] = ()
    asked: Mapping[str, Sequence[str]] | None = None  # see `timeline`
    about: Mapping[str, str] = field(default_factory=dict)  # at the top of the page
    marked: Sequence[Span] = ()  # stretches with names of their own, compared as the report's

    def timelines(self) -> list[Timeline]:
        """Lay out every person in it; raises InputError as `timeline` does."""
        return [timeline(self.table, i, self.events, self.asked) for i in people(self.table)]


@dataclass(slots=True)
class Report:
    """Collects recordings, one after the other; `spans` are compared besides the whole video."""

    spans: Sequence[Span] = ()
    _sections: list[Section] = field(default_factory=list, init=False)
    _recordings: list[dict[str, Any]] = field(default_factory=list, init=False)

    def add(self, recording: Recording) -> bool:
        """Add a recording."""
        found = recording.timelines()
        if not found:
            blocks: list[Block] = [Notice(_NO_FACE_FOUND), dict(recording.about)]
            self._sections.append(Section(f"{recording.title}: no face was found", blocks))
        persons = []
        for person in found:
            spans = unlike([*self.spans, *recording.marked])
            summaries = [summarise(person, span) for span in (None, *spans)]
            self._sections += _sections(recording, person, summaries)
            whose = {"face_id": person.face_id, "name": person.name}
            persons.append({**whose, "intervals": [*map(details, summaries)]})
        self._recordings.append(
            {"video": recording.title, "about": dict(recording.about), "people": persons}
        )
        return bool(found)

    @property
    def details(self) -> dict[str, Any]:
        """The numbers as `reporting.envelope.document` takes them."""
        return {"recordings": self._recordings}

    def csv(self) -> str:
        """Lay the numbers out as CSV, one a row."""
        return csv_text(
            row
            for recording in self._recordings
            for person in recording["people"]
            for content in person["intervals"]
            for row in csv_rows(recording["video"], person, content)
        )

    def html(self) -> str:
        """Lay the page out; with a table of contents where it is of several people."""
        headed = [section for section in self._sections if not section.part]
        terms = Section("Terms", [CAUTION, _TERMS], part=len(headed) < 2)
        return page("Numbers per minute", [*self._sections, terms], contents=len(headed) > 1)


def _sections(
    recording: Recording, person: Timeline, summaries: Sequence[Summary]
) -> list[Section]:
    whole, *spans = summaries
    about = {
        "Face": person.title.removeprefix("face "),
        "Length": _length(recording, whole),
        **recording.about,
        **_models(recording),
    }
    sections = [
        Section(f"{recording.title}: {person.title}", [CAUTION, about]),
        Section("What was assessable", [time_table(whole)], part=True),
        Section("Events", _events(whole), part=True),
    ]
    if spans:
        blocks: list[Block] = [comparison_table(spans), "; ".join(when(s.span) for s in spans)]
        sections.append(Section("Intervals", blocks, part=True))
    from facetrack.summary.curves import curves  # loads matplotlib

    pictures = [Picture(svg, _CURVES) for svg in curves(person, [s.span for s in spans])]
    levels = level_table(whole)
    sections += [
        Section("Values", [value_table(whole), *([levels] if levels.rows else [])], part=True),
        Section("Curves", pictures, part=True),
    ]
    if person.events:
        more = len(person.events) - LISTED
        rest = [f"{more} more events are in the events file."] if more > 0 else []
        sections.append(Section("List of events", [event_list(person), *rest], part=True))
    return sections


def _models(recording: Recording) -> dict[str, str]:
    """Return what has to be said of models, under the names of the values that are theirs."""
    said: dict[str, list[str]] = {}
    for name, series in recording.table.signals.items():
        if series.model:
            said.setdefault(series.model, []).append(name.replace("_", " "))
    return {", ".join(names): model for model, names in said.items()}


def _events(whole: Summary) -> list[Block]:
    if not whole.events:
        return ["No kind of event was looked for."]
    sides = side_table(whole)
    return [event_table(whole), *([sides] if sides.rows else [])]


def _length(recording: Recording, whole: Summary) -> str:
    frames = len(set(recording.table.frame.tolist()))
    return f"{whole.quality.times.covered:.1f} s, {frames} frames"
