"""Patch descriptors around landmarks (method.md, 2.3)."""

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
    _kernels.describe(maps, np.ascontiguousarray(points), shrink, spacing / shrink, out)
    return out
