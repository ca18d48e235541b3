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

_UPRIGHT: Final = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH  # the flags with which OpenCV turns
_ORIENTATION: Final = 0x0112  # EXIF
_LYING: Final = 5  # orientations from here on exchange width and height

Image = npt.NDArray[np.uint8]


def read_bgr(path: str | os.PathLike[str], *, upright: bool = False) -> Image:
    """Read a picture as colour.

    Parameters
    ----------
    path : path-like
        A picture; names with any letters work on every system.
    upright : bool
        Whether the file's own orientation (EXIF) is obeyed, as viewers do. Off by default:
        annotation tools that give .pts files ignore it.

    Returns
    -------
    ndarray, shape (H, W, 3), uint8, C-contiguous
        BGR. 16-bit values are divided by 257, so that white stays white; grey is repeated in the
        three channels; transparency is dropped without blending, as the colours below it belong to
        the picture.

    Raises
    ------
    VideoError
        If the file is missing, cut short or no picture.
    """
    image = _decode(path, _UPRIGHT if upright else cv2.IMREAD_UNCHANGED)
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


def picture_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Read how large a picture is, from its header alone.

    Parameters
    ----------
    path : path-like
        A picture.

    Returns
    -------
    width, height : int
        As viewers show it, and `read_bgr` upright.

    Raises
    ------
    VideoError
        If the file is missing or no picture.
    """
    from PIL import Image as pillow  # needed by exports alone

    try:
        with pillow.open(path) as image:
            turned = image.format != "TIFF" and image.getexif().get(_ORIENTATION, 1) >= _LYING
            return image.size[::-1] if turned else image.size
    except (OSError, ValueError, SyntaxError, pillow.DecompressionBombError) as error:
        raise VideoError(path, f"cannot be read as a picture ({error})") from error


def _decode(path: str | os.PathLike[str], flags: int = cv2.IMREAD_UNCHANGED) -> Image:
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
        image = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
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
