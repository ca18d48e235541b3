"""Reading pictures of any common kind as 8-bit grey or BGR."""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from collections.abc import Callable
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError, InputError, VideoError
from facetrack.formats.textfile import read_bytes

MAX_BYTES: Final = 1 << 29
SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm",
                   ".jfif", ".jpe")  # fmt: skip

STACKS: Final = (".tif", ".tiff", ".png", ".webp")  # may hold several pictures
MAX_PAGES: Final = 1 << 20
# What Pillow raises of broken files, besides its DecompressionBombError.
UNREADABLE: Final = (
    OSError, ValueError, SyntaxError, TypeError, EOFError, LookupError, ArithmeticError,
    struct.error, zlib.error,
)  # fmt: skip

# Pixels that a picture may claim: of one colour all over, 4K fits into a hundred bytes.
_ALWAYS: Final = 1 << 24
_PER_BYTE: Final = 2048
_SUBFILE: Final = 254  # TIFF tag: what a page is
_REDUCED: Final = 1
_UPRIGHT: Final = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH  # the flags with which OpenCV turns
ORIENTATION: Final = 0x0112  # EXIF
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_LYING: Final = 5  # orientations from here on exchange width and height

Image = npt.NDArray[np.uint8]


def read_bgr(path: str | os.PathLike[str], *, upright: bool = False) -> Image:
    """Read a picture as colour, (H, W, 3) uint8, contiguous; raises VideoError.

    16 bits become 8, see `to_8_bit`; transparency is dropped without blending, as the colours below
    it belong to the picture. `upright` obeys the file's own orientation (EXIF), as viewers do;
    annotation tools that give .pts files ignore it.
    """
    return as_bgr(_decode(path, picture_bytes(path), _UPRIGHT if upright else cv2.IMREAD_UNCHANGED))


def as_bgr(image: npt.ArrayLike) -> Image:
    """Convert a grey, BGR or BGRA picture of 8 or 16 bits to 8-bit BGR; no copy if it is that.

    Transparency is dropped without blending; see `to_8_bit`. Raises InputError.
    """
    array = np.asarray(image)
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise InputError(f"image must have shape (H, W) or (H, W, 1, 3 or 4), got {array.shape}")
    if 0 in array.shape:
        raise InputError(f"image has no pixel, its shape is {array.shape}")
    if array.dtype == np.uint16:
        array = to_8_bit(array)
    if array.dtype != np.uint8:
        raise InputError(f"image must be of type uint8 or uint16, got {array.dtype}")
    if array.ndim == 2 or array.shape[2] == 1:
        array = cv2.cvtColor(np.ascontiguousarray(array), cv2.COLOR_GRAY2BGR)
    return np.ascontiguousarray(array[..., :3])


def read_grey(path: str | os.PathLike[str]) -> Image:
    """Read a picture as grey values, (H, W) uint8; colours as 0.299 R + 0.587 G + 0.114 B."""
    image = _decode(path, picture_bytes(path))
    if image.ndim == 2:
        return image
    code = cv2.COLOR_BGRA2GRAY if image.shape[2] == 4 else cv2.COLOR_BGR2GRAY
    return np.ascontiguousarray(cv2.cvtColor(image, code), dtype=np.uint8)


def pages_of(path: str | os.PathLike[str]) -> tuple[int, ...]:
    """Find the pictures' places in a TIFF or animation, without thumbnails; (0,) of all else."""
    if os.path.splitext(path)[1].lower() not in STACKS:
        return (0,)
    from PIL import Image as pillow

    try:
        with pillow.open(path) as image:
            count = min(int(getattr(image, "n_frames", 1)), MAX_PAGES)
            if image.format != "TIFF" or count == 1:
                return tuple(range(count))
            whole = []
            for page in range(count):
                image.seek(page)
                tags = getattr(image, "tag_v2", {})
                if not int(tags.get(_SUBFILE, 0)) & _REDUCED:
                    whole.append(page)
            return tuple(whole) or (0,)
    except (*UNREADABLE, pillow.DecompressionBombError):
        return (0,)


def page_reader(path: str | os.PathLike[str]) -> Callable[[int], Image]:
    """Read a TIFF into memory; return what gives a page by its place, upright, as `read_bgr`."""
    content = picture_bytes(path)

    def read(page: int) -> Image:
        return as_bgr(_decode(path, content, _UPRIGHT, page))

    return read


def picture_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Read width and height of a picture as viewers show it, from its header; raises VideoError."""
    from PIL import Image as pillow  # needed by exports alone

    try:
        with pillow.open(path) as image:
            turned = image.format != "TIFF" and image.getexif().get(ORIENTATION, 1) >= _LYING
            return image.size[::-1] if turned else image.size
    except (*UNREADABLE, pillow.DecompressionBombError) as error:
        raise VideoError(path, f"cannot be read as a picture ({error})") from error


def picture_bytes(path: str | os.PathLike[str]) -> bytes:
    """Read a picture's file."""
    try:
        content = read_bytes(path, limit=MAX_BYTES)
    except FormatError as error:
        raise VideoError(path, error.cause) from error
    if not content:
        raise VideoError(path, "the file is empty")
    if _is_cut_jpeg(content):
        raise VideoError(path, "the JPEG file is cut short")
    _check_claim(path, content)
    return content


def most_pixels(size: int) -> int:
    """Say how many pixels a file may claim for a picture before it counts as damaged."""
    return _ALWAYS + _PER_BYTE * size


def _check_claim(path: str | os.PathLike[str], content: bytes) -> None:
    """Refuse a header that claims far more than the file can hold: decoding would take minutes."""
    from PIL import Image as pillow

    try:
        with (
            warnings.catch_warnings(action="ignore"),  # Pillow warns of what is refused or read
            pillow.open(io.BytesIO(content)) as image,
        ):
            width, height = image.size
    except pillow.DecompressionBombError as error:
        cause = f"has more than {2 * (pillow.MAX_IMAGE_PIXELS or 0)} pixels"
        raise VideoError(path, cause, remedy="scale it down") from error
    except UNREADABLE:
        return  # OpenCV may know better
    if width * height > most_pixels(len(content)):
        cause = f"its header claims {width} x {height} pixels, {len(content)} bytes hold no such"
        raise VideoError(path, f"{cause} picture: damaged?")


def _decode(
    path: str | os.PathLike[str], content: bytes, flags: int = cv2.IMREAD_UNCHANGED, page: int = 0
) -> Image:
    """Decode a picture with the channels that it has, in 8 bit."""
    if _is_cut_png(content):  # of an animation, which Pillow reads, the frames before are whole
        raise VideoError(path, "the PNG file is cut short")
    try:
        image = _decoded(np.frombuffer(_without_animation(content), np.uint8), flags, page)
    except cv2.error as error:
        raise VideoError(path, f"cannot be decoded as a picture ({error.err})") from error
    if image is None:
        raise VideoError(path, "cannot be decoded as a picture (cut short, or another format)")
    if image.ndim == 3 and image.shape[2] in (1, 2):  # grey, grey with transparency
        image = image[..., 0]
    if image.ndim == 3 and image.shape[2] not in (3, 4):
        raise VideoError(path, f"a picture with {image.shape[2]} channels, 1 to 4 can be read")
    return np.ascontiguousarray(_checked_8_bit(path, np.asarray(image)))


def _decoded(content: Image, flags: int, page: int) -> npt.NDArray[Any] | None:
    if not page:
        return cv2.imdecode(content, flags)
    pages = cv2.imdecodemulti(content, flags, range=(page, page + 1))[1]
    return np.asarray(pages[0]) if pages else None


def _is_cut_jpeg(content: bytes) -> bool:
    """Find JPEGs without an end marker after their last scan; OpenCV 4 fills them up with grey."""
    return content.startswith(b"\xff\xd8") and content.rfind(b"\xff\xd9") < content.rfind(
        b"\xff\xda"
    )


def _is_cut_png(content: bytes) -> bool:
    """Find PNGs of which a part claims more bytes than there are: OpenCV 5 takes memory for it."""
    place = len(_PNG)
    if not content.startswith(_PNG):
        return False
    while place + 8 <= len(content) and content[place + 4 : place + 8] != b"IEND":
        place += 12 + int.from_bytes(content[place : place + 4], "big")
    return place > len(content)


def _without_animation(content: bytes) -> bytes:
    """Leave the still picture of a PNG: damage in an animated one may crash OpenCV 5."""
    if not content.startswith(_PNG) or b"acTL" not in content:
        return content
    place, kept = len(_PNG), [_PNG]
    while place + 8 <= len(content):
        end = place + 12 + int.from_bytes(content[place : place + 4], "big")
        if content[place + 4 : place + 8] not in (b"acTL", b"fcTL", b"fdAT"):
            kept.append(content[place:end])
        place = end
    return b"".join(kept)


def to_8_bit(image: npt.NDArray[np.uint16]) -> Image:
    """Convert values of 16 bits by as many bits as are in use, 8 or more: white stays white.

    Cameras of 9 to 15 bits leave the upper bits empty; divided by 257 their pictures would be
    black.
    """
    colours = image[..., :3] if image.ndim == 3 else image  # opaque would count as white
    bits = max(int(colours.max(initial=0)).bit_length(), 8)
    scaled = np.rint(image.astype(np.float32) / (((1 << bits) - 1) / 255))
    return np.asarray(np.minimum(scaled, 255), dtype=np.uint8)


def _checked_8_bit(path: str | os.PathLike[str], image: npt.NDArray[Any]) -> Image:
    if image.dtype == np.uint8:
        return image.astype(np.uint8, copy=False)
    if image.dtype == np.uint16:
        return to_8_bit(image)
    raise VideoError(path, f"pixels of type {image.dtype}; 8 and 16 bit can be read")
