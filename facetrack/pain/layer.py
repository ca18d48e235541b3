"""A layer of rectified linear units, as numpy computes it; `train/tuning.py` trains it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Makes features of windows."""

    weights: Floats  # (5 d, h)
    bias: Floats  # (h,)

    def apply(self, windows: Floats) -> Floats:
        """Make features (n, h) of windows (n, 5, d)."""
        return np.maximum(windows.reshape(len(windows), -1) @ self.weights + self.bias, 0.0)
