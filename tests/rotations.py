"""Rotations of heads, the other way round than `landmarks.pose` takes them apart."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def rotation_matrix(pitch: float, yaw: float, roll: float) -> npt.NDArray[np.float64]:
    """Compute R = Rx Ry Rz."""
    (cx, cy, cz), (sx, sy, sz) = np.cos((pitch, yaw, roll)), np.sin((pitch, yaw, roll))
    return np.array(
        [
            [cy * cz, -cy * sz, sy],
            [cx * sz + sx * sy * cz, cx * cz - sx * sy * sz, -sx * cy],
            [sx * sz - cx * sy * cz, sx * cz + cx * sy * sz, cx * cy],
        ]
    )
