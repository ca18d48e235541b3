"""Shrinking pictures by averaging."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.features import _kernels

Image = npt.NDArray[np.uint8]


def average(image: Image, size: tuple[int, int]) -> Image:
    """Shrink a picture to a size (width, height): every new pixel is the mean over its area.

    `cv2.resize` with INTER_AREA, which does colour, computes the same (a mean halfway between two
    grey levels may be rounded the other way), but takes three times as long for grey where the
    ratio of the sizes is no whole number. InputError if the size is larger than the image.
    """
    width, height = size
    if not (1 <= height <= image.shape[0] and 1 <= width <= image.shape[1]):
        raise InputError(f"an image of shape {image.shape} cannot be averaged to {width}x{height}")
    if image.ndim == 3:
        return cv2.resize(  # type: ignore[return-value]
            np.ascontiguousarray(image), size, interpolation=cv2.INTER_AREA
        )
    out = np.empty((height, width), dtype=np.uint8)
    _kernels.average(np.array(image, order="C"), out)
    return out
