"""Any frame of a video at once: the same frames that decoding from the start gives, by number."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from typing import Final, Protocol

from facetrack.errors import InputError, VideoError
from facetrack.formats.picture import read_bgr
from facetrack.video.frame import ArrayPicture, Frame
from facetrack.video.images import ImageFolder
from facetrack.video.source import ClosesItself

CACHE: Final = 150_000_000  # bytes: 48 decoded frames of 1920 x 1080, 137 of 1138 x 640


class SeekableVideo(Protocol):
    """A video of which any frame can be looked at. It serves one thread.

    Frame i is the one that iterating over `open_source` gives as number i, with the same pixels
    and the same time.
    """

    @property
    def name(self) -> str:
        """The file's name."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels of the first frame, as displayed."""

    @property
    def n_frames(self) -> int:
        """Number of frames."""

    def time(self, index: int) -> float:
        """Seconds of a frame since the first one."""

    def frame(self, index: int) -> Frame:
        """Give a frame by its number from 0."""

    def close(self) -> None:
        """Let go of the file."""


class FrameCache:
    """The frames that were used last, as they were decoded: what is made of them is not kept.

    Several readers of one video may share it, each in a thread of its own.

    Parameters
    ----------
    limit : int
        Bytes that are kept at most, though always the last frame.
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
        return Frame(index, frame.timestamp, frame.picture)

    def put(self, frame: Frame) -> None:
        """Keep a frame; those that were not used for longest go."""
        kept = Frame(frame.index, frame.timestamp, frame.picture)
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


class SeekableFolder(ClosesItself):
    """A folder of pictures, or a single picture.

    Parameters
    ----------
    path : path-like
        See `ImageFolder`.
    rate : float
        Pictures per second.
    cache : FrameCache, optional
        Shared with other readers of this folder; else one of its own.

    Notes
    -----
    Broken pictures have no number, as in `ImageFolder`. Which are broken is known only when they
    have been read, so a picture is given only after all before it have been read once.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        rate: float = 25.0,
        cache: FrameCache | None = None,
    ) -> None:
        folder = ImageFolder(path, rate=rate)
        self.name, self.size = folder.name, folder.size
        self._paths, self._rate = folder.paths, rate
        self._good: list[int] = []  # places of the readable pictures, as far as read
        self._read = 0
        self._cache = FrameCache() if cache is None else cache

    @property
    def n_frames(self) -> int:
        """Number of pictures; those that are broken and not yet met are still counted."""
        return len(self._good) + len(self._paths) - self._read

    def time(self, index: int) -> float:
        """Give the time of a picture.

        Parameters
        ----------
        index : int
            From 0.

        Returns
        -------
        float
            Seconds.

        Raises
        ------
        InputError
            If there is no such picture.
        """
        self._read_up_to(index)
        return self._good[index] / self._rate

    def frame(self, index: int) -> Frame:
        """Give a picture.

        Parameters
        ----------
        index : int
            From 0.

        Returns
        -------
        Frame

        Raises
        ------
        InputError
            If there is no such picture.
        VideoError
            If the picture has gone since it was first read.
        """
        self._read_up_to(index)
        known = self._cache.get(index)
        if known is not None:
            return known
        place = self._good[index]
        picture = ArrayPicture(read_bgr(self._paths[place]))
        frame = Frame(index, place / self._rate, picture)
        self._cache.put(frame)
        return frame

    def close(self) -> None:
        """Forget the pictures that are kept."""
        self._cache.clear()

    def _read_up_to(self, index: int) -> None:
        while len(self._good) <= index and self._read < len(self._paths):
            place = self._read
            self._read += 1
            try:
                picture = ArrayPicture(read_bgr(self._paths[place]))
            except VideoError:
                continue
            self._good.append(place)
            self._cache.put(Frame(len(self._good) - 1, place / self._rate, picture))
        if not 0 <= index < len(self._good):
            raise InputError(f"{self.name}: frame {index} is none of {len(self._good)}")
