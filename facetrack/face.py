"""What the tracker says of one face in one frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError

N_POINTS = 68

T = TypeVar("T", bound=np.generic)


class State(StrEnum):
    """What the tracker is doing with a face."""

    TRACKED = "tracked"
    LOST = "lost"


class Source(IntEnum):
    """Where one landmark comes from. Order and numbers are part of the file formats.

    `ABSENT` has no place. `OCCLUDED` has one, said by a person, although it cannot be seen there.
    """

    ABSENT = 0
    TRACKED = 1
    LEARNED = 2
    CORRECTED = 3
    INTERPOLATED = 4
    OCCLUDED = 5


def _constant(value: float, dtype: type[T]) -> npt.NDArray[T]:
    array = np.full(N_POINTS, value, dtype=dtype)
    array.setflags(write=False)
    return array


# Shared by all faces: read-only, and most faces say nothing else.
NOT_SAID = _constant(np.nan, np.float64)
_TRACKED = _constant(Source.TRACKED, np.uint8)


@dataclass(frozen=True, slots=True)
class Pose:
    """Head pose in camera coordinates: x right, y down, z away from the camera.

    Attributes
    ----------
    rotation : tuple of float
        (Rx, Ry, Rz) = (pitch, yaw, roll) in radians, R = Rx Ry Rz, OpenFace's signs: head up is
        negative Rx, a turn to the person's right is positive Ry.
    translation : tuple of float
        (Tx, Ty, Tz) of the head's origin in millimetres.
    """

    rotation: tuple[float, float, float]
    translation: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Fit:
    """What one fit of the model to one image found.

    Attributes
    ----------
    points : ndarray, shape (68, 2), float64, read-only
        Landmarks (x, y) in pixels of the image, pixel centres at integers.
    quality : float
        Probability in [0, 1] that the fit is a well-fitted face.
    confidence : ndarray, shape (68,), float64, read-only
        Probability that a point is within 5 % of the outer-eye distance; NaN where nothing is said.
    before_own : ndarray, shape (68, 2), float64, or None
        Where the cascade ended, before what a person alone is known for was added: as far from a
        common face as a correction may be, this is a face's form. None where nothing was added.
    """

    points: npt.NDArray[np.float64]
    quality: float
    confidence: npt.NDArray[np.float64] = field(default_factory=lambda: NOT_SAID)
    before_own: npt.NDArray[np.float64] | None = None


def read_only_points(points: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Copy points into a read-only array.

    Parameters
    ----------
    points : array_like, shape (68, 2)
        Landmarks (x, y) in pixels; NaN where unknown.

    Returns
    -------
    ndarray, shape (68, 2), float64, read-only

    Raises
    ------
    InputError
        If the shape is another one.
    """
    copy = np.array(points, dtype=np.float64)
    if copy.shape != (N_POINTS, 2):
        raise InputError(f"points must have shape ({N_POINTS}, 2), got {copy.shape}")
    copy.setflags(write=False)
    return copy


@dataclass(frozen=True, slots=True)
class Face:
    """One face in one frame.

    Attributes
    ----------
    id : int
        The person, from 0; never handed to another person during the life of a tracker.
    state : State
        `TRACKED`, or `LOST` for a face that was tracked before and is not seen now.
    reason : str
        Why the face is lost, in words; empty while it is tracked.
    points : ndarray, shape (68, 2), float64, read-only
        Landmarks (x, y) in pixels of the frame, pixel centres at integers, iBUG order; smoothed if
        the tracker smooths; NaN when lost.
    raw_points : ndarray, shape (68, 2), float64, read-only
        The same before smoothing.
    quality : float
        Probability in [0, 1] that this is a well-fitted face; 0 when lost.
    pose : Pose or None
        Head pose; None when lost.
    confidence : ndarray, shape (68,), float64, read-only
        Probability that a point of `raw_points` is within 5 % of the outer-eye distance; NaN where
        nothing is said.
    source : ndarray, shape (68,), uint8, read-only
        `Source` of each point.
    """

    id: int
    state: State
    reason: str
    points: npt.NDArray[np.float64]
    raw_points: npt.NDArray[np.float64]
    quality: float
    pose: Pose | None
    confidence: npt.NDArray[np.float64] = field(default_factory=lambda: NOT_SAID)
    source: npt.NDArray[np.uint8] = field(default_factory=lambda: _TRACKED)

    @property
    def tracked(self) -> bool:
        """Whether the face is seen in this frame."""
        return self.state is State.TRACKED

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The points' bounding box (left, top, right, bottom) in pixels; NaN when lost."""
        (left, top), (right, bottom) = self.points.min(axis=0), self.points.max(axis=0)
        return float(left), float(top), float(right), float(bottom)
