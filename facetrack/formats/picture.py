"""Reading pictures of any common kind as 8-bit grey or BGR."""

from __future__ import annotations

import os
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError, VideoError
from facetrack.formats.textfile import read_bytes

MAX_BYTES: Final = 1 << 29
SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm")

Image = npt.NDArray[np.uint8]


def read_bgr(path: str | os.PathLike[str]) -> Image:
    """Read a picture as colour.

    Parameters
    ----------
    path : path-like
        A picture; names with any letters work on every system.

    Returns
    -------
    ndarray, shape (H, W, 3), uint8, C-contiguous
        BGR. 16-bit values are divided by 257, so that white stays white; grey is repeated in the
        three channels; transparency is dropped without blending, as the colours below it belong to
        the picture. The orientation tag of a JPEG is ignored, because annotation tools that give
        .pts files ignore it.

    Raises
    ------
    VideoError
        If the file is missing, cut short or no picture.
    """
    image = _decode(path)
    if image.ndim == 2:
        return np.ascontiguousarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), dtype=np.uint8)
    if image.shape[2] == 4:
        return np.ascontiguousarray(cv2.cvtColor(image, cv2.COLOR_BGRA2BGR), dtype=np.uint8)
    return image


def read_grey(path: str | os.PathLike[str]) -> Image:
    """Read a picture as grey values.

    Parameters
    ----------
    path : path-like
        A picture.

    Returns
    -------
    ndarray, shape (H, W), uint8, C-contiguous
        Grey pictures as they are, colour as OpenCV's weighted sum (0.299 R + 0.587 G + 0.114 B);
        16 bit and transparency as in `read_bgr`.

    Raises
    ------
    VideoError
        If the file is missing, cut short or no picture.
    """
    image = _decode(path)
    if image.ndim == 2:
        return image
    code = cv2.COLOR_BGRA2GRAY if image.shape[2] == 4 else cv2.COLOR_BGR2GRAY
    return np.ascontiguousarray(cv2.cvtColor(image, code), dtype=np.uint8)


def _decode(path: str | os.PathLike[str]) -> Image:
    """Decode a picture with the channels that it has, in 8 bit."""
    try:
        content = read_bytes(path, limit=MAX_BYTES)
    except FormatError as error:
        raise VideoError(path, error.cause) from error
    if not content:
        raise VideoError(path, "the file is empty")
    if _is_cut_jpeg(content):
        raise VideoError(path, "the JPEG file is cut short")
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise VideoError(path, f"cannot be decoded as a picture ({error.err})") from error
    if image is None:
        raise VideoError(path, "cannot be decoded as a picture (cut short, or another format)")
    if image.ndim == 3 and image.shape[2] in (1, 2):  # grey, grey with transparency
        image = image[..., 0]
    if image.ndim == 3 and image.shape[2] not in (3, 4):
        raise VideoError(path, f"a picture with {image.shape[2]} channels, 1 to 4 can be read")
    return np.ascontiguousarray(_to_8_bit(path, np.asarray(image)))


def _is_cut_jpeg(content: bytes) -> bool:
    """Find JPEGs without an end marker after their last scan; OpenCV 4 fills them up with grey."""
    return content.startswith(b"\xff\xd8") and content.rfind(b"\xff\xd9") < content.rfind(
        b"\xff\xda"
    )


def _to_8_bit(path: str | os.PathLike[str], image: npt.NDArray[np.generic]) -> Image:
    if image.dtype == np.uint8:
        return image.astype(np.uint8, copy=False)
    if image.dtype == np.uint16:
        return np.rint(image.astype(np.float32) / 257).astype(np.uint8)
    raise VideoError(path, f"pixels of type {image.dtype}; 8 and 16 bit can be read")
