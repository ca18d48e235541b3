"""A folder of pictures as a video."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

from facetrack.errors import InputError, VideoError
from facetrack.formats.picture import SUFFIXES, read_bgr
from facetrack.video.frame import ArrayPicture, Frame
from facetrack.video.source import ClosesItself, DecodeReport

LOGGER = logging.getLogger(__name__)


class ImageFolder(ClosesItself):
    """The pictures of a folder in the natural order of their names, or a single picture.

    Parameters
    ----------
    path : path-like
        A folder, or a picture.
    rate : float
        Pictures per second: picture i of the folder is at i / rate, also when others are broken.

    Attributes
    ----------
    name : str
        The folder's or the picture's name.
    size : tuple of int
        Width and height in pixels of the first readable picture; others may differ.
    n_frames : int
        Number of pictures.
    duration : float
        Seconds.
    report : DecodeReport
        Of the current or last iteration; broken pictures count as undecodable.
    paths : list of Path
        The pictures in their order.

    Raises
    ------
    VideoError
        If there is no picture, or none that can be read.
    InputError
        If the rate is not positive.
    """

    def __init__(self, path: str | os.PathLike[str], *, rate: float = 25.0) -> None:
        if not rate > 0:
            raise InputError(f"pictures per second must be positive, got {rate}")
        path = Path(path)
        self._rate, self._closed = float(rate), False
        self.name = path.name
        self.report = DecodeReport()
        self.paths = _pictures(path)
        self.n_frames = len(self.paths)
        self.duration = self.n_frames / self._rate
        first = next(iter(self), None)
        if first is None:
            cause = f"none of its {self.n_frames} pictures can be read"
            raise VideoError(path, cause, remedy="; ".join(self.report.notes[:1]))
        self.size = (first.image.shape[1], first.image.shape[0])
        self.report = DecodeReport()

    def __iter__(self) -> Iterator[Frame]:
        """Read the pictures from the first on; what cannot be read is noted and left out."""
        self.report, self._closed = DecodeReport(), False
        for place, path in enumerate(self.paths):
            if self._closed:
                return
            try:
                image = read_bgr(path)
            except VideoError as error:
                self.report.undecodable += 1
                self.report.note(str(error))
                LOGGER.warning("%s", error)
                continue
            self.report.decoded += 1
            yield Frame(self.report.decoded - 1, place / self._rate, ArrayPicture(image))

    def close(self) -> None:
        """End a running iteration."""
        self._closed = True


def _pictures(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    try:
        found = [p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file()]
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
