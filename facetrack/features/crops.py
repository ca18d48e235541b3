"""The reference frame: every face is warped to the same place, size and roll (spec 2.1)."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.features.resize import average
from facetrack.landmarks.procrustes import Similarity

FRAME_SIZE = 160  # px, width and height
EYE_DISTANCE = 55.0  # px between the outer eye corners of the mean shape
FRAME_CENTRE = (79.5, 79.5)  # the mean shape's centroid: in the middle, so that mirroring keeps it

_SHRINK_LIMIT = 0.67  # below this scale bilinear reading would alias


def warp_to_frame(
    image: npt.NDArray[np.uint8], to_frame: Similarity, *, size: int = FRAME_SIZE
) -> npt.NDArray[np.uint8]:
    """Warp the face's part of an image into the reference frame as grey levels.

    Parameters
    ----------
    image : ndarray, shape (H, W) or (H, W, 3), uint8
        Grey or BGR. Only the part under the frame is converted.
    to_frame : Similarity
        Pixels of the image -> pixels of the reference frame.
    size : int
        Width and height of the frame in pixels.

    Returns
    -------
    ndarray, shape (size, size), uint8
        Outside the image the border is replicated.

    Raises
    ------
    InputError
        If the image is not uint8 or of another shape.
    """
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,)):
        raise InputError(
            f"image must be uint8 of shape (H, W) or (H, W, 3), got {image.dtype} {image.shape}"
        )
    x0, y0, x1, y1 = _region(image.shape, to_frame.inverse(), size)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return np.zeros((size, size), dtype=np.uint8)
    crop: npt.NDArray[np.uint8] = image[y0:y1, x0:x1]
    if crop.ndim == 3:
        crop = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)  # type: ignore[assignment]
    scale_x = scale_y = 1.0
    if to_frame.scale < _SHRINK_LIMIT:  # average before sampling (spec 9.7.4)
        height, width = crop.shape
        new = max(2, round(width * to_frame.scale)), max(2, round(height * to_frame.scale))
        crop, scale_x, scale_y = average(crop, new), new[0] / width, new[1] / height
    matrix = _from_crop(to_frame, x0, y0, scale_x, scale_y)
    return cv2.warpAffine(  # type: ignore[return-value]
        crop, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def _region(shape: tuple[int, ...], to_image: Similarity, size: int) -> tuple[int, int, int, int]:
    """Bounding box of the frame in the image, two pixels wider, clipped to the image."""
    along, across = to_image.a * size, to_image.b * size  # one side of the frame, in the image
    left = to_image.tx + min(0.0, along) + min(0.0, -across)
    right = to_image.tx + max(0.0, along) + max(0.0, -across)
    top = to_image.ty + min(0.0, along) + min(0.0, across)
    bottom = to_image.ty + max(0.0, along) + max(0.0, across)
    # a broken shape may put the frame at 1e300: clip before the conversion to integers
    height, width = shape[:2]
    return (
        int(min(max(left - 2, 0), width)),
        int(min(max(top - 2, 0), height)),
        math.ceil(min(max(right + 3, 0), width)),
        math.ceil(min(max(bottom + 3, 0), height)),
    )


def _from_crop(
    to_frame: Similarity, left: int, top: int, scale_x: float, scale_y: float
) -> npt.NDArray[np.float64]:
    """Map pixels of a crop, scaled after cropping, to the frame; shape (2, 3)."""
    a, b = to_frame.a, to_frame.b
    # pixel centres at integers: x_image = (x_small + 0.5) / scale - 0.5 + left
    x, y = 0.5 / scale_x - 0.5 + left, 0.5 / scale_y - 0.5 + top
    return np.array(
        [
            [a / scale_x, -b / scale_y, a * x - b * y + to_frame.tx],
            [b / scale_x, a / scale_y, b * x + a * y + to_frame.ty],
        ]
    )
