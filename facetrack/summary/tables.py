"""The numbers as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Final

from facetrack.reading import HUMAN
from facetrack.reporting.tables import Quantity, Table
from facetrack.summary.events import EventNumbers, event_seconds
from facetrack.summary.numbers import Summary, ValueNumbers
from facetrack.summary.timeline import Timeline
from facetrack.summary.times import DIFFERENCE, Times, ratio

LISTED: Final = 300  # events of a list
_PERCENT: Final = "\N{NO-BREAK SPACE}%"


def percent(share: float) -> Quantity:
    """Show a share."""
    return Quantity(100 * share, 1, _PERCENT)


def label(name: str, unit: str = "") -> str:
    """Show a name and its unit as people read them."""
    words = name.replace(DIFFERENCE, ": left - right").replace("_", " ")
    return words + (f" ({unit})" if unit not in ("", "1") else "")


def time_table(summary: Summary) -> Table:
    """Lay out how much of the time was tracked, and each signal assessable, and why not."""
    q = summary.quality
    covered = q.times.covered
    doubtful = ratio(q.doubtful, covered)
    rows: list[list[object]] = [
        ["face tracked", Quantity(q.times.assessed, 1), percent(q.times.share), _reasons(q.times)],
        ["of it doubtful (quality < 0.6)", Quantity(q.doubtful, 1), percent(doubtful), ""],
        ["face lost", Quantity(q.lost, 1), percent(ratio(q.lost, covered)), ""],
    ]
    alike: dict[str, list[ValueNumbers]] = {}
    for v in summary.values.values():
        if not v.name.endswith(DIFFERENCE):
            alike.setdefault(repr(v.times), []).append(v)
    for group in alike.values():
        times = group[0].times
        names = ", ".join(label(v.name) for v in group)
        rows.append([names, Quantity(times.assessed, 1), percent(times.share), _reasons(times)])
    return _lean(["", "seconds", "of the time", "why not the rest"], rows)


def _lean(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """Leave out columns that say nothing."""
    kept = [k for k in range(len(headers)) if any(row[k] != "" for row in rows)]
    return Table([headers[k] for k in kept], [[row[k] for k in kept] for row in rows])


def _reasons(times: Times) -> str:
    return "; ".join(f"{reason}: {percent(share)}" for reason, share in times.shares.items())


def event_table(summary: Summary) -> Table:
    """Lay out every kind of event that was looked for."""
    headers = ["event", "count", "by a person", "per minute", "mean, s", "longest, s",
               "of the time", "mean size", "note"]  # fmt: skip
    return _lean(headers, [_event_row(e) for e in summary.events.values()])


def _event_row(e: EventNumbers) -> list[object]:
    return [
        label(e.name), e.count, e.by_human or "", Quantity(e.per_minute, 1),
        Quantity(e.mean_seconds, 2), Quantity(e.longest_seconds, 2), percent(e.share),
        _number(e.score, e.unit), _notes(_note(e.times), e.model),
    ]  # fmt: skip


def _note(times: Times) -> str:
    """Say that an event could not be seen for a part of the time."""
    if times.unassessable or not times.reasons:
        return times.unassessable
    return f"{percent(times.share)} of the time assessed"


def side_table(summary: Summary) -> Table:
    """Lay out the details of events that have a right and a left side."""
    rows = [
        [label(e.name), label(stem), *(Quantity(e.details[stem + end])
                                       for end in ("_right", "_left", DIFFERENCE))]
        for e in summary.events.values()
        for stem in (k.removesuffix(DIFFERENCE) for k in e.details if k.endswith(DIFFERENCE))
    ]  # fmt: skip
    return Table(["event", "mean of", "right", "left", "left - right"], rows)


def value_table(summary: Summary) -> Table:
    """Lay out the values of every signal."""
    headers = ["signal", "mean", "SD", "median", "5 %", "95 %", "lowest", "highest",
               "peak", "at, s", "note"]  # fmt: skip
    return _lean(headers, [_value_row(v) for v in summary.values.values()])


def _value_row(v: ValueNumbers) -> list[object]:
    numbers = (v.mean, v.sd, v.median, v.p5, v.p95, v.minimum, v.maximum, v.peak)
    shown = (_number(number, v.unit) for number in numbers)
    note = _notes(v.times.unassessable, v.model)
    return [label(v.name, v.unit), *shown, Quantity(v.peak_at, 1), note]


def _notes(*notes: str) -> str:
    return "; ".join(filter(None, notes))


def _number(value: float, unit: str) -> Quantity:
    return Quantity(value, 3 if unit in ("", "1") else 1)


def level_table(summary: Summary) -> Table:
    """Lay out for how long signals were above their level."""
    rows = [
        [label(v.name, v.unit), _number(v.level, v.unit), percent(v.above), percent(1 - v.above)]
        for v in summary.values.values()
        if isfinite(v.level)
    ]
    return Table(["signal", "level", "above it", "at or below it"], rows)


def comparison_table(summaries: Sequence[Summary]) -> Table:
    """Lay spans out side by side, with what differs from the first."""
    first, *others = [s.span.name for s in summaries]
    headers = ["", first, *others, *(f"{name} - {first}" for name in others), "note"]
    return _lean(headers, list(_compared(summaries)))


def _compared(summaries: Sequence[Summary]) -> Iterator[list[object]]:
    yield _row("seconds of the video", [(s.quality.times.covered, "") for s in summaries], 1)
    yield from _assessable(summaries)
    for name in summaries[0].events:
        events = [s.events[name] for s in summaries]
        counts = [(float("nan") if e.count is None else e.count, "") for e in events]
        yield _row(f"{label(name)}: count", counts, 0, model=events[0].model)
        rates = [(e.per_minute, e.times.unassessable) for e in events]
        title = f"{label(name)}: per minute"
        yield _row(title, rates, 1, names=summaries, model=events[0].model)
    for name in summaries[0].values:
        values = [s.values[name] for s in summaries]
        unit = values[0].unit
        means = [(v.mean, v.times.unassessable) for v in values]
        digits = _number(0.0, unit).digits
        model = values[0].model
        yield _row(f"{label(name, unit)}: mean", means, digits, names=summaries, model=model)
        if isfinite(max(v.level for v in values)):
            above = [(100 * v.above, "") for v in values]
            yield _row(f"{label(name)}: above its level", above, 1, _PERCENT, model=model)


def _assessable(summaries: Sequence[Summary]) -> Iterator[list[object]]:
    """Say first how much could be assessed; signals of which the same is known share a row."""
    qualities = [s.quality for s in summaries]
    tracked = [(100 * q.times.share, _reasons(q.times)) for q in qualities]
    yield _row("face tracked", tracked, 1, _PERCENT, summaries)
    doubtful = [(100 * ratio(q.doubtful, q.times.covered), "") for q in qualities]
    yield _row("of it doubtful (quality < 0.6)", doubtful, 1, _PERCENT)
    alike: dict[str, list[str]] = {}
    for name in summaries[0].values:
        if not name.endswith(DIFFERENCE):
            alike.setdefault(repr([s.values[name].times for s in summaries]), []).append(name)
    for names in alike.values():
        times = [s.values[names[0]].times for s in summaries]
        shares = [(100 * t.share, _reasons(t)) for t in times]
        yield _row("assessable: " + ", ".join(map(label, names)), shares, 1, _PERCENT, summaries)


def _row(
    title: str,
    numbers: Sequence[tuple[float, str]],
    digits: int,
    unit: str = "",
    names: Sequence[Summary] = (),
    model: str = "",
) -> list[object]:
    values = [value for value, _ in numbers]
    differences = [value - values[0] for value in values[1:]]
    shown = [Quantity(value, digits, unit) for value in (*values, *differences)]
    notes = [
        f"{s.span.name}: {why}" if len(names) > 1 else why
        for s, (_, why) in zip(names, numbers, strict=False)
        if why
    ]
    return [title, *shown, _notes(model, *notes)]


def event_list(person: Timeline) -> Table:
    """Lay out the first events of a person."""
    rows: list[list[object]] = [
        [
            clock(r.event.start), label(r.event.name), Quantity(event_seconds(person, r.event), 2),
            Quantity(r.event.score, 2), r.event.text,
            "a person" if r.source == HUMAN else r.estimator or "the program",
        ]
        for r in person.events[:LISTED]
    ]  # fmt: skip
    return _lean(["begins", "event", "lasts, s", "score", "text", "says"], rows)


def clock(seconds: float) -> str:
    """Show a time as minutes and seconds."""
    hundredths = round(100 * seconds)
    return f"{hundredths // 6000}:{hundredths % 6000 / 100:05.2f}"
