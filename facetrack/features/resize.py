"""Shrinking grey pictures by averaging."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.features import _kernels

Grey = npt.NDArray[np.uint8]


def average(image: Grey, size: tuple[int, int]) -> Grey:
    """Shrink a grey picture to a size: every new pixel is the mean over its area.

    Parameters
    ----------
    image : ndarray, shape (H, W), uint8
    size : (width, height)
        In pixels; each from 1 to the image's own.

    Returns
    -------
    ndarray, shape (height, width), uint8

    Raises
    ------
    InputError
        If the size is larger than the image.

    Notes
    -----
    `cv2.resize` with INTER_AREA computes the same (a mean halfway between two grey levels may be
    rounded the other way), but takes three times as long where the ratio of the sizes is no whole
    number.
    """
    width, height = size
    if not (1 <= height <= image.shape[0] and 1 <= width <= image.shape[1]):
        raise InputError(f"an image of shape {image.shape} cannot be averaged to {width}x{height}")
    out = np.empty((height, width), dtype=np.uint8)
    _kernels.average(np.array(image, order="C"), out)
    return out
