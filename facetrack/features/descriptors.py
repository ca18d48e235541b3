"""Patch descriptors around landmarks, and their differences (spec 2.3, 2.5)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facetrack.features import _kernels

DESCRIPTOR_SIZE = _kernels.CELLS * _kernels.CELLS * _kernels.DIRECTIONS

Descriptors = npt.NDArray[np.float32]


def describe(
    maps: npt.NDArray[np.float32],
    points: npt.NDArray[np.float64],
    *,
    spacing: float,
    shrink: int,
    out: Descriptors | None = None,
) -> Descriptors:
    """Describe the patch around every point.

    Parameters
    ----------
    maps : ndarray, shape (H, W, 8), float32
        Orientation maps.
    points : ndarray, shape (n, 2), float64
        Points in pixels of the reference frame; cells outside are clamped to the border.
    spacing : float
        Distance of neighbouring cell centres in pixels of the reference frame.
    shrink : int
        How many pixels of the frame one pixel of the maps stands for, per direction.
    out : ndarray, shape (n, 128), float32, optional
        Where to write.

    Returns
    -------
    ndarray, shape (n, 128), float32
        4 x 4 cells of 8 directions, v / sqrt(|v|^2 + 0.01) per landmark.
    """
    if out is None:
        out = np.empty((len(points), DESCRIPTOR_SIZE), dtype=np.float32)
    # pixel i of a shrunken map covers frame pixels s i ... s i + s - 1
    scaled = (points - 0.5 * (shrink - 1)) / shrink if shrink != 1 else points
    _kernels.describe(maps, np.ascontiguousarray(scaled), spacing / shrink, out)
    return out


def describe_around(
    maps: npt.NDArray[np.float32],
    points: npt.NDArray[np.float64],
    *,
    step: float,
    spacing: float,
    shrink: int,
) -> tuple[Descriptors, Descriptors]:
    """Describe the patches at the points and their central differences along x and y.

    Parameters
    ----------
    maps, points, spacing, shrink
        As for `describe`.
    step : float
        Half the distance of the two positions that a difference compares, pixels of the frame. It
        is a modelling choice: the secant over the displacement to be expected (spec 2.5, 9.4).

    Returns
    -------
    descriptors : ndarray, shape (n, 128), float32
    gradients : ndarray, shape (2, n, 128), float32
        Per pixel of the frame, along x and along y.
    """
    shifts = np.array([[0, 0], [step, 0], [-step, 0], [0, step], [0, -step]])
    sets = [describe(maps, points + shift, spacing=spacing, shrink=shrink) for shift in shifts]
    factor = np.float32(0.5 / step)
    gradients = np.stack([(sets[1] - sets[2]) * factor, (sets[3] - sets[4]) * factor])
    return sets[0], gradients
