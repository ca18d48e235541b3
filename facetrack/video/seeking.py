"""Any frame of a video at once: the same frames that decoding from the start gives, by number."""

from __future__ import annotations

import os
from collections import OrderedDict
from typing import Final, Protocol

from facetrack.errors import InputError, VideoError
from facetrack.formats.picture import read_bgr
from facetrack.video.frame import ArrayPicture, Frame
from facetrack.video.images import ImageFolder
from facetrack.video.source import ClosesItself

CACHE: Final = 48  # frames: some stepping back and forth, 130 MB at 1280 x 720 in colour


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
    """The frames that were used last.

    Parameters
    ----------
    size : int
        How many are kept.
    """

    def __init__(self, size: int = CACHE) -> None:
        self._size = size
        self._frames: OrderedDict[int, Frame] = OrderedDict()

    def get(self, index: int) -> Frame | None:
        """Give a frame if it is there."""
        frame = self._frames.get(index)
        if frame is not None:
            self._frames.move_to_end(index)
        return frame

    def put(self, frame: Frame) -> None:
        """Keep a frame; the one that was not used for longest goes."""
        self._frames[frame.index] = frame
        self._frames.move_to_end(frame.index)
        while len(self._frames) > self._size:
            self._frames.popitem(last=False)

    def clear(self) -> None:
        """Forget all frames."""
        self._frames.clear()


class SeekableFolder(ClosesItself):
    """A folder of pictures, or a single picture.

    Parameters
    ----------
    path : path-like
        See `ImageFolder`.
    rate : float
        Pictures per second.

    Notes
    -----
    Broken pictures have no number, as in `ImageFolder`. Which are broken is known only when they
    have been read, so a picture is given only after all before it have been read once.
    """

    def __init__(self, path: str | os.PathLike[str], *, rate: float = 25.0) -> None:
        folder = ImageFolder(path, rate=rate)
        self.name, self.size = folder.name, folder.size
        self._paths, self._rate = folder.paths, rate
        self._good: list[int] = []  # places of the readable pictures, as far as read
        self._read = 0
        self._cache = FrameCache()

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
