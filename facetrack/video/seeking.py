"""Any frame of a video at once: the same frames that decoding from the start gives, by number."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from dataclasses import replace
from typing import Final, Protocol

from facetrack.video.frame import Frame
from facetrack.video.images import ImageFolder

CACHE: Final = 120_000_000  # bytes: 38 decoded frames of 1920 x 1080, 110 of 1138 x 640


class SeekableVideo(Protocol):
    """A video of which any frame can be looked at. It serves one thread.

    Frame i is the one that iterating over `open_source` gives as number i, with the same pixels
    and the same time; broken pictures of a folder, which that leaves out, raise `VideoError`.
    """

    @property
    def name(self) -> str:
        """The file's name."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels of the first frame, as displayed."""

    @property
    def pixel_aspect(self) -> float:
        """Width of a pixel by its height, as displayed."""

    @property
    def n_frames(self) -> int:
        """Number of frames."""

    def time(self, index: int) -> float:
        """Seconds of a frame, as `Frame.timestamp` has them."""

    def frame(self, index: int) -> Frame:
        """Give a frame by its number from 0."""

    def close(self) -> None:
        """Let go of the file."""


class FrameCache:
    """The frames that were used last, as decoded; what is made of them is not kept. Thread-safe.

    `limit` is the most bytes that are kept, though always the last frame.
    """

    def __init__(self, limit: int = CACHE) -> None:
        self._limit, self._lock = limit, threading.Lock()
        self._frames: OrderedDict[int, Frame] = OrderedDict()
        self.nbytes = 0

    def get(self, index: int) -> Frame | None:
        """Return a frame if it is there, else None."""
        with self._lock:
            frame = self._frames.get(index)
            if frame is None:
                return None
            self._frames.move_to_end(index)
        return replace(frame)

    def put(self, frame: Frame) -> None:
        """Keep a frame; those that were not used for longest go."""
        kept = replace(frame)  # without what was made of it
        with self._lock:
            self._drop(self._frames.pop(frame.index, None))
            self._frames[frame.index] = kept
            self.nbytes += kept.picture.nbytes
            while self.nbytes > self._limit and len(self._frames) > 1:
                self._drop(self._frames.popitem(last=False)[1])

    def clear(self) -> None:
        """Forget all frames."""
        with self._lock:
            self._frames.clear()
            self.nbytes = 0

    def _drop(self, frame: Frame | None) -> None:
        self.nbytes -= frame.picture.nbytes if frame is not None else 0


class SeekableFolder(ImageFolder):
    """An `ImageFolder` of which any picture can be looked at; its cache may be shared."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        rate: float | None = None,
        stills: bool = False,
        cache: FrameCache | None = None,
    ) -> None:
        self._cache = FrameCache() if cache is None else cache
        super().__init__(path, rate=rate, stills=stills)

    def frame(self, index: int) -> Frame:
        """Give a picture; raises InputError if there is none, VideoError if it cannot be read."""
        known = self._cache.get(index)
        if known is None:
            known = self.read(index)
            self._cache.put(known)
        return known

    def close(self) -> None:
        """Forget the pictures that are kept."""
        self._cache.clear()
