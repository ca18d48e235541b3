# SPDX-License-Identifier: GPL-3.0-or-later
"""Events of a session: what estimators found, and what a person decided about it."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import isnan, nan
from typing import Any

from facetrack.actions.cues import CUES
from facetrack.reading import Event
from facetrack.signals.registry import estimators
from facetrack_app.model.readings import rested_events
from facetrack_app.model.rows import Row
from facetrack_app.model.store import Store
from facetrack_app.model.wording import named_with

_MACHINE_COLUMNS = "estimator, version, name, start, peak, stop, score, text, detail"


class Decision(StrEnum):
    """Who says an event, and how. The words are part of the session's format."""

    MACHINE = "machine"
    ACCEPTED = "accepted"
    MOVED = "moved"
    RENAMED = "renamed"
    REJECTED = "rejected"
    MADE = "made by hand"


def pack_event(event: Event) -> list[Any]:
    """Lay an event out for the store and for JSON, which know no NaN."""
    score = None if isnan(event.score) else event.score
    detail = json.dumps(dict(event.detail), sort_keys=True) if event.detail else ""
    return [event.name, event.start, event.peak, event.stop, score, event.text, detail]


def unpack_event(packed: Sequence[Any]) -> Event:
    """Take over what `pack_event` gave."""
    name, start, peak, stop, score, text, detail = packed
    return Event(
        name, start, peak, stop, nan if score is None else score, text,
        json.loads(detail) if detail else {},
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judged:
    """An event of a person with who says so."""

    person: int
    event: Event  # as it counts
    estimator: str = ""  # who found it; empty if made by hand
    version: str = ""
    decision: Decision = Decision.MACHINE
    original: Event | None = None  # what the machine said of an event that a person decided about
    number: int | None = None  # in the table of decisions; None where nothing was decided

    @property
    def human(self) -> bool:
        """Whether a person vouches for it."""
        return self.decision != Decision.MACHINE

    @property
    def model(self) -> str:
        """What has to be said of the model that found it; empty where nothing has to."""
        return str(self.event.detail.get("model", ""))

    @property
    def where(self) -> tuple[str, str, float]:
        """What tells it apart from the person's other ones."""
        return self.estimator, self.event.name, self.event.start

    def decided(self, decision: Decision, event: Event | None = None) -> Judged:
        """Give it as a person decides; what the machine said is kept from the first time on."""
        first = self.event if self.decision == Decision.MACHINE else self.original
        return replace(self, decision=decision, event=event or self.event, original=first)

    def values(self) -> Row:
        """Pack it for the table of decisions."""
        original = json.dumps(pack_event(self.original)) if self.original is not None else ""
        who = self.person, self.decision.value, self.estimator, self.version
        return (*who, *pack_event(self.event), original)

    @classmethod
    def from_row(cls, number: int, values: Row) -> Judged:
        """Unpack a row of the table of decisions."""
        person, decision, estimator, version, *packed, original = values
        first = unpack_event(json.loads(original)) if original else None
        event = unpack_event(packed)
        return cls(person, event, estimator, version, Decision(decision), first, number)


def event_in_words(judged: Judged) -> str:
    """Say what an event is, when, and who says so."""
    event = judged.event
    name = named_with(event.name, judged.model)
    words = f"{name}: {event.start:.2f} to {event.stop:.2f} s"
    words += "" if isnan(event.score) else f", score {event.score:.3g}"
    if judged.decision == Decision.MACHINE:
        return f"{words}, found by {judged.estimator}"
    return f"{words}, {judged.decision}" + (" by a person" if judged.estimator else "")


def cues_of(judged: Judged) -> Mapping[str, float]:
    """Give where on the face an event was seen, as its estimator says it; empty if it does not."""
    cues = judged.event.detail.get(CUES)
    return cues if isinstance(cues, dict) else {}


def cues_in_words(judged: Judged) -> str:
    """Say which values of the face made an event; empty if that is not known."""
    cues = ", ".join(f"{name} {100 * share:.0f} %" for name, share in cues_of(judged).items())
    return f"the program saw it in {cues}" if cues else ""


def overlap(one: Event, other: Event) -> bool:
    """Return whether two events share time, or are the same moment."""
    shared = min(one.stop, other.stop) - max(one.start, other.start)
    return shared > 0 or (shared == 0 and (one.start == one.stop or other.start == other.stop))


def covers(decided: Judged, found: Judged) -> bool:
    """Return whether a person decided already about what a machine found.

    Either it is the same event found again, rejected ones included; or it lies where a person says
    an event of that name to be.
    """
    first, name = decided.original, found.event.name
    again = first is not None and (decided.estimator, first.name) == (found.estimator, name)
    if again and first is not None and overlap(first, found.event):
        return True
    standing = decided.decision != Decision.REJECTED and decided.event.name == name
    return standing and overlap(decided.event, found.event)


def shown_events(store: Store, decisions: Iterable[Judged], person: int) -> list[Judged]:
    """Give a person's events: decided ones, and the machine's other ones."""
    mine = [judged for judged in decisions if judged.person == person]
    machine = _found(store, person)
    covered = _covered(machine, mine)
    found = [judged for i, judged in enumerate(machine) if i not in covered]
    found += [judged for judged in mine if judged.decision != Decision.REJECTED]
    return sorted(found, key=lambda j: (j.event.start, j.event.stop, j.event.name))


def _found(store: Store, person: int) -> list[Judged]:
    """Give what the machine found, by the starts; where values have a rest, in these."""
    rows = store.read(
        f"SELECT {_MACHINE_COLUMNS} FROM event WHERE person=? ORDER BY start", (person,)
    )
    machine = [Judged(person, unpack_event(row[2:]), row[0], row[1]) for row in rows]
    for estimator in estimators().values():
        for name, events in rested_events(store, person, estimator).items():
            machine = [j for j in machine if (j.estimator, j.event.name) != (estimator.name, name)]
            machine += [Judged(person, e, estimator.name, estimator.version) for e in events]
    return sorted(machine, key=lambda judged: judged.event.start)


def _covered(machine: Sequence[Judged], decisions: Iterable[Judged]) -> set[int]:
    """Find the places of what a person decided about; the machine's events come by their starts."""
    starts = [judged.event.start for judged in machine]
    longest = max((judged.event.stop - judged.event.start for judged in machine), default=0.0)
    covered: set[int] = set()
    for decided in decisions:
        for span in (decided.event, decided.original):
            if span is not None:
                near = range(bisect_left(starts, span.start - longest),
                             bisect_right(starts, span.stop))  # fmt: skip
                covered.update(i for i in near if covers(decided, machine[i]))
    return covered
