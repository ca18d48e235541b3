"""What the layers of a network have in common: types, and checks of their arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError

Floats = npt.NDArray[np.float32]
Words = npt.NDArray[np.uint64]
Shape = tuple[int, ...]


class Prepared(NamedTuple):
    """A layer with its buffers, for inputs of one size."""

    shape: Shape  # of the output
    run: Callable[[Floats], Floats]  # the result is overwritten by the next call
    # (height + 2 half, width + 2 half, words), packed input with border; None if real
    words: Words | None = None


def require(array: npt.NDArray[Any], name: str, shape: Shape, dtype: Any = np.float32) -> None:
    """Refuse an array of another shape or dtype, one that is not C-contiguous, or one with NaN."""
    if array.shape != shape or array.dtype != dtype:
        seen = f"{array.dtype} of shape {array.shape}"
        raise InputError(f"{name} must be {np.dtype(dtype)} of shape {shape}, but is {seen}")
    if not array.flags.c_contiguous:
        raise InputError(f"{name} must be C-contiguous")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise InputError(f"{name} holds NaN")


def require_shape(shape: Shape, channels: int, layer: str) -> None:
    """Refuse an input that a layer cannot take: not (height, width, channels), or empty."""
    if len(shape) != 3 or shape[2] != channels or min(shape) < 1:
        raise InputError(f"{layer} takes (height, width, {channels}), but meets {shape}")
