# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers of one person over intervals of a session: side by side, and as files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from facetrack.errors import InputError
from facetrack.formats.atomic import atomic_path, write_text
from facetrack.formats.durations import frame_ends
from facetrack.reporting.tables import Table
from facetrack.signals.registry import Choice
from facetrack.summary.numbers import summarise
from facetrack.summary.report import Recording, Report
from facetrack.summary.spans import Span, union
from facetrack.summary.tables import comparison_table
from facetrack_app.model.exporting_signals import marked_spans, recording_of, rests_of
from facetrack_app.model.session import Session

WHOLE: Final = "whole video"
VISIBLE: Final = "visible part"
KINDS: Final = {".html": "page", ".csv": "CSV", ".png": "picture"}
Chosen = Sequence[Span | None]
"""Intervals, the first of which the others are compared with; None: the whole video."""


def intervals(session: Session, person: int, window: tuple[int, int]) -> dict[str, Span | None]:
    """Give what numbers can be asked of, by name."""
    found: dict[str, Span | None] = {WHOLE: None}
    times = session.times()
    ends = frame_ends(np.arange(len(times)), times)
    first, last = window[0], min(window[1], len(times)) - 1

    def span(name: str, first: int, last: int) -> Span:
        return Span(name, session.seconds(float(times[first])), session.seconds(float(ends[last])))

    if first <= last:
        found[VISIBLE] = span(VISIBLE, first, last)
    found |= {span.name: span for span in marked_spans(session) if span.name not in found}
    kinds: dict[str, list[Span]] = {}
    for judged in session.events(person):
        if judged.human:
            frames = session.frames_of(judged.event.start, judged.event.stop)
            kinds.setdefault(judged.event.name, []).append(span(judged.event.name, *frames))
    for kind, spans in kinds.items():
        name = f"during {kind.replace('_', ' ')}"
        found.setdefault(name, union(name, spans))
    return found


def compared(session: Session, choice: Choice, person: int, chosen: Chosen) -> Table:
    """Lay numbers out side by side; raises InputError if nothing is known of the person."""
    mine = _only(session, choice, "", person).timelines()[0]
    return comparison_table([summarise(mine, span) for span in dict.fromkeys(chosen)])


def save_numbers(
    session: Session, choice: Choice, person: int, chosen: Chosen, title: str, path: Path
) -> None:
    """Write a page, a table or a picture, as the suffix says; raises InputError, OutputError."""
    recording = _only(session, choice, title, person)
    spans = [span for span in dict.fromkeys(chosen) if span is not None]
    if path.suffix == ".png":
        mine = recording.timelines()[0]
        from facetrack.summary.picture import picture  # loads matplotlib

        about = f"{title}: {session.people[person]}{in_words_of_rest(session, choice, person)}"
        drawn = picture(about, mine,
                        [summarise(mine, span) for span in dict.fromkeys(chosen)])  # fmt: skip
        with atomic_path(path) as temporary:
            temporary.write_bytes(drawn)
        return
    report = Report()
    report.add(replace(recording, marked=spans))
    write_text(path, report.csv() if path.suffix == ".csv" else report.html())


def in_words_of_rest(session: Session, choice: Choice, person: int) -> str:
    """Say behind a name when the face was at rest that values are measured from, if it was."""
    said = rests_of(session, choice).get(list(session.people).index(person), "")
    return f"; measured from the face at rest, {said}" if said else ""


def _only(session: Session, choice: Choice, title: str, person: int) -> Recording:
    """Give what is known of one person."""
    recording = recording_of(session, choice, title, [person])
    if not (recording.table.face_id >= 0).any():
        name = session.people.get(person, "this person")
        raise InputError(
            f"{name} is in no frame that counts: nothing is tracked, or all is left out"
        )
    return recording
