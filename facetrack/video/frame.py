"""One frame of a video: when it was seen, its grey values and its colours."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.formats.picture import as_bgr
from facetrack.video.square import Stretch, stretch_of

Image = npt.NDArray[np.uint8]


class Picture(Protocol):
    """Something that can be looked at in grey and in colour."""

    @property
    def nbytes(self) -> int:
        """Bytes that it holds."""

    def grey(self) -> Image:
        """Return the grey values, shape (H, W), uint8, full range, C-contiguous."""

    def bgr(self) -> Image:
        """Return the colours, shape (H, W, 3), uint8 BGR, C-contiguous."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame of a video; points are in its pixels as they are, whatever their aspect."""

    index: int  # among the decoded frames; of a folder, among all pictures, broken or not
    timestamp: float  # seconds of the file (a camera: since its first frame); NaN of a still
    picture: Picture = field(repr=False)
    name: str = ""  # of a picture's file; empty of a video's frame
    aspect: float = 1.0  # width of a pixel by its height
    _converted: dict[str, Image] = field(default_factory=dict, init=False, repr=False)
    _square: list[Frame] = field(default_factory=list, init=False, repr=False)

    @property
    def grey(self) -> Image:
        """Grey values, shape (H, W), uint8, C-contiguous, read-only; converted once."""
        return self._cached("grey")

    @property
    def image(self) -> Image:
        """Colours, shape (H, W, 3), uint8 BGR, C-contiguous, read-only; converted once."""
        return self._cached("bgr")

    @property
    def square(self) -> Frame:
        """The frame in square pixels, in which heads have their true form; often itself."""
        if self.aspect == 1:
            return self
        if not self._square:
            picture = _Stretched(self, stretch_of(self.aspect))
            self._square.append(Frame(self.index, self.timestamp, picture, self.name))
        return self._square[0]

    def _cached(self, kind: str) -> Image:
        # Most frames are only looked at in grey: converting to colour costs more than decoding.
        image = self._converted.get(kind)
        if image is None:
            image = getattr(self.picture, kind)()
            image.setflags(write=False)
            self._converted[kind] = image
        return image


@dataclass(frozen=True, slots=True, eq=False)
class ArrayPicture:
    """A picture in memory, (H, W, 3) BGR."""

    image: Image

    @property
    def nbytes(self) -> int:
        """Bytes of the array."""
        return self.image.nbytes

    def grey(self) -> Image:
        """Return the grey values: 0.299 R + 0.587 G + 0.114 B."""
        return np.asarray(cv2.cvtColor(self.image, cv2.COLOR_BGR2GRAY), dtype=np.uint8)

    def bgr(self) -> Image:
        """Return the colours; no copy if they lie contiguous in memory."""
        return np.ascontiguousarray(self.image).view()


@dataclass(frozen=True, slots=True, eq=False)
class _Stretched:
    """A frame's picture in square pixels."""

    frame: Frame
    stretch: Stretch

    @property
    def nbytes(self) -> int:
        return self.frame.picture.nbytes

    def grey(self) -> Image:
        return self.stretch.picture(self.frame.grey)

    def bgr(self) -> Image:
        return self.stretch.picture(self.frame.image)


def frame_of(image: npt.ArrayLike, *, index: int = 0, timestamp: float = 0.0) -> Frame:
    """Make a frame from a grey, BGR or BGRA picture in memory; raises InputError, see `as_bgr`."""
    return Frame(index, timestamp, ArrayPicture(as_bgr(image)))
