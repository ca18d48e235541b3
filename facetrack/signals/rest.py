"""A person's face at rest: what expressions are measured from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Protocol, Self, runtime_checkable

from facetrack.errors import InputError
from facetrack.signals.episodes import Episodes


@dataclass(frozen=True, slots=True)
class Rest:
    """What each face's values are at rest, in `start` to `stop` seconds of the stream."""

    start: float
    stop: float
    values: Mapping[int, Mapping[str, float]]  # by `Face.id` and the signal's name

    @property
    def digest(self) -> str:
        """What changes with anything in it."""
        text = json.dumps([self.start, self.stop, self.values], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    @property
    def words(self) -> dict[int, str]:
        """Say of each face that has one when it was at rest, by `Face.id`."""
        return {face: f"{self.start:g} to {self.stop:g} s" for face in self.values}

    @property
    def missing(self) -> str:
        """Why a value of a face has no rest."""
        return f"not seen well enough at rest, from {self.start:g} to {self.stop:g} s"


@runtime_checkable
class Restable(Protocol):
    """An estimator that can measure from a face at rest."""

    rest: Rest | None

    def with_rest(self, rest: Rest) -> Self:
        """Return the same estimator, its values measured from that rest."""
        ...

    def episodes(self) -> Mapping[str, Episodes]:
        """Return what finds its events, by the signal it finds them in: they follow the rest."""
        ...


def check_span(span: tuple[float, float]) -> None:
    """Raise an InputError if a span is no stretch of time."""
    start, stop = span
    if not (isfinite(start) and isfinite(stop) and 0 <= start < stop):
        raise InputError(f"rest is a span of seconds such as 0-10, got {start:g}-{stop:g}")
