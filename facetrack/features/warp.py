"""Sampling a picture along a similarity, at any scale without aliasing."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.features.pixels import Image
from facetrack.landmarks.procrustes import Similarity

_UINT8: Final = np.dtype(np.uint8)  # compared faster than the type, once for every fit
_SHRINK_LIMIT: Final = 0.67  # below this scale bilinear reading would alias


def warp(
    image: Image, to_crop: Similarity, size: tuple[int, int], *, colour: bool = False
) -> Image:
    """Warp a part of an image, once, bilinearly, and averaged before where it shrinks.

    `to_crop` leads from the image's pixels to the crop's, whose `size` is (width, height). Only the
    part under the crop is converted. Outside the image the border is replicated; zeros where no
    part of the image is near. InputError if the image is not uint8 or of another shape.
    """
    if image.dtype != _UINT8 or image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,)):
        raise InputError(
            f"image must be uint8 of shape (H, W) or (H, W, 3), got {image.dtype} {image.shape}"
        )
    x0, y0, x1, y1 = _region(image.shape, to_crop.inverse(), size)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return np.zeros((size[1], size[0], 3) if colour else (size[1], size[0]), dtype=np.uint8)
    crop: Image = image[y0:y1, x0:x1]
    if colour != (crop.ndim == 3):
        way = cv2.COLOR_GRAY2BGR if colour else cv2.COLOR_BGR2GRAY
        crop = cv2.cvtColor(crop, way)  # type: ignore[assignment]
    times = 1
    if to_crop.scale < _SHRINK_LIMIT:  # average before sampling (method.md, 2.1)
        # by halves, which takes a quarter of the time that other shares take
        halvings = math.ceil(math.log2(_SHRINK_LIMIT / to_crop.scale))
        times = min(1 << min(halvings, 20), *(side // 2 for side in crop.shape[:2]))
        crop = _averaged(crop, times)
    matrix = _from_crop(to_crop, x0, y0, 1 / times)
    return cv2.warpAffine(  # type: ignore[return-value]
        crop, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def inside(
    shape: tuple[int, ...], to_crop: Similarity, size: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    """Mark the pixels (height, width) of a crop whose centres lie in a picture of this shape."""
    back = to_crop.inverse()
    right, bottom = shape[1] - 0.5, shape[0] - 0.5  # pixels are squares around their centres
    ends = [(x, y) for x in (0, size[0] - 1) for y in (0, size[1] - 1)]
    across = [back.a * x - back.b * y + back.tx for x, y in ends]  # a few: faster than as arrays
    down = [back.b * x + back.a * y + back.ty for x, y in ends]
    if min(*across, *down) >= -0.5 and max(across) <= right and max(down) <= bottom:
        return np.ones((size[1], size[0]), dtype=np.bool_)  # as nearly always
    u, v = np.arange(size[0]), np.arange(size[1])[:, None]
    x, y = back.a * u - back.b * v + back.tx, back.b * u + back.a * v + back.ty
    valid: npt.NDArray[np.bool_] = (x >= -0.5) & (x <= right) & (y >= -0.5) & (y <= bottom)
    return valid


def _region(
    shape: tuple[int, ...], to_image: Similarity, size: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Bounding box of the crop in the image, two pixels wider, clipped to the image."""
    # the crop's upper and left side, (x, y) in the image
    along_x, along_y = to_image.a * size[0], to_image.b * size[0]
    down_x, down_y = -to_image.b * size[1], to_image.a * size[1]
    left = to_image.tx + min(0.0, along_x) + min(0.0, down_x)
    right = to_image.tx + max(0.0, along_x) + max(0.0, down_x)
    top = to_image.ty + min(0.0, down_y) + min(0.0, along_y)
    bottom = to_image.ty + max(0.0, down_y) + max(0.0, along_y)
    # a broken shape may put the crop at 1e300: clip before the conversion to integers
    height, width = shape[:2]
    return (
        int(min(max(left - 2, 0), width)),
        int(min(max(top - 2, 0), height)),
        math.ceil(min(max(right + 3, 0), width)),
        math.ceil(min(max(bottom + 3, 0), height)),
    )


def _averaged(image: Image, times: int) -> Image:
    """Shrink a picture by a whole number; what is over at the right and below is left out."""
    height, width = (side // times for side in image.shape[:2])
    whole = image[: height * times, : width * times]
    shrunk = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
    return shrunk  # type: ignore[return-value]


def _from_crop(to_crop: Similarity, left: int, top: int, scale: float) -> npt.NDArray[np.float64]:
    """Map pixels of the image's part, scaled after it was cut, to the crop; shape (2, 3)."""
    a, b = to_crop.a, to_crop.b
    # pixel centres at integers: x_image = (x_small + 0.5) / scale - 0.5 + left
    x, y = 0.5 / scale - 0.5 + left, 0.5 / scale - 0.5 + top
    return np.array(
        [
            [a / scale, -b / scale, a * x - b * y + to_crop.tx],
            [b / scale, a / scale, b * x + a * y + to_crop.ty],
        ]
    )
