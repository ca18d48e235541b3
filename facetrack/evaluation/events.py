"""Whether events are found: against labels, and against what another program says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from facetrack.datasets.events import NEGATIVE, Label
from facetrack.errors import InputError
from facetrack.fitting.face_model import FaceModel
from facetrack.opening import open_source
from facetrack.reading import Event
from facetrack.reporting.tables import Part, Table
from facetrack.signals.pipeline import Pipeline, event_records
from facetrack.signals.registry import choose
from facetrack.tracking.tracker import Tracker

FIRST: Final = 1.0  # seconds of a face in which events may be told later
_HEADERS: Final = (
    "data", "clips", "labelled", "found", "missed", "false", "precision", "recall", "F1",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """One event that an estimator found; frames from 0."""

    start: int
    apex: int
    stop: int
    delay: float  # seconds from its last frame until it was told; NaN if the clip's end told it
    early: bool  # it begins in the first second of its face


@dataclass(frozen=True, slots=True)
class Scored:
    """How the events of one clip compare with its labels."""

    clip: str
    labelled: int
    hits: int  # labelled events that were found
    missed: tuple[int, ...]  # apexes of labelled events that were not found
    false: tuple[int, ...]  # apexes of found events that are none
    unlabelled: int  # found where the labels say nothing; they count neither way
    delays: tuple[tuple[float, bool], ...]  # seconds until told, and whether it was an early one


def find_events(clip: Path, name: str, model: FaceModel) -> list[Found]:
    """Track a clip as a live tracker would and collect one kind of event."""
    pipeline = Pipeline(choose(name))
    tracker = Tracker(model)
    times: list[float] = []
    begins: dict[int, float] = {}
    told: list[tuple[int, Event, float]] = []

    def take(found: Sequence[Any], now: float) -> None:
        told.extend((r.face_id, r.event, now - r.event.stop) for r in event_records(found))

    with open_source(clip) as source:
        for frame in source:
            faces = tracker.update(frame)
            times.append(frame.timestamp)
            for face in faces:
                begins.setdefault(face.id, frame.timestamp)
            take(pipeline.update(frame, faces), frame.timestamp)
    take(pipeline.finish(), float("nan"))
    place = {time: index for index, time in enumerate(times)}
    return [
        Found(
            place[event.start], place[event.peak], place[event.stop], delay,
            event.start - begins[face] < FIRST,
        )
        for face, event, delay in told
    ]  # fmt: skip


def score_events(
    clip: str,
    found: Sequence[Found],
    labels: Sequence[Label],
    name: str,
    *,
    tolerance: int,
    everywhere: bool = True,
) -> Scored:
    """Match events with labels by apexes at most `tolerance` frames apart, the nearest first."""
    # Only with `everywhere` is an event false that lies in no stretch labelled as without any.
    events = [label for label in labels if label.name == name]
    without = [label for label in labels if label.name == NEGATIVE + name]
    pairs = sorted(
        (abs(f.apex - e.apex), i, j)
        for i, e in enumerate(events)
        for j, f in enumerate(found)
        if abs(f.apex - e.apex) <= tolerance
    )
    hit: dict[int, int] = {}
    for _, i, j in pairs:
        if i not in hit and j not in hit.values():
            hit[i] = j
    left = [f.apex for j, f in enumerate(found) if j not in hit.values()]
    false = [a for a in left if everywhere or any(s.start <= a <= s.stop for s in without)]
    return Scored(
        clip,
        len(events),
        len(hit),
        tuple(e.apex for i, e in enumerate(events) if i not in hit),
        tuple(false),
        len(left) - len(false),
        tuple((f.delay, f.early) for f in found if np.isfinite(f.delay)),
    )


def event_details(data: str, name: str, scores: Sequence[Scored]) -> dict[str, Any]:
    """Collect everything that the JSON file holds; fractions of 1, delays in seconds."""
    hits, labelled = sum(s.hits for s in scores), sum(s.labelled for s in scores)
    false = sum(len(s.false) for s in scores)
    if not labelled:
        raise InputError(f"{data}: no clip here has a labelled {name}")
    delays = [pair for s in scores for pair in s.delays]
    early, later = ([d for d, first in delays if first is want] for want in (True, False))
    return {
        "data": data,
        "event": name,
        "clips": len(scores),
        "labelled": labelled,
        "found": hits,
        "missed": labelled - hits,
        "false": false,
        "unlabelled": sum(s.unlabelled for s in scores),
        "precision": hits / max(hits + false, 1),
        "recall": hits / labelled,
        "f1": 2 * hits / (hits + false + labelled),
        "delay_first_second": max(early, default=float("nan")),
        "delay_later": max(later, default=float("nan")),
        "disagreements": {
            s.clip: {"missed": list(s.missed), "false": list(s.false)}
            for s in scores
            if s.missed or s.false
        },
    }


def event_table(details: Mapping[str, Any]) -> list[Part]:
    """Lay out the comparison for a person."""
    parts: list[Part] = [
        Table(_HEADERS, [[details[name.lower()] for name in _HEADERS]]),
        f"{details['unlabelled']} more {details['event']} events lie in frames without any label "
        "and count neither way.",
        f"Told after {_seconds(details['delay_first_second'])} at the latest in the first second "
        f"of a face, {_seconds(details['delay_later'])} later on.",
    ]
    for clip, wrong in details["disagreements"].items():
        said = [f"{kind} at frame {', '.join(map(str, at))}" for kind, at in wrong.items() if at]
        parts.append(f"{clip}: {'; '.join(said)}")
    return parts


def _seconds(value: float | None) -> str:
    return "-" if value is None or np.isnan(value) else f"{value:.2f} s"
