"""Events of one kind over a span: how many, how often, how long."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np

from facetrack.reading import HUMAN, Event, Spec
from facetrack.summary.spans import Span
from facetrack.summary.timeline import Flags, Floats, Timeline
from facetrack.summary.times import DIFFERENCE, LEFT, RIGHT, Times, ratio, times_of


@dataclass(frozen=True, slots=True)
class EventNumbers:
    """One kind of event over a span."""

    name: str
    unit: str  # of the score
    times: Times  # where its estimator knew anything
    count: int | None  # with their peak in the span; None: none, and nothing was assessed
    by_human: int  # those that a person vouches for
    per_minute: float  # of assessed time; events outside are left out; NaN without any
    mean_seconds: float  # as its detail `seconds` says, else first to end of last frame
    longest_seconds: float
    share: float  # of the assessed time that such events take
    score: float  # mean magnitude
    details: dict[str, float]  # mean of every number in detail, and of differences of sides
    model: str = ""  # see `Spec.model`


def event_numbers(
    name: str, spec: Spec | None, person: Timeline, span: Span, weights: Floats
) -> EventNumbers:
    """Compute the numbers of one kind of event, with `person.weights` of the span, (n,)."""
    known, reasons = _assessed(person, person.sought[name])
    times = times_of(known, reasons, weights)
    mine = [record for record in person.events if record.event.name == name]
    within = [record for record in mine if span.holds(record.event.peak)]
    found = [record.event for record in within]
    rated = sum(bool(known[person.piece(event.peak)]) for event in found)
    taken = taken_by(person, name)
    seconds = [event_seconds(person, event) for event in found]
    scores = [abs(event.score) for event in found if event.score == event.score]
    return EventNumbers(
        name, spec.unit if spec is not None else "", times,
        len(found) if found or times.assessed > 0 else None,
        sum(record.source == HUMAN for record in within),
        ratio(60 * rated, times.assessed), _mean(seconds), max(seconds, default=nan),
        ratio(float(weights[taken & known].sum()), times.assessed), _mean(scores),
        _details(found),
        next(filter(None, (person.signals[n].model for n in person.sought[name])), ""),
    )  # fmt: skip


def taken_by(person: Timeline, kind: str) -> Flags:
    """Find the pieces of a timeline that events of a kind take."""
    taken = np.zeros(len(person.start), dtype=np.bool_)
    for record in person.events:
        if record.event.name == kind:
            taken[_pieces_of(person, record.event)] = True
    return taken


def _assessed(person: Timeline, names: Sequence[str]) -> tuple[Flags, Sequence[str]]:
    """Return where an estimator knew anything, and why not; without signals, where it could."""
    if not names:
        return person.seen, person.reason
    known = np.any([np.isfinite(person.signals[name].value) for name in names], axis=0)
    return known, person.signals[names[0]].reason


def _pieces_of(person: Timeline, event: Event) -> slice:
    return slice(person.piece(event.start), person.piece(event.stop) + 1)


def event_seconds(person: Timeline, event: Event) -> float:
    """Measure how long an event lasts; see `EventNumbers`."""
    measured = event.detail.get("seconds")
    if isinstance(measured, int | float):
        return float(measured)
    pieces = _pieces_of(person, event)
    return float(person.stop[pieces.stop - 1] - person.start[pieces.start])


def _details(events: Sequence[Event]) -> dict[str, float]:
    found: dict[str, list[float]] = defaultdict(list)
    for event in events:
        for key, number in _numbers(event.detail):
            found[key].append(number)
    return {key: _mean(numbers) for key, numbers in found.items()}


def _numbers(detail: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Give the numbers of an event's detail, and the differences of its sides."""
    numbers = {k: float(v) for k, v in detail.items() if type(v) in (int, float)}
    yield from ((key, number) for key, number in numbers.items() if key != "seconds")
    for key, left in numbers.items():
        stem = key.removesuffix(LEFT)
        if key.endswith(LEFT) and stem + RIGHT in numbers:
            yield stem + DIFFERENCE, left - numbers[stem + RIGHT]


def _mean(numbers: Sequence[float]) -> float:
    return float(np.mean(numbers)) if numbers else nan
