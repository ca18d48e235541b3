"""Which of several detected faces is meant: what a user would say, never what the truth says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Box = tuple[float, float, float, float]


def choose_face(boxes: Sequence[Box] | npt.NDArray[np.float64], size: tuple[int, int]) -> int:
    """Return the box with the largest width less its centre's distance from the middle."""
    b = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    centres = 0.5 * (b[:, :2] + b[:, 2:])
    middle = 0.5 * (np.asarray(size, dtype=np.float64) - 1)
    return int(np.argmax(b[:, 2] - b[:, 0] - np.linalg.norm(centres - middle, axis=1)))
