"""Decoded frames: the luma plane read directly, and the rotation that phones note in the file."""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import av
import cv2
import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.video.reformatter import VideoReformatter

from facetrack.formats.picture import to_8_bit
from facetrack.video.frame import Image

# 8-bit formats whose first plane is luma. What is not listed goes through FFmpeg's scaler.
LUMA_FIRST: Final = frozenset(
    [f"yuv{kind}p" for kind in ("410", "411", "420", "422", "440", "444")]
    + [f"yuvj{kind}p" for kind in ("411", "420", "422", "440", "444")]
    + [f"yuva{kind}p" for kind in ("420", "422", "444")]
    + ["nv12", "nv16", "nv21", "nv24", "nv42", "gray"]
)
_WIDE: Final = ("gray16le", "gray16be")  # cameras of 9 to 15 bits leave the upper ones empty
FULL_RANGE: Final = 2  # AVCOL_RANGE_JPEG

# Limited range keeps luma in 16..235; FFmpeg's scaler stretches it to 0..255 by the same formula.
_BLACK: Final = 16.0
_STRETCH: Final = 255 / 219


class Orientation(NamedTuple):
    """How stored pixels become the displayed picture: transposed first, then mirrored."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    def apply(self, image: Image) -> Image:
        """Turn an image, shape (H, W[, 3]); the result is C-contiguous."""
        if self.transpose:
            image = image.swapaxes(0, 1)
        return np.ascontiguousarray(image[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1])


def orientation(frame: av.VideoFrame) -> Orientation:
    """Read the display matrix of a frame."""
    # Not `frame.side_data`: both would keep each other alive until the collector comes.
    data = SideDataContainer.__new__(SideDataContainer)
    # PyAV ends the list at data that it has no name for, as EXIF; the matrix comes before that.
    with contextlib.suppress(ValueError):
        data.__init__(frame)  # type: ignore[misc]
    entry = data.get("DISPLAYMATRIX")
    if entry is None:
        return _turned(frame.rotation)  # mirrors are not known there
    a, b, _, c, d = (int(v) for v in np.frombuffer(entry, dtype=np.int32, count=5))
    return _oriented(a, b, c, d)


def _turned(degrees: int) -> Orientation:
    """Turn counter-clockwise, as FFmpeg says of a display matrix."""
    x, y = np.rint([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))]).astype(int).tolist()
    return _oriented(x, -y, y, x)


def _oriented(a: int, b: int, c: int, d: int) -> Orientation:
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(True, c < 0, b < 0)
    return Orientation(False, a < 0, d < 0)


def leave_pool(frame: av.VideoFrame) -> None:
    """Move a frame's pixels out of its decoder's pool, so that it can be kept for long.

    A pool never shrinks: where the decoders of several threads fill one cache, each pool grew to
    the cache's size. Frames that cannot be moved (an old PyAV) stay where they are.
    """
    try:
        held = frame.planes[0].__dlpack__()
    except (AttributeError, NotImplementedError, TypeError, ValueError):
        return
    frame.make_writable()  # copies, because its pixels are held twice
    del held


@dataclass(frozen=True, slots=True, eq=False)
class DecodedPicture:
    """A frame as the decoder gave it, converted on demand."""

    frame: Any  # av.VideoFrame, which keeps the decoder's buffer alive
    turn: Orientation  # from stored to displayed pixels
    fit: tuple[int, int] | None = None  # width, height to which other sizes are scaled

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels as displayed, before scaling."""
        width, height = self.frame.width, self.frame.height
        return (height, width) if self.turn.transpose else (width, height)

    @property
    def nbytes(self) -> int:
        """Bytes of the decoder's buffers."""
        return sum(plane.buffer_size for plane in self.frame.planes)

    def grey(self) -> Image:
        """Return the luma in full range: what FFmpeg's scaler gives, at a fraction of its time."""
        return self._fitted(self._grey())

    def bgr(self) -> Image:
        """Return the colours, converted by FFmpeg's scaler."""
        if self.frame.format.name in _WIDE:
            return np.asarray(cv2.cvtColor(self.grey(), cv2.COLOR_GRAY2BGR), dtype=np.uint8)
        return self._fitted(self.turn.apply(_scaled(self.frame, "bgr24")))

    def _fitted(self, image: Image) -> Image:
        if self.fit is None or self.fit == self.size:
            return image
        width, height = self.size
        shrinks = self.fit[0] * self.fit[1] < width * height
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(image, self.fit, interpolation=how), dtype=np.uint8)

    def _grey(self) -> Image:
        frame = self.frame
        name = frame.format.name
        plane = frame.planes[0]
        if name in _WIDE:
            return self.turn.apply(to_8_bit(frame.to_ndarray()))
        if name not in LUMA_FIRST or plane.line_size < frame.width:
            return self.turn.apply(_scaled(frame, "gray"))
        rows = np.frombuffer(plane, np.uint8, count=frame.height * plane.line_size)
        luma = rows.reshape(frame.height, plane.line_size)[:, : frame.width]
        if name.startswith(("yuvj", "gray")) or frame.color_range == FULL_RANGE:
            # A copy: the buffer goes back to the decoder when the frame does.
            return self.turn.apply(luma.copy())
        # Two passes that saturate, in one buffer: half the time of a look-up table
        above = cv2.subtract(luma, _BLACK)  # type: ignore[call-overload]
        return self.turn.apply(
            np.asarray(cv2.convertScaleAbs(above, dst=above, alpha=_STRETCH), dtype=np.uint8)
        )


class _Scalers(threading.local):
    """FFmpeg's scalers of one thread, by the format that they give."""

    def __init__(self) -> None:
        self.of: defaultdict[str, VideoReformatter] = defaultdict(VideoReformatter)
        self.last: Any = None


_SCALERS: Final = _Scalers()


def _scaled(frame: Any, kind: str) -> Image:
    """Convert with the thread's own scaler: PyAV would make one for each frame, with threads."""
    scaled = _SCALERS.of[kind].reformat(frame, format=kind, threads=1)
    # Kept until the next one comes: memory given back and taken anew costs more than converting.
    _SCALERS.last = scaled
    return np.asarray(scaled.to_ndarray(), dtype=np.uint8)
