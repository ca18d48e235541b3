"""How faces move in time: curves of action units and turns, and the expressions they make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from facetrack.synthetic.motion import Waves
from facetrack.synthetic.puppet import Expression
from facetrack.synthetic.units import CLOSING, UNITS

Values = npt.NDArray[np.float64]

HIGHEST: Final = 5.0  # intensity of an action unit
_AMOUNTS: Final = (0.0, 0.15, 0.35, 0.6, 0.8, 1.0)  # of the full displacement, by intensity
_MOST: Final = 1.2  # of the full displacement that any person makes
_SYLLABLE: Final = (3.0, 5.0)  # a second
# How far heads turn and go: farther a portrait cannot follow.
_LIMITS: Final = {"yaw": 0.35, "pitch": 0.18, "roll": 0.3, "right": 0.4, "down": 0.3}
_RISE: Final = 0.2  # seconds in which talking begins and ends


class Curve(Protocol):
    """A value in time."""

    def at(self, times: Values) -> Values:
        """Return the values at times in seconds, shape (n,); 0 where nothing moves."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """Up, a while there, and back."""

    start: float  # seconds, as the lengths of the phases
    onset: float
    hold: float
    offset: float
    peak: float
    drift: float = 0.0  # part of the peak by which it has wandered when half the hold is over

    @property
    def stop(self) -> float:
        """When it is over, seconds."""
        return self.start + self.onset + self.hold + self.offset

    def at(self, times: Values) -> Values:
        """Return the values at times in seconds, shape (n,)."""
        since = times - self.start
        up = smooth_step(since / self.onset)
        down = smooth_step((since - self.onset - self.hold) / self.offset)
        held = np.clip((since - self.onset) / max(self.hold, 1e-9), 0, 1)
        return np.asarray(self.peak * (up - down) * (1 + self.drift * np.sin(np.pi * held)))


@dataclass(frozen=True, slots=True)
class Swing:
    """To and fro, as a head nods or shakes."""

    start: float  # seconds
    seconds: float
    cycles: float  # how often it goes to and fro
    peak: float  # how far, and by its sign to which side first

    @property
    def stop(self) -> float:
        """When it is over, seconds."""
        return self.start + self.seconds

    def at(self, times: Values) -> Values:
        """Return the values at times in seconds, shape (n,)."""
        part = np.clip((times - self.start) / self.seconds, 0, 1)
        around = np.sqrt(np.sin(np.pi * part))
        return np.asarray(self.peak * around * np.sin(2 * np.pi * self.cycles * part))


@dataclass(frozen=True, slots=True)
class Syllables:
    """The mouth of a person who talks."""

    start: float  # seconds
    stop: float
    peak: float
    rate: float  # syllables a second
    phase: float  # radians

    def at(self, times: Values) -> Values:
        """Return the values at times in seconds, shape (n,)."""
        around = smooth_step((times - self.start) / _RISE) * smooth_step(
            (self.stop - times) / _RISE
        )
        turn = 2 * np.pi * self.rate * (times - self.start) + self.phase
        wave = 0.5 + 0.3 * np.sin(turn) + 0.2 * np.sin(0.61 * turn + 2 * self.phase)
        return np.asarray(self.peak * around * wave)

    @staticmethod
    def drawn(rng: np.random.Generator, start: float, stop: float, peak: float) -> Syllables:
        """Draw rate and phase; `start` and `stop` in seconds."""
        return Syllables(start, stop, peak, rng.uniform(*_SYLLABLE), rng.uniform(0, 2 * np.pi))


@dataclass(frozen=True, slots=True)
class Delayed:
    """Another curve, later."""

    curve: Curve
    by: float  # seconds

    def at(self, times: Values) -> Values:
        """Return the values at times in seconds, shape (n,)."""
        return self.curve.at(times - self.by)


class Sway:
    """The small motion that a head makes all the time, up to about `size`; drawn once, here."""

    def __init__(self, rng: np.random.Generator, size: float) -> None:
        self._waves, self._size = Waves(rng, 1), size

    def at(self, times: Values) -> Values:
        """Return the values at times in seconds, shape (n,)."""
        return self._size * np.array([float(self._waves.at(time)[0]) for time in times.tolist()])


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that a face does.

    `unit` is of `units.UNITS`, with a curve from 0 to 5; `units.CLOSING`, from 0 to 1 (closed); or
    "yaw", "pitch" and "roll" in radians, "right" and "down" in outer-eye distances.
    """

    unit: str
    curve: Curve
    sides: tuple[float, float] = (1.0, 1.0)  # factors of the person's right and left half


@dataclass(frozen=True, slots=True)
class Traits:
    """How one person differs from others, by unit."""

    # How much more than others the face moves at the same intensity: a factor.
    gains: Mapping[str, float] = field(default_factory=dict)
    turns: Mapping[str, float] = field(default_factory=dict)  # see `units.displacements`

    @staticmethod
    def drawn(rng: np.random.Generator) -> Traits:
        """Draw a person: gains vary by a fifth, directions by 5 degrees."""
        units = [unit for unit in UNITS if unit != CLOSING]
        gains = np.exp(rng.normal(0, 0.2, len(units)))
        turns = rng.normal(0, np.radians(5), len(units))
        return Traits(
            dict(zip(units, gains.tolist(), strict=True)),
            dict(zip(units, turns.tolist(), strict=True)),
        )


def smooth_step(part: Values) -> Values:
    """Rise smoothly from 0 at 0 to 1 at 1."""
    inside = np.clip(part, 0, 1)
    return np.asarray(inside * inside * (3 - 2 * inside))


def amount(intensity: npt.ArrayLike) -> Values:
    """Return the part of the full displacement, 0 to 1, that an intensity from 0 to 5 makes.

    The grades of the Facial Action Coding System are not equally spaced: the first is a trace.
    """
    from scipy.interpolate import PchipInterpolator  # loads slowly; the demo needs none

    grades = np.arange(len(_AMOUNTS))
    return np.asarray(PchipInterpolator(grades, _AMOUNTS)(np.clip(intensity, 0, HIGHEST)))


def curves(moves: Iterable[Move], times: Values) -> dict[str, Values]:
    """Compute the intensities at times in seconds, (n,), by unit, of those that move.

    Of moves of one unit the strongest counts; turns add up.
    """
    found: dict[str, Values] = {}
    for move in moves:
        values = move.curve.at(times)
        if move.unit not in found:
            found[move.unit] = values
        elif move.unit in _LIMITS:
            found[move.unit] = found[move.unit] + values
        else:
            found[move.unit] = np.maximum(found[move.unit], values)
    return {unit: np.clip(values, *_range(unit)) for unit, values in found.items()}


def _range(unit: str) -> tuple[float, float]:
    if unit in _LIMITS:
        return -_LIMITS[unit], _LIMITS[unit]
    return 0.0, 1.0 if unit == CLOSING else HIGHEST


def play(moves: Sequence[Move], times: Values, traits: Traits = Traits()) -> list[Expression]:
    """Compute the expressions of a person at times in seconds, (n,)."""
    sides = {unit: np.zeros((len(times), 2)) for unit in (*UNITS, CLOSING)}
    for move in moves:
        if move.unit in _LIMITS:
            continue
        values = move.curve.at(times)
        if move.unit != CLOSING:
            values = traits.gains.get(move.unit, 1.0) * amount(values)
        most = 1.0 if move.unit == CLOSING else _MOST
        shown = np.clip(values[:, None] * move.sides, 0, most)
        sides[move.unit] = np.maximum(sides[move.unit], shown)
    shut = sides.pop(CLOSING)
    still = np.zeros(len(times))
    all_turns = curves([move for move in moves if move.unit in _LIMITS], times)
    yaw, pitch, roll, right, down = (all_turns.get(name, still) for name in _LIMITS)
    return [
        Expression(
            {u: (float(v[i, 0]), float(v[i, 1])) for u, v in sides.items() if v[i].any()},
            traits.turns,
            (float(shut[i, 0]), float(shut[i, 1])),
            float(yaw[i]),
            float(pitch[i]),
            float(roll[i]),
            (float(right[i]), float(down[i])),
        )
        for i in range(len(times))
    ]
