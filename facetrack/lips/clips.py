"""Mouths over time: the crops of a stretch, 25 a second, and their file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError
from facetrack.features.pixels import Image
from facetrack.formats.archive import Arrays, checksum, read_archive, write_archive

RATE: Final = 25.0  # frames a second of all that is learned and read here
SIDE: Final = 96  # px
_KIND: Final = "facetrack mouth clip"


@dataclass(frozen=True, slots=True, eq=False)
class LipFrame:
    """The mouth at one of the 25 moments of a second."""

    timestamp: float  # seconds: of the moment, not of the frame that is nearest to it
    pixels: Annotated[Image, (SIDE, SIDE)] | None
    points: Annotated[npt.NDArray[np.float32], (20, 2)]  # landmarks 48 to 67 in pixels of the crop
    tracked: bool  # or else the landmarks are interpolated
    begins: bool  # a stretch: the first one, or the first after a gap of more than 12


@dataclass(frozen=True, slots=True, eq=False)
class LipClip:
    """The mouth over a clip, 25 frames a second."""

    pixels: npt.NDArray[np.uint8]  # (T, 96, 96)
    points: npt.NDArray[np.float32]  # (T, 20, 2), landmarks 48 to 67 in pixels of the crop
    tracked: npt.NDArray[np.bool_]  # (T,)
    start: float  # seconds of the first frame on the clip's own time line
    source: str  # the clip's name

    def __len__(self) -> int:
        return len(self.pixels)

    @classmethod
    def of(cls, frames: Sequence[LipFrame], source: str) -> LipClip:
        """Put the frames of one stretch together: not empty, all with pixels."""
        return cls(
            np.stack([frame.pixels for frame in frames if frame.pixels is not None]),
            np.stack([frame.points for frame in frames]),
            np.array([frame.tracked for frame in frames]),
            frames[0].timestamp,
            source,
        )

    def frames(self) -> Iterator[LipFrame]:
        """Yield the frames one by one, as they came; the first one begins a stretch."""
        for number, (pixels, points) in enumerate(zip(self.pixels, self.points, strict=True)):
            time = self.start + number / RATE
            yield LipFrame(time, pixels, points, bool(self.tracked[number]), not number)

    def part(self, first: int, stop: int) -> LipClip:
        """Cut out the frames from `first` to before `stop`; the arrays are views."""
        return LipClip(
            self.pixels[first:stop],
            self.points[first:stop],
            self.tracked[first:stop],
            self.start + first / RATE,
            self.source,
        )

    def write(self, path: Path) -> None:
        """Write its file: beside, then renamed."""
        arrays: Arrays = {"data": self.pixels, "points": self.points, "tracked": self.tracked}
        about = {"rate": RATE, "start": self.start, "source": self.source}
        write_archive(path, arrays, about, kind=_KIND, schema=1)

    @classmethod
    def read(cls, path: Path) -> LipClip:
        """Read what `write` wrote; a `FormatError` refuses another frame rate, too."""
        arrays, meta = read_archive(path, kind=_KIND, schema=1)
        if meta["checksum"] != checksum(arrays):
            raise FormatError(path, "the checksum does not match", remedy="prepare the clip again")
        if meta["rate"] != RATE:
            raise FormatError(path, f"{meta['rate']} frames a second", remedy="prepare it again")
        data = arrays["data"]
        return cls(data, arrays["points"], arrays["tracked"], meta["start"], meta["source"])


def stretches(frames: Iterable[LipFrame]) -> Iterator[list[LipFrame]]:
    """Divide frames where a face was lost for longer than is bridged; no stretch is empty."""
    stretch: list[LipFrame] = []
    for frame in frames:
        if frame.begins and stretch:
            yield stretch
            stretch = []
        stretch.append(frame)
    if stretch:
        yield stretch
