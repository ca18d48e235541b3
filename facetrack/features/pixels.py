"""The pictures that people hand in, brought to uint8 grey or BGR."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.features.resize import average
from facetrack.formats.picture import to_8_bit

Image = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]

SMALLEST_SIDE: Final = 16  # pixels; no face fits into less


def checked_image(image: npt.ArrayLike) -> Image:
    """Bring a picture to uint8, grey or BGR, without copying one that is so already.

    Takes (H, W), (H, W, 1), (H, W, 3), (H, W, 4) of any size, also none, in uint8 or uint16, which
    is scaled; alpha is dropped. InputError if the shape or the type is another one.
    """
    array = np.asarray(image)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim == 3 and array.shape[2] == 4:
        array = array[:, :, :3]
    if array.ndim != 2 and not (array.ndim == 3 and array.shape[2] == 3):
        raise InputError(
            f"image must have shape (H, W), (H, W, 3) or (H, W, 4), got {np.shape(image)}"
        )
    if array.dtype == np.uint16:
        array = to_8_bit(array)
    if array.dtype != np.uint8:
        raise InputError(f"image must be uint8 or uint16, got {array.dtype}")
    return array


def grey(image: Image) -> Image:
    """Convert BGR to grey; grey passes."""
    if image.ndim == 3:
        converted = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_BGR2GRAY)
        return converted.astype(np.uint8, copy=False)
    return np.ascontiguousarray(image)


def shrink(image: Image, factor: float) -> Image:
    """Scale a picture by a factor, to at least one pixel; averaging when it becomes smaller."""
    height, width = image.shape[:2]
    size = max(1, round(width * factor)), max(1, round(height * factor))
    if factor < 1:
        return average(image, size)
    scaled = cv2.resize(np.ascontiguousarray(image), size, interpolation=cv2.INTER_LINEAR)
    return scaled.astype(np.uint8, copy=False)


def box_of(points: npt.ArrayLike) -> Box:
    """Bound a shape: (x0, y0, x1, y1)."""
    p = np.asarray(points, dtype=np.float64)
    (x0, y0), (x1, y1) = p.min(axis=0).tolist(), p.max(axis=0).tolist()
    return x0, y0, x1, y1


def overlap(a: Box, b: Box) -> float:
    """Measure the intersection of two boxes over the smaller one's area."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    smaller = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return min(1.0, width * height / smaller)


def agreement(a: Box, b: Box) -> float:
    """Measure the intersection of two boxes over their union."""
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    common = overlap(a, b) * min(areas)
    return common / (sum(areas) - common) if common else 0.0
