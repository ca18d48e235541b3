# SPDX-License-Identifier: GPL-3.0-or-later
"""The library's pipeline on its way along one person's frames."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final

from facetrack.reading import Event, Finding, Row
from facetrack.signals.observation import Observation
from facetrack.signals.pipeline import KEEP, Pipeline
from facetrack.signals.registry import Choice
from facetrack.signals.rows import RowAssembler

PERSON: Final = 0  # `Face.id` in every run


@dataclass(slots=True)
class Run:
    """Estimators that look at one person, frame by frame."""

    choice: Choice
    begin: float  # seconds: events that start earlier are not of this run, which warms up
    first: int  # frame at which it began to look
    stills: bool = False  # pictures that stand each by itself
    position: int = field(init=False)  # the next frame
    pipeline: Pipeline = field(init=False)
    done: list[Row] = field(default_factory=list, init=False)  # complete and not yet taken
    events: list[Finding] = field(default_factory=list, init=False)
    _rows: RowAssembler = field(init=False)
    _waiting: deque[int] = field(default_factory=deque, init=False)
    _seen: float = field(default=inf, init=False)

    def __post_init__(self) -> None:
        self.position = self.first
        self.pipeline = Pipeline(self.choice, stills=self.stills)
        self._rows = RowAssembler(self.choice.values, self.choice.delay)

    def look(self, one: Observation) -> None:
        """Look at the person's next frame."""
        if one.timestamp - self._seen > KEEP:
            self._late(self.pipeline.forget(PERSON))
        self._seen = one.timestamp
        self._waiting.append(one.index)
        findings = self.pipeline.look([one])
        self._complete(self._rows.add(one.index, one.timestamp, [one.face], findings))
        self._note(findings)

    def finish(self) -> None:
        """No further frame comes."""
        self._late(self.pipeline.finish())
        self._complete(self._rows.finish())

    @property
    def complete(self) -> int:
        """The first frame of which a value may still be said."""
        return self._waiting[0] if self._waiting else self.position

    def take(self, stop: int, before: float) -> tuple[list[Row], list[Finding]]:
        """Hand out rows up to a frame, and events that start before a moment."""
        rows = [row for row in self.done if row.frame < stop]
        self.done = self.done[len(rows) :]
        events = [found for found in self.events if _start(found) < before]
        self.events = [found for found in self.events if _start(found) >= before]
        return rows, events

    def _late(self, findings: Sequence[Finding]) -> None:
        self._rows.take(findings)
        self._note(findings)

    def _complete(self, rows: Sequence[Row]) -> None:
        self.done += rows
        for _ in rows:
            self._waiting.popleft()

    def _note(self, findings: Iterable[Finding]) -> None:
        events = (found for found in findings if isinstance(found.result, Event))
        self.events += [found for found in events if _start(found) >= self.begin]


def _start(found: Finding) -> float:
    assert isinstance(found.result, Event)
    return found.result.start
