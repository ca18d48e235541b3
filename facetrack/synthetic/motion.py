"""How synthetic heads move: smooth, seeded, and known at any time without what came before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.synthetic.mesh import HeadState

N_MODES: Final = 12  # non-rigid modes that move; later ones are too fine to see
BLINK_EVERY: Final = 2.5  # seconds on average
BLINK_LENGTH: Final = 0.3  # seconds from open to open

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Amplitudes:
    """How far a head moves; 0 switches a motion off.

    Beyond yaw, pitch and roll of about 0.45, 0.35 and 0.3 a portrait's far cheek hides its jaw.
    """

    yaw: float = 0.36  # largest turns, radians
    pitch: float = 0.2
    roll: float = 0.14
    modes: float = 0.25  # standard deviation of the non-rigid parameters, in the shape model's
    mouth: float = 1.0  # 0 keeps it as in the portrait, 1 is speech
    blink: float = 1.0  # 1: the eyes shut wholly
    travel: float = 0.12  # from its place, as a part of the frame's height
    zoom: float = 0.15  # as a part of its size
    turning: float = 1.0  # see `HeadState`
    pace: float = 1.0  # how much faster than usual it turns, travels and changes its expression


STILL: Final = Amplitudes(0, 0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the middle of a portrait's outer eye corners and their distance come to lie, pixels."""

    x: float
    y: float
    eye_distance: float


Trajectory = Callable[[float], Placement]
"""From the time in seconds to the place; given where the wandering by itself will not do."""


def straight(start: Placement, end: Placement, *, seconds: float) -> Trajectory:
    """Move on a straight line at constant speed, then stay."""

    def place(time: float) -> Placement:
        part = min(max(time / seconds, 0.0), 1.0)
        return Placement(
            start.x + part * (end.x - start.x),
            start.y + part * (end.y - start.y),
            start.eye_distance + part * (end.eye_distance - start.eye_distance),
        )

    return place


class Waves:
    """Independent smooth curves: each a sum of three slow sines with random phases."""

    def __init__(
        self, rng: np.random.Generator, count: int, *, rates: tuple[float, float] = (0.08, 0.55)
    ) -> None:
        self._frequency = 2 * np.pi * rng.uniform(*rates, size=(count, 3))
        self._phase = rng.uniform(0, 2 * np.pi, size=(count, 3))
        self._weight = rng.dirichlet((3.0, 3.0, 3.0), size=count)

    def at(self, time: float) -> Values:
        """Return the curves at a time in seconds, shape (count,), each in [-1, 1]."""
        values: Values = (self._weight * np.sin(self._frequency * time + self._phase)).sum(axis=1)
        return values


class HeadMotion:
    """One head's motion around a home; everything random is drawn at once.

    `reach` is the frame's height in pixels, in which `Amplitudes.travel` counts.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        amplitudes: Amplitudes,
        *,
        home: Placement,
        reach: float,
        seconds: float,
    ) -> None:
        self._amplitudes, self._home, self._reach = amplitudes, home, reach
        self._turns = Waves(rng, 3)
        self._modes = Waves(rng, N_MODES, rates=(0.1, 1.0))
        self._travel = Waves(rng, 3, rates=(0.05, 0.35))
        self._speech = Waves(rng, 2, rates=(2.0, 4.5))  # syllables
        self._pauses = Waves(rng, 1, rates=(0.15, 0.4))
        gaps = rng.uniform(0.4, 1.6, size=int(seconds / (0.4 * BLINK_EVERY)) + 2) * BLINK_EVERY
        self._blinks = np.cumsum(gaps) - 0.5 * BLINK_EVERY

    def head(self, time: float, n_modes: int) -> HeadState:
        """Return what the head does at a time in seconds, moving this many modes at most."""
        a = self._amplitudes
        turns = self._turns.at(a.pace * time)
        # The variance of a curve is about 1/6: modes are scaled to one standard deviation.
        modes = np.clip(self._modes.at(a.pace * time) * np.sqrt(6.0), -1.7, 1.7) * a.modes
        talking = float(np.clip(1.6 * self._pauses.at(time)[0] + 0.6, 0, 1))
        opening = float(np.clip(0.1 + 1.1 * self._speech.at(time).sum(), -1, 1))
        return HeadState(
            yaw=a.yaw * turns[0],
            pitch=a.pitch * turns[1],
            roll=a.roll * turns[2],
            modes=modes[:n_modes],
            mouth=a.mouth * talking * opening,
            blink=a.blink * self._blink(time),
            turning=a.turning,
        )

    def place(self, time: float) -> Placement:
        """Return where the head is at a time in seconds."""
        x, y, z = self._travel.at(self._amplitudes.pace * time)
        step, home = self._amplitudes.travel * self._reach, self._home
        return Placement(
            home.x + step * x,
            home.y + step * y,
            home.eye_distance * (1 + self._amplitudes.zoom * z),
        )

    def _blink(self, time: float) -> float:
        nearest = float(np.abs(self._blinks - time).min())
        if nearest >= BLINK_LENGTH / 2:
            return 0.0
        return float(np.cos(np.pi * nearest / BLINK_LENGTH) ** 2)
