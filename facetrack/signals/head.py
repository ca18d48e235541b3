"""Head pose in degrees, and how far the tracker trusts its fit."""

from __future__ import annotations

import math
from functools import partial

from facetrack.face import Face
from facetrack.signals.signal import FaceSignal, register

PITCH, YAW, ROLL = 0, 1, 2


def angle(face: Face, axis: int) -> float:
    """Give one angle of the head in degrees.

    Parameters
    ----------
    face : Face
        A face.
    axis : {PITCH, YAW, ROLL}
        Position in `Pose.rotation`.

    Returns
    -------
    float
        Degrees with the signs of `Pose`; NaN without a pose.
    """
    return math.degrees(face.pose.rotation[axis]) if face.pose is not None else math.nan


def quality(face: Face) -> float:
    """Give the probability in [0, 1] that the face is well fitted."""
    return face.quality


register(FaceSignal("pose_pitch", "deg", (-90.0, 90.0), partial(angle, axis=PITCH)))
register(FaceSignal("pose_yaw", "deg", (-90.0, 90.0), partial(angle, axis=YAW)))
register(FaceSignal("pose_roll", "deg", (-180.0, 180.0), partial(angle, axis=ROLL)))
register(FaceSignal("quality", "1", (0.0, 1.0), quality))
