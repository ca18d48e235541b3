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
    """Return a user's rate of frames, if any; raises InputError if it is not positive."""
    if rate is not None and not 0 < rate < math.inf:
        raise InputError(f"the rate must be a positive number of frames a second, got {rate}")
    return rate


@dataclass(slots=True)
class DecodeReport:
    """What became of a video's frames; complete when the iteration has ended."""

    decoded: int = 0  # equals `ffprobe -count_frames`
    repeated: int = 0  # frames whose time stamp was not later than that before
    undecodable: int = 0  # packets, pictures or grabs that gave an error
    notes: list[str] = field(default_factory=list)  # what else was seen, each once

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
