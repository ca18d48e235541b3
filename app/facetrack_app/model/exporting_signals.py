# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals and events of a session as the library's rows: what files, tiers and reports are made of.

Seconds count from time zero; excluded and trimmed frames, and events that peak there, are left out.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from itertools import chain, count, islice
from math import nan
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.formats.atomic import atomic_path, write_text
from facetrack.formats.durations import frame_ends
from facetrack.formats.events_csv import write_events
from facetrack.formats.signals_csv import Series, SignalTable, SignalWriter
from facetrack.formats.table import NO_FACE
from facetrack.reading import HUMAN, MACHINE, EventRecord, Reading, Row
from facetrack.signals.estimator import nothing
from facetrack.signals.registry import Choice
from facetrack.signals.rest import Restable
from facetrack.signals.rows import NO_FACE_REASON
from facetrack.summary.report import Recording, Report
from facetrack.summary.spans import Span, union
from facetrack.version import installed_version
from facetrack_app.model.judged import Judged
from facetrack_app.model.look import Span as Mark
from facetrack_app.model.readings import CHUNK, read_series, rest_of
from facetrack_app.model.rows import Kind
from facetrack_app.model.session import OTHER_MODELS, Session

_COUNTED: Final = re.compile(r"Face \d+")  # what the faces of a picture are called at first


def people_of(session: Session) -> dict[int, str]:
    """Name people by their numbers in the tracks; of stills, those whom a person has named."""
    named = enumerate(session.people.values())
    return {i: name for i, name in named if not (session.stills and _COUNTED.fullmatch(name))}


def rests_of(session: Session, choice: Choice) -> dict[int, str]:
    """Say when people's faces were at rest, from which values are measured, by their numbers."""
    if not any(isinstance(estimator, Restable) for estimator in choice.estimators):
        return {}
    times, found = session.times(), dict[int, str]()
    for number, person in enumerate(session.people):
        start, stop = session.setting(rest_of(person), (0, 0))
        if start < stop <= len(times):
            seconds = (session.seconds(float(times[frame])) for frame in (start, stop - 1))
            found[number] = "{:.3f} to {:.3f} s".format(*seconds)
    return found


def signal_rows(session: Session, choice: Choice) -> Iterator[Row]:
    """Give the values of all frames that count, by frame and person."""
    times, excluded = session.times(), session.excluded()
    zero, stills = session.time_zero, session.stills
    unreadable = session.unreadable
    for start in range(0, len(times), CHUNK):
        stop = min(start + CHUNK, len(times))
        known = {person: _series(session, choice, person, start, stop) for person in session.people}
        there = {p: session.summary(p).kind != Kind.NOTHING for p in session.people}
        there = {p: mask | session.summary(p).corrected for p, mask in there.items()}
        for frame in range(max(start, zero), stop):
            if excluded[frame] or frame in unreadable:
                continue
            moment = nan if stills else float(times[frame] - times[zero])
            here = [(n, p) for n, p in enumerate(session.people) if there[p][frame]]
            if not here:
                yield Row(frame, moment, NO_FACE, nothing(choice.values, NO_FACE_REASON))
            for number, person in here:
                values = {n: _reading(s, frame - start) for n, s in known[person].items()}
                yield Row(frame, moment, number, values)


def _series(
    session: Session, choice: Choice, person: int, start: int, stop: int
) -> dict[str, Series]:
    found: dict[str, Series] = {}
    for estimator in choice.estimators:
        series = read_series(session.store, person, estimator, start, stop)
        found |= {name: one for name, one in series.items() if name in choice.names}
    return found


def _reading(series: Series, place: int) -> Reading:
    value, low, high = (float(part[place]) for part in (series.value, series.low, series.high))
    return Reading(value, low, high, series.reason[place])


def signal_table(session: Session, choice: Choice, people: Sequence[int] = ()) -> SignalTable:
    """Lay out what `signal_rows` gives as arrays, of all people or of some."""
    times, zero = session.times(), session.time_zero
    counts = ~session.excluded()[: len(times)]
    counts[:zero] = False
    faceless = counts.copy()
    parts: list[tuple[npt.NDArray[np.intp], int, dict[str, Series]]] = []
    for number, person in enumerate(session.people):
        if person in (people or session.people):
            summary = session.summary(person)
            there = counts & ((summary.kind != Kind.NOTHING) | summary.corrected)[: len(times)]
            faceless &= ~there
            series = _series(session, choice, person, 0, len(times))
            parts.append((np.flatnonzero(there), number, series))
    unknown = np.full(len(times), np.nan)
    silent = Series(unknown, unknown, unknown, (NO_FACE_REASON,) * len(times))
    parts.append((np.flatnonzero(faceless), NO_FACE, dict.fromkeys(choice.names, silent)))
    frames = np.concatenate([rows for rows, _, _ in parts])
    order = np.argsort(frames, kind="stable")
    whose = np.repeat([number for _, number, _ in parts], [len(rows) for rows, _, _ in parts])
    signals = {}
    for name, model in ((spec.name, spec.model) for spec in choice.values):
        value, low, high, reason = (
            np.concatenate([np.array(getattr(s[name], part), kind)[rows] for rows, _, s in parts])
            for part, kind in _PARTS
        )
        said = tuple(reason[order].tolist())
        signals[name] = Series(value[order], low[order], high[order], said, model)
    begin = times[zero] if zero < len(times) else 0.0
    frames = frames[order]
    return SignalTable(frames, times[frames] - begin, whose[order], signals, people_of(session))


def event_records(session: Session) -> list[EventRecord]:
    """Give the events that count, without those that a person rejected."""
    times, excluded = session.times(), session.excluded()
    zero = session.time_zero
    if zero >= len(times):
        return []
    begin = float(times[zero])
    return [
        _record(judged, number, begin)
        for number, person in enumerate(session.people)
        for judged in session.events(person)
        if judged.event.start >= begin
        and not excluded[session.frames_of(judged.event.peak, judged.event.peak)[0]]
    ]


def _record(judged: Judged, number: int, begin: float) -> EventRecord:
    event, detail = judged.event, dict[str, Any](judged.event.detail)
    if judged.original is not None:
        first = judged.original
        said = {"name": first.name}
        said |= {part: round(getattr(first, part) - begin, 6) for part in _MOMENTS}
        detail["machine"] = said
    moved = {part: getattr(event, part) - begin for part in _MOMENTS}
    event = replace(event, **moved, detail=detail)
    return EventRecord(number, event, judged.estimator, HUMAN if judged.human else MACHINE)


_MOMENTS = ("start", "peak", "stop")
_PARTS = (("value", float), ("low", float), ("high", float), ("reason", object))


def write_signal_files(session: Session, choice: Choice, path: Path) -> None:
    """Write NAME.signals.csv and NAME.events.csv beside NAME.csv; raises OutputError."""
    rows, people = signal_rows(session, choice), people_of(session)
    rests = rests_of(session, choice)
    with (
        atomic_path(path.with_suffix(".signals.csv")) as temporary,
        SignalWriter(temporary, choice.values, people=people, rests=rests) as writer,
    ):
        while some := list(islice(rows, CHUNK)):
            writer.write(some)
    write_events(path.with_suffix(".events.csv"), event_records(session), people)


def recording_of(
    session: Session, choice: Choice, title: str, people: Sequence[int] = ()
) -> Recording:
    """Give what a report needs to know of a session, of all people or of some."""
    asked = {name: names for name, _, *names in choice.run_key()}
    later = session.setting(OTHER_MODELS, {}).items()
    names = list(session.people.values())
    rests = [f"{names[n]}: {words}" for n, words in rests_of(session, choice).items()
             if not people or list(session.people)[n] in people]  # fmt: skip
    others = ", ".join(f"{name} ({checksum})" for checksum, name in later)
    about = {
        "Video": title,
        "Program": f"Facetrack {installed_version()}",
        "Model": str(session.setting("model", "")),
        "Checksum": str(session.setting("model_checksum", "")),
        **({"Other models": others} if others else {}),
        **({"Measured from the face at rest": "; ".join(rests)} if rests else {}),
    }
    table = signal_table(session, choice, people)
    return Recording(title, table, event_records(session), asked, about, marked_spans(session))


def marked_spans(session: Session) -> list[Span]:
    """Give the events that a person marked as intervals; those of one name also as one."""
    found, alike = dict[str, Span](), dict[str, list[Span]]()
    for mark, start, stop in marked_moments(session):
        label = mark.label.strip() or "marked"
        name = _free(label, found)
        found[name] = Span(name, start, stop)
        alike.setdefault(label, []).append(found[name])
    for label, spans in alike.items():
        if len(spans) > 1:
            name = _free(f"all {label}", found)
            found[name] = union(name, spans)
    return list(found.values())


def _free(name: str, taken: Container[str]) -> str:
    names = chain([name], (f"{name} {number}" for number in count(2)))
    return next(name for name in names if name not in taken)


def marked_moments(session: Session) -> Iterator[tuple[Mark, float, float]]:
    """Give the events that a person marked, each from when to when, in seconds from time zero."""
    times, zero = session.times(), session.time_zero
    ends = frame_ends(np.arange(len(times)), times)
    for mark in sorted(session.spans, key=lambda mark: mark.start):
        if mark.kind == "event" and zero <= mark.start < mark.stop <= len(times):
            begin, first, end = (
                float(t) for t in (times[zero], times[mark.start], ends[mark.stop - 1])
            )
            yield mark, first - begin, end - begin


def write_report(session: Session, choice: Choice, path: Path, title: str) -> int:
    """Write the numbers per minute, a page or a .csv table; returns of how many frames."""
    recording, report = recording_of(session, choice, title), Report()
    report.add(recording)
    write_text(path, report.csv() if path.suffix.lower() == ".csv" else report.html())
    return len(np.unique(recording.table.frame))
