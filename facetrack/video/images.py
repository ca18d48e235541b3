"""Folders of pictures: frames of a video, or each picture by itself."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from math import nan
from pathlib import Path

from facetrack.errors import InputError, VideoError
from facetrack.formats.picture import SUFFIXES, pages_of, picture_size, read_bgr
from facetrack.video.frame import ArrayPicture, Frame
from facetrack.video.source import FALLBACK_RATE, ClosesItself, DecodeReport, checked_rate

LOGGER = logging.getLogger(__name__)


class ImageFolder(ClosesItself):
    """The pictures of a folder in the natural order of their names, or a single picture.

    Every picture keeps its number and its time (number / rate, NaN of stills), also behind a broken
    one. Pictures are turned as their files say (EXIF): points lie in what viewers show. `size` is
    that of the first readable picture; others may differ. Raises VideoError if no picture can be
    read.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, rate: float | None = None, stills: bool = False
    ) -> None:
        path = Path(path)
        self._rate, self._closed = float(checked_rate(rate) or FALLBACK_RATE), False
        self.name, self.stills = path.name, stills
        self.report = DecodeReport()
        self._paths = _pictures(path)
        self.names = tuple(p.name for p in self._paths)
        self.n_frames = len(self._paths)
        self.duration = self.n_frames / self._rate
        first = next(iter(self), None)
        if first is None:
            cause = f"no picture of {self.n_frames} can be read"
            raise VideoError(path, cause, remedy="; ".join(self.report.notes[:1]))
        self.size = (first.image.shape[1], first.image.shape[0])
        self.report = DecodeReport()

    def time(self, index: int) -> float:
        """Return a picture's time in seconds, NaN of a still; raises InputError if none is."""
        if not 0 <= index < self.n_frames:
            raise InputError(f"{self.name}: frame {index} is none of {self.n_frames}")
        return nan if self.stills else index / self._rate

    def size_of(self, index: int) -> tuple[int, int]:
        """Return width and height of a picture from its header; raises InputError, VideoError."""
        self.time(index)
        return picture_size(self._paths[index])

    def read(self, index: int) -> Frame:
        """Read a picture; raises InputError if there is none, VideoError if it cannot be read."""
        time = self.time(index)
        image = read_bgr(self._paths[index], upright=True)
        return Frame(index, time, ArrayPicture(image), self.names[index])

    def __iter__(self) -> Iterator[Frame]:
        """Read the pictures from the first on; what cannot be read is noted and left out."""
        return self.since(0)

    def since(self, first: int) -> Iterator[Frame]:
        """Read the pictures from one on."""
        self.report, self._closed = DecodeReport(), False
        for index in range(first, self.n_frames):
            if self._closed:
                return
            try:
                frame = self.read(index)
            except VideoError as error:
                self.report.undecodable += 1
                self.report.note(str(error))
                LOGGER.warning("%s", error)
                continue
            self.report.decoded += 1
            if (further := len(pages_of(self._paths[index])) - 1) > 0:
                self.report.note(f"{frame.name}: {further} further pages left out")
            yield frame

    def close(self) -> None:
        """End a running iteration."""
        self._closed = True


def holds_pictures(path: Path) -> bool:
    """Return whether a path means pictures: a folder, or a file whose name ends so."""
    return path.is_dir() or path.suffix.lower() in SUFFIXES


def is_stack(path: Path) -> bool:
    """Return whether a file holds several pictures, as animations and TIFFs of pages do."""
    return path.is_file() and len(pages_of(path)) > 1


def _pictures(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    try:
        with os.scandir(path) as entries:
            found = [
                path / e.name
                for e in entries
                if Path(e.name).suffix.lower() in SUFFIXES and e.is_file()
            ]
    except FileNotFoundError as error:
        raise VideoError(
            path, "there is no such file or folder", remedy="check the name"
        ) from error
    except OSError as error:
        raise VideoError(path, f"cannot be listed ({error.strerror})") from error
    if not found:
        kinds = ", ".join(SUFFIXES)
        raise VideoError(path, "the folder holds no pictures", remedy=f"these are read: {kinds}")
    return sorted(found, key=_natural)


def _natural(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    """Order frame_2 before frame_10."""
    parts = re.split(r"([0-9]+)", path.name)
    keys = [(0, int(p), "") if p.isdecimal() and p.isascii() else (1, 0, p.lower()) for p in parts]
    return keys, path.name
