"""The reference frame: every face is warped to the same place, size and roll (spec 2.1)."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.landmarks.procrustes import Similarity

FRAME_SIZE = 160  # px, width and height
EYE_DISTANCE = 55.0  # px between the outer eye corners of the mean shape
FRAME_CENTRE = (80.0, 80.0)  # where the mean shape's centroid lies

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
    x0, y0, x1, y1 = _region(image.shape, to_frame, size)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return np.zeros((size, size), dtype=np.uint8)
    crop: npt.NDArray[np.uint8] = image[y0:y1, x0:x1]
    if crop.ndim == 3:
        crop = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)  # type: ignore[assignment]
    matrix = to_frame.matrix
    matrix[:, 2] += matrix[:, :2] @ (x0, y0)
    scale = to_frame.scale
    if scale < _SHRINK_LIMIT:  # average before sampling (spec 9.7.4)
        crop, matrix = _shrink(crop, matrix, scale)
    return cv2.warpAffine(  # type: ignore[return-value]
        crop, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def _region(shape: tuple[int, ...], to_frame: Similarity, size: int) -> tuple[int, int, int, int]:
    """Bounding box of the frame in the image, two pixels wider, clipped to the image."""
    corners = to_frame.inverse().apply([[0, 0], [size, 0], [0, size], [size, size]])
    # a broken shape may put the frame at 1e300: clip before the conversion to integers
    limit = np.array([shape[1], shape[0]], dtype=np.float64)
    low = np.clip(np.floor(corners.min(axis=0)) - 2, 0, limit)
    high = np.clip(np.ceil(corners.max(axis=0)) + 3, 0, limit)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _shrink(
    crop: npt.NDArray[np.uint8], matrix: npt.NDArray[np.float64], scale: float
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]:
    """Shrink by area averaging to about the frame's resolution and adapt the map to it."""
    height, width = crop.shape
    new_width, new_height = max(2, round(width * scale)), max(2, round(height * scale))
    small = cv2.resize(crop, (new_width, new_height), interpolation=cv2.INTER_AREA)
    sx, sy = new_width / width, new_height / height
    # pixel centres at integers: x_crop = (x_small + 0.5) / sx - 0.5
    back = np.array([[1 / sx, 0, 0.5 / sx - 0.5], [0, 1 / sy, 0.5 / sy - 0.5]])
    offset = matrix[:, :2] @ back[:, 2] + matrix[:, 2]
    return small, np.column_stack([matrix[:, :2] @ back[:, :2], offset])  # type: ignore[return-value]
