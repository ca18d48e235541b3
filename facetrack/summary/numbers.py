"""What is said of one person over a span: shares of time, values, and events per minute."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any, Final

import numpy as np

from facetrack.formats.signals_csv import Series
from facetrack.reading import HUMAN, Event, Spec
from facetrack.signals.registry import signals
from facetrack.summary.spans import Span
from facetrack.summary.timeline import LOST, UNSAID, Flags, Floats, Timeline

DOUBT: Final = 0.6  # quality below which a frame is doubtful
DIFFERENCE: Final = "_left_minus_right"
_RIGHT, _LEFT = "_right", "_left"


@dataclass(frozen=True, slots=True)
class Times:
    """How much of a span something is known.

    Attributes
    ----------
    covered : float
        Seconds of the span that the video has.
    assessed : float
        Seconds of these in which it is known.
    reasons : dict of str to float
        Seconds of the rest, by why it is not known; the longest first.
    """

    covered: float
    assessed: float
    reasons: dict[str, float]

    @property
    def share(self) -> float:
        """Share of the covered time that is assessed; NaN where nothing is covered."""
        return ratio(self.assessed, self.covered)

    @property
    def shares(self) -> dict[str, float]:
        """Share of the covered time of every reason."""
        return {reason: ratio(seconds, self.covered) for reason, seconds in self.reasons.items()}

    @property
    def unassessable(self) -> str:
        """Why nothing at all is known; empty where something is."""
        if self.assessed > 0:
            return ""
        return f"not assessable: {next(iter(self.reasons), 'the video has no such time')}"


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a person was followed.

    Attributes
    ----------
    times : Times
        Tracked, and why not.
    doubtful : float
        Seconds of the tracked time with a quality below 0.6; NaN where no quality is given.
    lost : float
        Seconds in which the person is followed and not seen; the rest, the person is not there.
    """

    times: Times
    doubtful: float
    lost: float


@dataclass(frozen=True, slots=True)
class ValueNumbers:
    """One signal over a span; every number weighs frames by their duration.

    Attributes
    ----------
    name, unit : str
        The unit is empty for a signal that nobody knows.
    times : Times
    mean, sd, median, p5, p95, minimum, maximum : float
        NaN where nothing is known. `sd` is of the values, no error of the mean; `p5` and `p95` are
        percentiles.
    peak, peak_at : float
        The value that is farthest from 0, and the second when it begins.
    level : float
        `Spec.level`; NaN where there is none.
    above : float
        Share of the assessed time above it.
    """

    name: str
    unit: str
    times: Times
    mean: float = nan
    sd: float = nan
    median: float = nan
    p5: float = nan
    p95: float = nan
    minimum: float = nan
    maximum: float = nan
    peak: float = nan
    peak_at: float = nan
    level: float = nan
    above: float = nan


@dataclass(frozen=True, slots=True)
class EventNumbers:
    """One kind of event over a span.

    Attributes
    ----------
    name, unit : str
        The unit is that of the score.
    times : Times
        Where its estimator knew anything.
    count : int or None
        Events with their peak in the span. None where there are none and nothing was assessed.
    by_human : int
        Those of them that a person vouches for.
    per_minute : float
        Of assessed time, events outside of which are left out; NaN without any.
    mean_seconds, longest_seconds : float
        Duration: as the estimator measured it (`seconds` of the event's detail), else from the
        first frame to the end of the last one.
    share : float
        Share of the assessed time that such events take.
    score : float
        Mean magnitude of the score.
    details : dict of str to float
        Mean of every number in the events' detail, and of the differences of sides.
    """

    name: str
    unit: str
    times: Times
    count: int | None
    by_human: int
    per_minute: float
    mean_seconds: float
    longest_seconds: float
    share: float
    score: float
    details: dict[str, float]


@dataclass(frozen=True, slots=True)
class Summary:
    """All numbers of one person over one span.

    Attributes
    ----------
    face_id : int
    span : Span
    quality : Quality
    values : dict of str to ValueNumbers
        By the signal's name; pairs of sides also with their difference.
    events : dict of str to EventNumbers
        Every kind that was looked for.
    """

    face_id: int
    span: Span
    quality: Quality
    values: dict[str, ValueNumbers]
    events: dict[str, EventNumbers]


def summarise(person: Timeline, span: Span | None = None) -> Summary:
    """Compute the numbers of one person.

    Parameters
    ----------
    person : Timeline
    span : Span, optional
        The whole video without it.

    Returns
    -------
    Summary
    """
    span = span or person.whole
    weights, specs = person.weights(span), signals()
    series = {**person.signals, **dict(_differences(person.signals))}
    values = {
        name: _value(name, specs.get(name.replace(DIFFERENCE, _LEFT)), s, person, weights)
        for name, s in series.items()
    }
    events = {name: _event(name, specs.get(name), person, span, weights) for name in person.sought}
    return Summary(person.face_id, span, _quality(person, weights), values, events)


def ratio(part: float, whole: float) -> float:
    """Divide; NaN by nothing."""
    return part / whole if whole > 0 else nan


def _times(known: Flags, reasons: Sequence[str], weights: Floats) -> Times:
    missing: dict[str, float] = defaultdict(float)
    for i in np.flatnonzero(~known & (weights > 0)).tolist():
        missing[reasons[i] or UNSAID] += float(weights[i])
    ordered = dict(sorted(missing.items(), key=lambda item: -item[1]))
    return Times(float(weights.sum()), float(weights[known].sum()), ordered)


def _quality(person: Timeline, weights: Floats) -> Quality:
    times = _times(person.seen, person.reason, weights)
    given = person.signals.get("quality")
    doubtful = nan
    if given is not None:
        doubtful = float(weights[person.seen & (given.value < DOUBT)].sum())
    lost = sum(seconds for why, seconds in times.reasons.items() if why.startswith(LOST))
    return Quality(times, doubtful, lost)


def _differences(series: Mapping[str, Series]) -> Iterator[tuple[str, Series]]:
    """Give the left side minus the right one of every pair."""
    for name, left in series.items():
        stem = name.removesuffix(_LEFT)
        right = series.get(stem + _RIGHT)
        if name.endswith(_LEFT) and right is not None:
            reason = tuple(a or b for a, b in zip(left.reason, right.reason, strict=True))
            unknown = np.full(len(left.value), nan)
            yield stem + DIFFERENCE, Series(left.value - right.value, unknown, unknown, reason)


def _value(
    name: str, spec: Spec | None, series: Series, person: Timeline, weights: Floats
) -> ValueNumbers:
    known = np.isfinite(series.value)
    times = _times(known, series.reason, weights)
    unit = spec.unit if spec is not None else ""
    chosen = known & (weights > 0)
    if not chosen.any():
        return ValueNumbers(name, unit, times)
    value, weight = series.value[chosen], weights[chosen]
    mean = float(np.average(value, weights=weight))
    p5, median, p95 = np.percentile(value, [5, 50, 95], weights=weight, method="inverted_cdf")
    peak = int(np.argmax(np.abs(value)))
    level = nan
    if spec is not None and spec.level is not None and not name.endswith(DIFFERENCE):
        level = spec.level
    return ValueNumbers(
        name, unit, times, mean, float(np.sqrt(np.average((value - mean) ** 2, weights=weight))),
        float(median), float(p5), float(p95), float(value.min()), float(value.max()),
        float(value[peak]), float(person.start[chosen][peak]), level,
        nan if np.isnan(level) else ratio(float(weight[value > level].sum()), float(weight.sum())),
    )  # fmt: skip


def _event(
    name: str, spec: Spec | None, person: Timeline, span: Span, weights: Floats
) -> EventNumbers:
    known, reasons = _assessed(person, person.sought[name])
    times = _times(known, reasons, weights)
    mine = [record for record in person.events if record.event.name == name]
    within = [record for record in mine if span.start <= record.event.peak < span.stop]
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
    )  # fmt: skip


def taken_by(person: Timeline, kind: str) -> Flags:
    """Find the pieces of a timeline that events of a kind take.

    Parameters
    ----------
    person : Timeline
    kind : str

    Returns
    -------
    ndarray, shape (n,), bool
    """
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
    """Measure how long an event lasts; see `EventNumbers`.

    Parameters
    ----------
    person : Timeline
    event : Event

    Returns
    -------
    float
        Seconds.
    """
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
        stem = key.removesuffix(_LEFT)
        if key.endswith(_LEFT) and stem + _RIGHT in numbers:
            yield stem + DIFFERENCE, left - numbers[stem + _RIGHT]


def _mean(numbers: Sequence[float]) -> float:
    return float(np.mean(numbers)) if numbers else nan
