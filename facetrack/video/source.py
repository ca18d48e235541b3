"""What every source of frames has in common."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol, Self

from facetrack.errors import InputError
from facetrack.video.frame import Frame

FALLBACK_RATE: Final = 25  # frames per second of what states neither rate nor times


def checked_rate(rate: float | None) -> float | None:
    """Check what a user says of the rate of frames.

    Parameters
    ----------
    rate : float or None
        Frames per second; None where nothing is said.

    Returns
    -------
    float or None
        The same.

    Raises
    ------
    InputError
        If it is not a positive number.
    """
    if rate is not None and not 0 < rate < math.inf:
        raise InputError(f"the rate must be a positive number of frames a second, got {rate}")
    return rate


@dataclass(slots=True)
class DecodeReport:
    """What became of a video's frames; complete when the iteration has ended.

    Attributes
    ----------
    decoded : int
        Frames that came out; equal to ffprobe's count (`ffprobe -count_frames`).
    repeated : int
        Decoded frames without a time of their own: the file's time stamp was not later than that
        of the frame before.
    undecodable : int
        Packets, pictures or grabs that gave an error instead of a frame.
    notes : list of str
        What else was seen, in words, each once: a file that ends too early, times that are missing.
    """

    decoded: int = 0
    repeated: int = 0
    undecodable: int = 0
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> bool:
        """Add a note if it is new; return whether it was."""
        if text in self.notes:
            return False
        self.notes.append(text)
        return True


class VideoSource(Protocol):
    """An iterable of frames, in the order in which they are to be shown."""

    @property
    def name(self) -> str:
        """Name for messages and output files: the file's name, the camera's path."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels of the frames as displayed (after rotation)."""

    @property
    def pixel_aspect(self) -> float:
        """Width of a pixel by its height, as displayed."""

    @property
    def n_frames(self) -> int | None:
        """Number of frames as far as known beforehand: an estimate, for progress only."""

    @property
    def duration(self) -> float | None:
        """Seconds until the end as far as known beforehand."""

    @property
    def report(self) -> DecodeReport:
        """What became of the frames in the current or last iteration."""

    def __iter__(self) -> Iterator[Frame]:
        """Start from the first frame (a camera: from now)."""

    def close(self) -> None:
        """Let go of files and devices; a running iteration ends."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


class ClosesItself:
    """What all sources share: the context manager, and square pixels unless they say otherwise."""

    pixel_aspect = 1.0

    def close(self) -> None:
        """Let go of files and devices; a running iteration ends."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
