"""Head pose from landmarks: the perspective camera that sees the mean head at these points."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.face import Pose

Array = npt.NDArray[np.float64]

# Brows, nose, eyes, upper lip and mouth corners: the jaw's points slide along the contour when the
# head turns, and the lower lip goes with the jaw, which would be read as pitch.
RIGID_POINTS: Final = tuple(range(17, 55))

_OPENFACE_FOCAL: Final = 500.0  # pixels, for an image of 640 x 480
_MAX_STEPS: Final = 10
_CONVERGED: Final = 5e-3  # radians, and distances relative to Tz: the last step is then exact to
# about its square
_DAMPING: Final = 1e-9  # keeps the normal equations solvable for points on a line
_DIAGONAL: Final = np.diag_indices(6)
_NEAREST: Final = 1.0  # mm; a camera closer than this stands inside the head


def default_focal_length(image_size: tuple[int, int]) -> float:
    """Guess the focal length of an unknown camera as OpenFace does.

    Parameters
    ----------
    image_size : (width, height)
        In pixels.

    Returns
    -------
    float
        In pixels: the average of 500 (width / 640) and 500 (height / 480).
    """
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

    Parameters
    ----------
    points : array_like, shape (68, 2)
        Landmarks (x, y) in pixels of the image, pixel centres at integers.
    mean_3d : array_like, shape (68, 3)
        Mean head in millimetres, see `ShapeModel.mean_3d`.
    image_size : (width, height)
        In pixels; the camera's axis is taken to pass through the middle.
    focal_length : float, optional
        In pixels; by default OpenFace's guess, see `default_focal_length`.

    Returns
    -------
    Pose
        Rotation (pitch, yaw, roll) in radians with R = Rx Ry Rz relative to the camera's axes, and
        the place of the point between the outer eye corners in millimetres.

    Raises
    ------
    InputError
        If a shape is wrong, a value is not finite, or the points do not spread over the image.

    Notes
    -----
    The start is the weak-perspective camera (POS, DeMenthon and Davis 1995); Gauss-Newton steps on
    the reprojection error follow, with R updated from the left by small rotations.
    """
    image_points, head = _checked(points, mean_3d, image_size)
    width, height = image_size
    focal = default_focal_length(image_size) if focal_length is None else float(focal_length)
    if not (math.isfinite(focal) and focal > 0):
        raise InputError(f"focal_length must be a positive number of pixels, got {focal_length}")
    centre = np.array([0.5 * (width - 1), 0.5 * (height - 1)])
    centred = image_points - centre
    start = _weak_perspective(centred, head, focal)
    rotation, translation = _refine(centred / focal, head, *start)
    tx, ty, tz = translation.tolist()
    return Pose(euler_angles(rotation), (tx, ty, tz))


def rotation_matrix(pitch: float, yaw: float, roll: float) -> Array:
    """Compute R = Rx Ry Rz.

    Parameters
    ----------
    pitch, yaw, roll : float
        Rotation about x (right), y (down) and z (away from the camera) in radians.

    Returns
    -------
    ndarray, shape (3, 3), float64
    """
    (cx, cy, cz), (sx, sy, sz) = np.cos((pitch, yaw, roll)), np.sin((pitch, yaw, roll))
    return np.array(
        [
            [cy * cz, -cy * sz, sy],
            [cx * sz + sx * sy * cz, cx * cz - sx * sy * sz, -sx * cy],
            [sx * sz - cx * sy * cz, sx * cz + cx * sy * sz, cx * cy],
        ]
    )


def euler_angles(rotation: npt.ArrayLike) -> tuple[float, float, float]:
    """Take a rotation matrix apart, R = Rx Ry Rz.

    Parameters
    ----------
    rotation : array_like, shape (3, 3)

    Returns
    -------
    tuple of float
        (pitch, yaw, roll) in radians; yaw within +-pi/2.
    """
    r = np.asarray(rotation, dtype=np.float64)
    yaw = math.asin(min(1.0, max(-1.0, r[0, 2])))
    return math.atan2(-r[1, 2], r[2, 2]), yaw, math.atan2(-r[0, 1], r[0, 0])


def _checked(
    points: npt.ArrayLike, mean_3d: npt.ArrayLike, image_size: tuple[int, int]
) -> tuple[Array, Array]:
    """Check the arguments and keep the points that are rigid."""
    p, head = np.asarray(points, dtype=np.float64), np.asarray(mean_3d, dtype=np.float64)
    if p.shape != (68, 2) or head.shape != (68, 3):
        raise InputError(
            f"points must have shape (68, 2) and mean_3d (68, 3), got {p.shape} and {head.shape}"
        )
    if min(image_size) < 1:
        raise InputError(f"image_size must be positive, got {image_size}")
    rigid = slice(RIGID_POINTS[0], RIGID_POINTS[-1] + 1)
    p, head = p[rigid], head[rigid]
    if not (np.isfinite(p).all() and np.isfinite(head).all()):
        raise InputError("points and mean_3d must be finite")
    if np.ptp(p, axis=0).max() < 1e-6:
        raise InputError("points must not coincide")
    return p, head


def _weak_perspective(centred: Array, head: Array, focal: float) -> tuple[Array, Array]:
    """Estimate rotation and translation of a camera far away; `centred` is relative to its axis."""
    head_mean, image_mean = head.mean(axis=0), centred.mean(axis=0)
    h = head - head_mean
    affine = np.linalg.solve(h.T @ h, h.T @ (centred - image_mean)).T  # (2, 3), pixels per mm
    u, scales, vt = np.linalg.svd(affine, full_matrices=False)
    a, b = u @ vt  # the nearest two orthonormal rows; the third is a x b
    third = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    rotation = np.array([a, b, third])
    depth = 2 * focal / max(float(scales[0] + scales[1]), 1e-9)
    translation = np.array([*(image_mean / focal * depth), depth]) - rotation @ head_mean
    return rotation, translation


def _refine(rays: Array, head: Array, rotation: Array, translation: Array) -> tuple[Array, Array]:
    """Minimise the reprojection error by Gauss-Newton; `rays` are image points over focal length.

    A step that does not lower the error ends the search, so the result is never worse than the
    start.
    """
    error = math.inf
    best = rotation, translation
    jacobian = np.empty((len(head), 2, 6))
    jacobian[:, :, 3:5] = np.eye(2)
    for _ in range(_MAX_STEPS):
        turned = head @ rotation.T
        depth = turned[:, 2] + translation[2]
        if not depth.min() > _NEAREST:
            break
        seen = (turned[:, :2] + translation[:2]) / depth[:, None]
        residual = (seen - rays).ravel()
        previous, error = error, float(residual @ residual)
        if not error < previous:
            break
        best = rotation, translation
        step = _step(jacobian, residual, turned, depth, seen)
        rotation = _small_rotation(step[:3]) @ rotation
        translation = translation + step[3:]
        if max(map(abs, (step / [1, 1, 1, *[translation[2]] * 3]).tolist())) < _CONVERGED:
            return rotation, translation
    return best


def _step(jacobian: Array, residual: Array, turned: Array, depth: Array, seen: Array) -> Array:
    """Solve for a small rotation w and a shift of the camera; fills `jacobian`, (n, 2, 6).

    With q = R X and P = q + T, w moves P by w x q; the residual of a point is P_xy / P_z - ray.
    """
    x, y, z = turned.T
    u, v = seen.T
    jacobian[:, 0, 0], jacobian[:, 0, 1], jacobian[:, 0, 2] = -u * y, z + u * x, -y
    jacobian[:, 1, 0], jacobian[:, 1, 1], jacobian[:, 1, 2] = -z - v * y, v * x, x
    jacobian[:, :, 5] = -seen
    columns = jacobian.reshape(-1, 6) / depth.repeat(2)[:, None]
    normal = columns.T @ columns
    normal[_DIAGONAL] *= 1 + _DAMPING
    return np.asarray(np.linalg.solve(normal, -(columns.T @ residual)), dtype=np.float64)


def _small_rotation(w: Array) -> Array:
    """Rotate by |w| radians about w (Rodrigues)."""
    angle = math.sqrt(float(w @ w))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = (w / angle).tolist()
    c, s = math.cos(angle), math.sin(angle)
    d = 1 - c
    return np.array(
        [
            [c + d * x * x, d * x * y - s * z, d * x * z + s * y],
            [d * x * y + s * z, c + d * y * y, d * y * z - s * x],
            [d * x * z - s * y, d * y * z + s * x, c + d * z * z],
        ]
    )
