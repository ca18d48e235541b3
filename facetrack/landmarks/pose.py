"""Head pose from landmarks: the perspective camera that sees the mean head at these points."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.face import Pose
from facetrack.landmarks import _kernels

Array = npt.NDArray[np.float64]

# Brows, nose, eyes, upper lip and mouth corners: the jaw's points slide along the contour when the
# head turns, and the lower lip goes with the jaw, which would be read as pitch.
RIGID_POINTS: Final = tuple(range(17, 55))

_OPENFACE_FOCAL: Final = 500.0  # pixels, for an image of 640 x 480


def default_focal_length(image_size: tuple[int, int]) -> float:
    """Guess the focal length of an unknown camera as OpenFace does."""
    width, height = image_size
    return 0.5 * _OPENFACE_FOCAL * (width / 640 + height / 480)


def head_pose(
    points: npt.ArrayLike,
    mean_3d: npt.ArrayLike,
    image_size: tuple[int, int],
    *,
    focal_length: float | None = None,
) -> Pose:
    """Find where a head stands and how it is turned.

    The start is the weak-perspective camera (POS, DeMenthon and Davis 1995); Gauss-Newton steps on
    the reprojection error follow, with R updated from the left by small rotations. Points (68, 2)
    are in pixels, centres at integers; `mean_3d` (68, 3) in millimetres; the camera's axis is taken
    to pass through the middle of the image, whose size is (width, height).

    Returns rotation (pitch, yaw, roll) in radians with R = Rx Ry Rz relative to the camera's axes,
    and the place of the point between the outer eye corners in millimetres. InputError if a shape
    is wrong, a value is not finite, or the points do not spread over the image.
    """
    image_points, head = _rigid(points, mean_3d)
    width, height = image_size
    if min(image_size) < 1:
        raise InputError(f"image_size must be positive, got {image_size}")
    focal = default_focal_length(image_size) if focal_length is None else float(focal_length)
    if not (math.isfinite(focal) and focal > 0):
        raise InputError(f"focal_length must be a positive number of pixels, got {focal_length}")
    image_points -= (0.5 * (width - 1), 0.5 * (height - 1))
    camera = np.empty((4, 3))
    _kernels.camera(image_points, head, focal, camera)
    if not math.isfinite(camera.sum()):
        raise InputError(_why_unseen(image_points, head))
    tx, ty, tz = camera[3].tolist()
    return Pose(euler_angles(camera[:3]), (tx, ty, tz))


def euler_angles(rotation: npt.ArrayLike) -> tuple[float, float, float]:
    """Take a rotation matrix apart, R = Rx Ry Rz."""
    r = np.asarray(rotation, dtype=np.float64)
    yaw = math.asin(min(1.0, max(-1.0, r[0, 2])))
    return math.atan2(-r[1, 2], r[2, 2]), yaw, math.atan2(-r[0, 1], r[0, 0])


def _rigid(points: npt.ArrayLike, mean_3d: npt.ArrayLike) -> tuple[Array, Array]:
    """Copy the points that are rigid; copies are writable and contiguous, as the kernel wants."""
    p, head = np.asarray(points, dtype=np.float64), np.asarray(mean_3d, dtype=np.float64)
    if p.shape != (68, 2) or head.shape != (68, 3):
        raise InputError(
            f"points must have shape (68, 2) and mean_3d (68, 3), got {p.shape} and {head.shape}"
        )
    rigid = slice(RIGID_POINTS[0], RIGID_POINTS[-1] + 1)
    return np.array(p[rigid], order="C"), np.array(head[rigid], order="C")


def _why_unseen(points: Array, head: Array) -> str:
    """Return why no camera sees the head at these points."""
    if not (np.isfinite(points).all() and np.isfinite(head).all()):
        return "points and mean_3d must be finite"
    if np.ptp(points, axis=0).max() < _kernels.SPREAD:
        return "points must not coincide"
    return "points must lie near the image, and mean_3d must not be flat"
