"""Video files, decoded by FFmpeg through PyAV."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import av

from facetrack.errors import VideoError
from facetrack.video.decoding import REMEDY, decode, is_cover, open_container, video_stream
from facetrack.video.frame import Frame
from facetrack.video.planes import DecodedPicture, orientation
from facetrack.video.source import ClosesItself, DecodeReport, checked_rate
from facetrack.video.square import checked_aspect
from facetrack.video.timeline import StreamClock, own_end, rate_of, sound_reaches, zero_of

LOGGER = logging.getLogger(__name__)

END_TOLERANCE: Final = 1.0  # seconds: containers round, and a last frame may stand for a while


class FileSource(ClosesItself):
    """A video file, anything that FFmpeg reads; playlists that name other files are refused.

    `rate` is of a raw stream, which states no times; else what its header says, else 25. `size` and
    `pixel_aspect` (width by height) are as displayed, after the rotation that phones note in the
    file; `n_frames` is the container's own count or an estimate, `duration` in seconds from the
    file's zero. Raises VideoError if the file is missing, is no video, or no frame of it can be
    decoded.
    """

    def __init__(self, path: str | os.PathLike[str], *, rate: float | None = None) -> None:
        self._path, self._rate = Path(path), checked_rate(rate)
        self._running: list[Any] = []
        self.name = self._path.name
        self.report = DecodeReport()
        with contextlib.closing(open_container(self._path)) as container:
            stream = video_stream(self._path, container)
            zero = zero_of(container)
            self._own_end = own_end(stream, zero)
            whole = container.duration / av.time_base if container.duration else None
            self.duration = self._own_end or whole
            start = float((stream.start_time or 0) * (stream.time_base or 0) - zero)
            length = (self.duration or 0.0) - max(start, 0.0)
            estimate = round(length * rate_of(container, stream, rate)) if length > 0 else None
            # A broken header may claim thousands of millions; a frame takes a byte at least.
            stated = stream.frames if stream.frames <= self._path.stat().st_size else 0
            self.n_frames: int | None = stated or estimate
            self._notes = _left_out(container, stream)
            first = next(decode(self._path, container, stream, DecodeReport()), None)
            if first is None:
                raise VideoError(self._path, "no frame can be decoded", remedy=REMEDY)
            turn = orientation(first)
            self.size = DecodedPicture(first, turn).size
            aspect = checked_aspect(float(stream.sample_aspect_ratio or 1))
            self.pixel_aspect = 1 / aspect if turn.transpose else aspect
            if aspect != 1:
                self._notes.append(
                    f"pixels are {self.pixel_aspect:.4g} times as wide as high: faces were fitted "
                    "in square ones, points are in those of the file"
                )

    def __iter__(self) -> Iterator[Frame]:
        """Decode from the first frame to the last.

        Times are the file's own, as its sound has them; see `zero_of` for where they count from and
        `StreamClock` for files that state none or go backwards.
        """
        self.report = report = DecodeReport()
        report.notes.extend(self._notes)
        container = open_container(self._path)
        self._running.append(container)
        try:
            stream = video_stream(self._path, container)
            stream.thread_type = "AUTO"
            clock = StreamClock(container, stream, report, self.name, rate=self._rate)
            for decoded in decode(self._path, container, stream, report):
                picture = DecodedPicture(decoded, orientation(decoded), self.size)
                if picture.size != self.size:
                    report.note(_resized(picture.size, self.size))
                report.decoded += 1
                time = clock.time_of(decoded)
                yield Frame(report.decoded - 1, time, picture, aspect=self.pixel_aspect)
                if container not in self._running:
                    return
            self._compare_end(clock.now, report)
        finally:
            if container in self._running:
                self._running.remove(container)
                container.close()

    def close(self) -> None:
        """Close the file; running iterations end after the frame they are at."""
        while self._running:
            self._running.pop().close()

    def _compare_end(self, last: float, report: DecodeReport) -> None:
        if self.duration is None or self.duration - last <= END_TOLERANCE:
            return
        if self._own_end is None:  # the whole file's end may be that of its sound
            with contextlib.closing(open_container(self._path)) as container:
                if sound_reaches(container, self.duration - END_TOLERANCE):
                    return
        text = f"the last frame is at {last:.2f} s of {self.duration:.2f} s: cut short?"
        report.note(text)
        LOGGER.warning("%s: %s", self.name, text)


def _left_out(container: Any, stream: Any) -> list[str]:
    """Say which stream was taken where there are several; pictures of a cover are none."""
    others = [s for s in container.streams.video if s.index != stream.index and not is_cover(s)]
    if not others:
        return []
    width, height = stream.codec_context.width, stream.codec_context.height
    number = [s.index for s in container.streams.video].index(stream.index) + 1
    return [
        f"video stream {number} of {len(container.streams.video)} was read ({width} x {height}), "
        f"{len(others)} left out"
    ]


def _resized(size: tuple[int, int], first: tuple[int, int]) -> str:
    """Say that pictures have another size than the first one."""
    (width, height), (wide, high) = size, first
    return f"pictures of {width} x {height} were scaled to the first one's {wide} x {high}"
