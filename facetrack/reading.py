"""What a signal says: values of one face in one frame, and events with a beginning and an end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite, nan
from types import MappingProxyType
from typing import Any

from facetrack.errors import InputError

MACHINE, HUMAN = "machine", "human"
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Kind(StrEnum):
    """What a signal gives."""

    VALUE = "value"
    PROBABILITY = "probability"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Spec:
    """One signal of an estimator: a column of the table, a curve, or a kind of event.

    Attributes
    ----------
    name : str
        Unique among all signals; an identifier, in lower case unless others know it otherwise.
    meaning : str
        One line for the data dictionary and for tooltips.
    unit : str
        As a person reads it: `deg`, `s`, or `1` for a ratio or probability.
    range : (float, float)
        Smallest and largest value to expect, of an event's score; scales charts, clips nothing.
    kind : Kind
    interval : bool
        Whether readings carry `low` and `high`.
    level : float or None
        The value above which it counts as present, such as an open mouth: reports give the share
        of time above it. None where no such level makes sense.
    model : str
        Which model says it, and what has to be said wherever its values are shown; empty where
        nothing has to. Tables have it in a column of its own.
    part_of : str
        Name of the estimator's value that this one raises or lowers, by how much; charts show it
        beside that one. Empty for all others.

    Raises
    ------
    InputError
        If the name is no identifier or the range is empty.
    """

    name: str
    meaning: str
    unit: str = "1"
    range: tuple[float, float] = (0.0, 1.0)
    kind: Kind = Kind.VALUE
    interval: bool = False
    level: float | None = None
    model: str = ""
    part_of: str = ""

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise InputError(f"a signal's name must be an identifier, got {self.name!r}")
        low, high = self.range
        if not (isfinite(low) and isfinite(high) and low < high):
            raise InputError(f"the range of signal {self.name!r} is empty: {self.range}")

    @property
    def label(self) -> str:
        """Name and unit as charts and reports show them."""
        return self.name.replace("_", " ") + ("" if self.unit == "1" else f" ({self.unit})")


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one face in one frame.

    Attributes
    ----------
    value : float
        In the unit of its `Spec`; NaN where it cannot be said.
    low, high : float
        An interval around it, where the estimator has one; NaN without.
    reason : str
        Why it cannot be said, in words; empty where it is assessable.
    """

    value: float
    low: float = nan
    high: float = nan
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Readings:
    """What one estimator says of one face in one frame.

    Attributes
    ----------
    frame : int
        Index of the frame that it speaks of, from 0; late results speak of earlier frames.
    values : mapping of str to Reading
        By the name of the signal.
    """

    frame: int
    values: Mapping[str, Reading]


@dataclass(frozen=True, slots=True)
class Event:
    """Something with a beginning and an end: a blink, a word, an action, an episode.

    Attributes
    ----------
    name : str
        Of the `Spec`.
    start, peak, stop : float
        Seconds, as the frames' timestamps: of the first frame that belongs to it, of the frame
        where it is strongest, and of the last frame that belongs to it.
    score : float
        How sure or how strong, in the range of the `Spec`; NaN where nothing is said.
    text : str
        What a person reads, such as the word that was said.
    detail : mapping
        More numbers, as JSON knows them.
    """

    name: str
    start: float
    peak: float
    stop: float
    score: float = nan
    text: str = ""
    detail: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, slots=True)
class Finding:
    """A result with whom it is of and who says so.

    Attributes
    ----------
    face_id : int
        `Face.id`.
    estimator : str
        Name of the estimator.
    result : Readings or Event
    """

    face_id: int
    estimator: str
    result: Readings | Event


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event with whom it is of and who says so: a row of an events file.

    Attributes
    ----------
    face_id : int
        `Face.id`, or the person in a session.
    event : Event
    estimator : str
        Name of the estimator; empty where a person made the event.
    source : {"machine", "human"}
        Who vouches for it.
    """

    face_id: int
    event: Event
    estimator: str = ""
    source: str = MACHINE


@dataclass(frozen=True, slots=True)
class Row:
    """All values of one face in one frame: a row of a signals file.

    Attributes
    ----------
    frame : int
        Index of the frame, from 0.
    timestamp : float
        Seconds.
    face_id : int
        `Face.id`; -1 in a frame without any face.
    values : mapping of str to Reading
        By the name of the signal.
    """

    frame: int
    timestamp: float
    face_id: int
    values: Mapping[str, Reading]
