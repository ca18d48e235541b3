"""A layer of rectified linear units, as numpy computes it; `train/tuning.py` trains it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Layer"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Makes features of windows.

    Attributes
    ----------
    weights : ndarray, shape (5 d, h), float64
    bias : ndarray, shape (h,), float64
    """

    weights: Floats
    bias: Floats

    def apply(self, windows: Floats) -> Floats:
        """Make features of windows.

        Parameters
        ----------
        windows : ndarray, shape (n, 5, d), float64

        Returns
        -------
        ndarray, shape (n, h), float64
        """
        return np.maximum(windows.reshape(len(windows), -1) @ self.weights + self.bias, 0.0)
