"""Stretches of time that a person chose: named on the command line or in a table."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite
from typing import Final

from facetrack.errors import FormatError, InputError
from facetrack.formats.textfile import read_text

_SPAN: Final = re.compile(r"(.+)=(\d+(?:\.\d*)?)-(\d+(?:\.\d*)?)", re.ASCII)
_MAX_BYTES: Final = 1 << 24
_NAMES: Final = ("name", "start", "stop")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time with a name, such as a baseline."""

    name: str
    start: float  # seconds, as the frames' timestamps
    stop: float  # itself outside
    parts: tuple[tuple[float, float], ...] = ()  # what counts inside: see `union`

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InputError(f"the interval {self.start:g}-{self.stop:g} has no name")
        if not (isfinite(self.start) and isfinite(self.stop) and self.start < self.stop):
            raise InputError(
                f"the interval {self.name!r} is empty: {self.start:g} to {self.stop:g} s"
            )

    @property
    def stretches(self) -> tuple[tuple[float, float], ...]:
        """What counts, by start; none touch."""
        return self.parts or ((self.start, self.stop),)

    def holds(self, time: float) -> bool:
        """Return whether a moment counts."""
        return any(start <= time < stop for start, stop in self.stretches)


def union(name: str, spans: Iterable[Span]) -> Span:
    """Make one span of several, such as all that were marked with one word."""
    joined: list[tuple[float, float]] = []
    for start, stop in sorted(part for span in spans for part in span.stretches):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], stop)
        else:
            joined.append((start, stop))
    return Span(name, joined[0][0], joined[-1][1], tuple(joined) if len(joined) > 1 else ())


def when(span: Span) -> str:
    """Return a span in words: its name and its stretches."""
    stretches = (f"{round(a, 2):g} to {round(b, 2):g}" for a, b in span.stretches)
    return f"{span.name}: {', '.join(stretches)} s"


def parse_span(text: str) -> Span:
    """Read a span as people type it."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise InputError(f"{text!r} is no NAME=START-STOP in seconds, such as baseline=0-30")
    return Span(match[1], float(match[2]), float(match[3]))


def read_spans(path: str | os.PathLike[str]) -> list[Span]:
    """Read a table of spans."""
    reader = csv.DictReader(read_text(path, limit=_MAX_BYTES).splitlines())
    missing = set(_NAMES) - set(reader.fieldnames or ())
    if missing:
        raise FormatError(path, f"the column {min(missing)!r} is missing",
                          remedy="name columns name, start, stop")  # fmt: skip
    spans = []
    for row in reader:
        try:
            spans.append(Span(row["name"] or "", float(row["start"]), float(row["stop"])))
        except (ValueError, TypeError) as error:
            raise FormatError(path, f"a row is wrong: {error}", line=reader.line_num) from error
    return spans


def unlike(spans: Iterable[Span]) -> list[Span]:
    """Return spans as a list; raises InputError if two have one name."""
    found: dict[str, Span] = {}
    for span in spans:
        if span.name in found:
            raise InputError(f"two intervals are named {span.name!r}")
        found[span.name] = span
    return list(found.values())
