"""Patch descriptors around landmarks (method.md, 2.3)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facetrack.features import _kernels

DESCRIPTOR_SIZE = _kernels.CELLS * _kernels.CELLS * _kernels.DIRECTIONS

Descriptors = npt.NDArray[np.float32]


def describe(
    maps: npt.NDArray[np.float32], points: npt.NDArray[np.float64], *, spacing: float, shrink: int
) -> Descriptors:
    """Describe the patch around every point: (n, 128), v / sqrt(|v|^2 + 0.01) per landmark.

    4 x 4 cells of 8 directions are read in orientation maps (H, W, 8). Points (n, 2) and `spacing`,
    the distance of cell centres, are in pixels of the reference frame, of which one pixel of the
    maps stands for `shrink` in each direction; cells outside are clamped to the border.
    """
    out = np.empty((len(points), DESCRIPTOR_SIZE), dtype=np.float32)
    _kernels.describe(maps, np.ascontiguousarray(points), shrink, spacing / shrink, out)
    return out
