"""Optional smoothing of landmarks: the One-Euro filter in the face's own frame.

The One-Euro filter (Casiez, Roussel and Vogel, CHI 2012) is a first-order low-pass whose cut-off
rises with speed: still faces stand still, moving ones are not delayed. Rigid motion (place, size,
roll) and the points' motion inside the face are filtered apart, so that a head that moves does not
unlock the filters of its parts. Rigid motion is measured at the nose and the eye corners, which
neither blinks nor speech move, and no two points share a state: motion cannot leak from one part to
another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.formats.encoding import NO_STATE, Stateful
from facetrack.landmarks.markup import REGIONS
from facetrack.landmarks.procrustes import Similarity, fit_similarity

Array = npt.NDArray[np.float64]

_STEADY: Final = [*REGIONS["nose"], 36, 39, 42, 45]

# Cut-off of a still face in Hz: from the first (dial just above 0) to the second (dial at 1).
_CUTOFF_RANGE: Final = (8.0, 0.5)
_SPEED_GAIN: Final = 12.0  # Hz of cut-off per outer-eye distance (or radian, or e-fold) a second
_SPEED_CUTOFF: Final = 1.5  # Hz: low-pass of the speed itself
_LONGEST_GAP: Final = 0.5  # s without a frame after which the filters start anew


@dataclass(slots=True)
class OneEuro(Stateful):
    """The One-Euro filter on a vector whose parts share their speeds in groups."""

    cutoff: float = field(metadata=NO_STATE)  # at rest, Hz
    # positions, each in one group, share a cut-off by their root-mean-square speed
    groups: list[list[int]] = field(metadata=NO_STATE)
    _average: Array = field(init=False, metadata=NO_STATE)
    _member: npt.NDArray[np.intp] = field(init=False, metadata=NO_STATE)
    _value: Array | None = field(init=False)
    _speed: Array = field(init=False)

    def __post_init__(self) -> None:
        size = sum(map(len, self.groups))
        self._average = np.zeros((len(self.groups), size))
        self._member = np.zeros(size, dtype=np.intp)
        for number, group in enumerate(self.groups):
            self._average[number, group] = 1.0 / len(group)
            self._member[group] = number
        self.reset()

    def update(self, value: Array, elapsed: float, units: Array | float = 1.0) -> Array:
        """Filter the next value (n,), `elapsed` seconds after the last one.

        `units` are what counts as one unit of value when the speed sets the cut-off.
        """
        if self._value is None:
            self._value = value
            return value
        step = value - self._value
        self._speed += _weight(_SPEED_CUTOFF, elapsed) * (step / elapsed - self._speed)
        speed = np.sqrt(self._average @ np.square(self._speed / units))
        cutoff = self.cutoff + _SPEED_GAIN * speed
        weight = 1.0 / (1.0 + 1.0 / (2 * math.pi * elapsed * cutoff))
        self._value = self._value + weight[self._member] * step
        return self._value

    def reset(self) -> None:
        """Forget everything: the next value passes unchanged."""
        self._value = None
        self._speed = np.zeros(len(self._member))


@dataclass(slots=True)
class PointSmoother(Stateful):
    """Smooths one face's landmarks; InputError if the dial is out of range."""

    dial: float = field(metadata=NO_STATE)  # 0 < dial <= 1: from hardly any smoothing to much
    mean: Array = field(metadata=NO_STATE)  # shape in the reference frame
    _reference: Array = field(init=False, metadata=NO_STATE)  # in outer-eye distances
    _rigid: OneEuro = field(init=False)
    _local: OneEuro = field(init=False)
    _time: float | None = field(default=None, init=False)
    _angle: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        if not 0 < self.dial <= 1:
            raise InputError(f"smoothing must lie between 0 and 1, got {self.dial}")
        low, high = _CUTOFF_RANGE
        cutoff = low * (high / low) ** self.dial
        unit = float(np.linalg.norm(self.mean[45] - self.mean[36]))
        self._reference = (self.mean - self.mean[_STEADY].mean(axis=0)) / unit
        self._rigid = OneEuro(cutoff, [[0, 1], [2], [3]])
        # Positions of the regions' coordinates in the flattened shape x0, y0, x1, y1, ...
        groups = [[2 * i + axis for i in region for axis in (0, 1)] for region in REGIONS.values()]
        self._local = OneEuro(cutoff, groups)

    def update(self, points: Array, timestamp: float) -> Array:
        """Smooth the next frame's landmarks (68, 2), in pixels; the timestamp in seconds."""
        elapsed = None if self._time is None else timestamp - self._time
        if elapsed is None or not 0 < elapsed <= _LONGEST_GAP:
            self._rigid.reset()
            self._local.reset()
            elapsed = 1.0  # not used by a filter without a value
        self._time = timestamp
        to_image = fit_similarity(points[_STEADY], self._reference[_STEADY]).inverse()
        local = to_image.inverse().apply(points)
        # Unwrapped, or a face lying on its back would turn once around between two frames.
        turn = math.atan2(to_image.b, to_image.a) - self._angle
        self._angle += math.remainder(turn, 2 * math.pi)
        scale = to_image.scale
        rigid = np.array([to_image.tx, to_image.ty, math.log(scale), self._angle])
        units = np.array([scale, scale, 1.0, 1.0])  # the scale is pixels per outer-eye distance
        x, y, log_scale, angle = self._rigid.update(rigid, elapsed, units).tolist()
        size = math.exp(log_scale)
        smooth = Similarity(size * math.cos(angle), size * math.sin(angle), x, y)
        return smooth.apply(self._local.update(local.ravel(), elapsed).reshape(68, 2))


def _weight(cutoff: float, elapsed: float) -> float:
    """Weight of the new value in a first-order low-pass."""
    return 1.0 / (1.0 + 1.0 / (2 * math.pi * elapsed * cutoff))
