"""The protocol by which anything that consumes a `Face` yields a named value."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar, runtime_checkable

from facetrack.errors import InputError
from facetrack.face import Face


@runtime_checkable
class Signal(Protocol):
    """A named value of one face in one frame."""

    @property
    def name(self) -> str:
        """Unique, lower case with underscores; names columns and charts."""
        ...

    @property
    def unit(self) -> str:
        """As a person reads it: `deg`, or `1` for a ratio or probability."""
        ...

    @property
    def range(self) -> tuple[float, float]:
        """Smallest and largest value to expect; scales charts, clips nothing."""
        ...

    def __call__(self, face: Face) -> float:
        """Compute the value; NaN where the face does not say."""
        ...


@dataclass(frozen=True, slots=True)
class FaceSignal:
    """A signal made of a function of a tracked face.

    Attributes
    ----------
    name, unit, range
        See `Signal`.
    compute : callable
        Takes a tracked `Face`, gives the value.
    """

    name: str
    unit: str
    range: tuple[float, float]
    compute: Callable[[Face], float]

    def __call__(self, face: Face) -> float:
        """Compute the value; NaN for a lost face."""
        return float(self.compute(face)) if face.tracked else math.nan


SIGNALS: Final[dict[str, Signal]] = {}
"""All registered signals by name, in the order of registration."""

_AnySignal = TypeVar("_AnySignal", bound=Signal)


def register(signal: _AnySignal) -> _AnySignal:
    """Make a signal known to everything that lists signals.

    Parameters
    ----------
    signal : Signal
        Its name must not be taken.

    Returns
    -------
    Signal
        The same.

    Raises
    ------
    InputError
        If the name is taken or no lower-case identifier, or the range is empty.
    """
    if not signal.name.isidentifier() or signal.name != signal.name.lower():
        raise InputError(f"a signal's name must be a lower-case identifier, got {signal.name!r}")
    if signal.name in SIGNALS:
        raise InputError(f"a signal named {signal.name!r} is there already; choose another name")
    low, high = signal.range
    if not low < high:
        raise InputError(f"the range of signal {signal.name!r} is empty: {signal.range}")
    SIGNALS[signal.name] = signal
    return signal
