"""Files of several pictures, pages of a TIFF or an animation, as the frames of a video."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator
from itertools import accumulate
from math import nan
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facetrack.errors import InputError, VideoError
from facetrack.formats.picture import ORIENTATION, UNREADABLE, page_reader, pages_of, picture_bytes
from facetrack.video.frame import ArrayPicture, Frame, Image
from facetrack.video.seeking import FrameCache
from facetrack.video.source import FALLBACK_RATE, ClosesItself, DecodeReport, checked_rate


class PictureStack(ClosesItself):
    """A TIFF of several pages or an animated PNG or WebP, of which any frame can be looked at.

    `rate` is pages per second (25); animations state their own times, and of stills they are NaN.
    `size` is that of the first picture, to which others are scaled. A cache may be shared with
    other readers. Raises VideoError if the file or its first picture cannot be read.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        rate: float | None = None,
        stills: bool = False,
        cache: FrameCache | None = None,
    ) -> None:
        path = Path(path)
        self.name, self.stills = path.name, stills
        self.report = DecodeReport()
        self._cache = FrameCache() if cache is None else cache
        self._pages, self._closed = pages_of(path), False
        rate = float(checked_rate(rate) or FALLBACK_RATE)
        self._read: Callable[[int], Image]
        if path.suffix.lower() in (".tif", ".tiff"):
            self._read, times = page_reader(path), [i / rate for i in range(len(self._pages) + 1)]
        else:
            animation = _Animation(path)
            self._read, times = animation.read, animation.times(len(self._pages))
        self._times, self.duration, self.n_frames = times[:-1], times[-1], len(times) - 1
        first = self._read(self._pages[0])
        self.size = first.shape[1], first.shape[0]

    def time(self, index: int) -> float:
        """Return the time of a picture in seconds, NaN of a still; raises InputError if none is."""
        if not 0 <= index < self.n_frames:
            raise InputError(f"{self.name}: frame {index} is none of {self.n_frames}")
        return nan if self.stills else self._times[index]

    def frame(self, index: int) -> Frame:
        """Give a picture; raises InputError if there is none, VideoError if it cannot be read."""
        time = self.time(index)
        known = self._cache.get(index)
        if known is None:
            image = self._read(self._pages[index])
            if (image.shape[1], image.shape[0]) != self.size:
                image = np.asarray(cv2.resize(image, self.size), dtype=np.uint8)
                self.report.note("pictures of another size were scaled to the first one's")
            known = Frame(index, time, ArrayPicture(image))
            self._cache.put(known)
        return known

    def __iter__(self) -> Iterator[Frame]:
        """Read the pictures from the first on; what cannot be read is noted and left out."""
        self.report, self._closed = DecodeReport(), False
        for index in range(self.n_frames):
            if self._closed:
                return
            try:
                frame = self.frame(index)
            except VideoError as error:
                self.report.undecodable += 1
                self.report.note(str(error))
                continue
            self.report.decoded += 1
            yield frame
        if self.n_frames < len(self._pages):
            self.report.undecodable += 1
            self.report.note(f"{self.name} breaks off after frame {self.n_frames}: cut short?")

    def close(self) -> None:
        """Forget the pictures that are kept; a running iteration ends."""
        self._closed = True
        self._cache.clear()


class _Animation:
    """The frames of an animation: each is made of those before it."""

    def __init__(self, path: Path) -> None:
        from PIL import Image as pillow
        from PIL import ImageOps

        self._path, self._content = path, picture_bytes(path)
        self._open, self._broken = pillow.open, (*UNREADABLE, pillow.DecompressionBombError)
        self._image: Any = None
        self._upright, self._orientation = ImageOps.exif_transpose, 1
        with contextlib.suppress(*self._broken):
            self._orientation = self._at(0).getexif().get(ORIENTATION, 1)

    def times(self, count: int) -> list[float]:
        """Return when each frame that can be read begins and the last one ends, in seconds."""
        shown = []
        with contextlib.suppress(*self._broken):  # behind a broken frame there is none
            for index in range(count):
                seconds = float(self._at(index).info.get("duration", 0)) / 1000
                shown.append(seconds or 1 / FALLBACK_RATE)
        return [0.0, *accumulate(shown)]

    def read(self, index: int) -> Image:
        """Return a frame, BGR; raises VideoError if it cannot be read."""
        try:
            image = self._at(index).convert("RGBA")
            image.getexif()[ORIENTATION] = self._orientation  # later frames do not all say it
            colours = np.asarray(self._upright(image), dtype=np.uint8)
        except self._broken as error:
            raise VideoError(self._path, f"frame {index} cannot be read ({error})") from error
        return np.ascontiguousarray(colours[..., 2::-1])

    def _at(self, index: int) -> Any:
        if self._image is None or index < self._image.tell():  # winding back confuses Pillow
            self._image = self._open(io.BytesIO(self._content))
        self._image.seek(index)
        self._image.load()
        return self._image
