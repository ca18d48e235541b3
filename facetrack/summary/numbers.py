"""What is said of one person over a span: shares of time, values, and events per minute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import nan
from typing import Final

import numpy as np

from facetrack.formats.signals_csv import Series
from facetrack.reading import Spec
from facetrack.signals.estimator import LOST
from facetrack.signals.registry import signals
from facetrack.summary.events import EventNumbers, event_numbers
from facetrack.summary.spans import Span
from facetrack.summary.timeline import Floats, Timeline
from facetrack.summary.times import DIFFERENCE, LEFT, RIGHT, Times, ratio, times_of

DOUBT: Final = 0.6  # quality below which a frame is doubtful


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
        The unit is empty for a signal that is not registered.
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
    model : str
        See `Spec.model`.
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
    model: str = ""


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
        name: _value(name, specs.get(name.replace(DIFFERENCE, LEFT)), s, person, weights)
        for name, s in series.items()
    }
    events = {
        name: event_numbers(name, specs.get(name), person, span, weights) for name in person.sought
    }
    return Summary(person.face_id, span, _quality(person, weights), values, events)


def _quality(person: Timeline, weights: Floats) -> Quality:
    times = times_of(person.seen, person.reason, weights)
    given = person.signals.get("quality")
    doubtful = nan
    if given is not None:
        doubtful = float(weights[person.seen & (given.value < DOUBT)].sum())
    lost = sum(seconds for why, seconds in times.reasons.items() if why.startswith(LOST))
    return Quality(times, doubtful, lost)


def _differences(series: Mapping[str, Series]) -> Iterator[tuple[str, Series]]:
    """Give the left side minus the right one of every pair."""
    for name, left in series.items():
        stem = name.removesuffix(LEFT)
        right = series.get(stem + RIGHT)
        if name.endswith(LEFT) and right is not None:
            reason = tuple(a or b for a, b in zip(left.reason, right.reason, strict=True))
            unknown = np.full(len(left.value), nan)
            differ = left.value - right.value
            yield stem + DIFFERENCE, Series(differ, unknown, unknown, reason, left.model)


def _value(
    name: str, spec: Spec | None, series: Series, person: Timeline, weights: Floats
) -> ValueNumbers:
    known = np.isfinite(series.value)
    times = times_of(known, series.reason, weights)
    unit = spec.unit if spec is not None else ""
    chosen = known & (weights > 0)
    if not chosen.any():
        return ValueNumbers(name, unit, times, model=series.model)
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
        series.model,
    )  # fmt: skip
