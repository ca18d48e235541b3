"""Video files, decoded by FFmpeg through PyAV."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av

from facetrack.errors import VideoError
from facetrack.video.decoding import REMEDY, decode, open_container, video_stream
from facetrack.video.frame import Frame
from facetrack.video.planes import DecodedPicture, orientation
from facetrack.video.source import ClosesItself, DecodeReport

LOGGER = logging.getLogger(__name__)

FALLBACK_RATE: Final = Fraction(25)  # frames per second of streams that state neither rate nor time
END_TOLERANCE: Final = 1.0  # seconds: containers round, and a last frame may stand for a while


class FileSource(ClosesItself):
    """A video file.

    Parameters
    ----------
    path : path-like
        Anything that FFmpeg reads. Only this file is opened: playlists that name other files or
        addresses are refused.

    Attributes
    ----------
    name : str
        The file's name.
    size : tuple of int
        Width and height in pixels as displayed, after the rotation that phones note in the file.
    n_frames : int or None
        The container's own count, or rate times duration; an estimate.
    duration : float or None
        Seconds, as the container states it.
    pixel_aspect : float
        Width of a pixel by its height; landmarks are in stored pixels whatever it is.
    report : DecodeReport
        Of the current or last iteration.

    Raises
    ------
    VideoError
        If the file is missing, is no video, or no frame of it can be decoded.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._running: list[Any] = []
        self.name = self._path.name
        self.report = DecodeReport()
        with contextlib.closing(open_container(self._path)) as container:
            stream = video_stream(self._path, container)
            self.duration = _duration(container, stream)
            rate = stream.average_rate
            estimate = round(self.duration * rate) if self.duration and rate else None
            # A broken header may claim thousands of millions; a frame takes a byte at least.
            stated = stream.frames if stream.frames <= self._path.stat().st_size else 0
            self.n_frames: int | None = stated or estimate
            self.pixel_aspect = float(stream.sample_aspect_ratio or 1)
            first = next(decode(self._path, container, stream, DecodeReport()), None)
            if first is None:
                raise VideoError(self._path, "no frame can be decoded", remedy=REMEDY)
            self.size = DecodedPicture(first, orientation(first)).size

    def __iter__(self) -> Iterator[Frame]:
        """Decode from the first frame to the last.

        Yields
        ------
        Frame
            Times are the file's own, counted from the first frame; see `StreamClock` for files that
            state none or go backwards.

        Raises
        ------
        VideoError
            If the file is gone or has become unreadable since it was opened.
        """
        self.report = report = DecodeReport()
        container = open_container(self._path)
        self._running.append(container)
        try:
            stream = video_stream(self._path, container)
            stream.thread_type = "AUTO"
            clock = StreamClock(stream, report, self.name)
            for decoded in decode(self._path, container, stream, report):
                picture = DecodedPicture(decoded, orientation(decoded))
                report.decoded += 1
                yield Frame(report.decoded - 1, clock.time_of(decoded), picture)
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
        if self.duration is not None and self.duration - last > END_TOLERANCE:
            text = f"the last frame is at {last:.2f} s of {self.duration:.2f} s: cut short?"
            report.note(text)
            LOGGER.warning("%s: %s", self.name, text)


class StreamClock:
    """Makes times that start at 0 and always increase.

    Notes
    -----
    time = the frame's own time - the first frame's. A frame without a time comes one frame of the
    average rate after the one before; a frame whose time is not later than the one before comes
    one tick of the stream's time base after it and counts as repeated.
    """

    def __init__(self, stream: Any, report: DecodeReport, name: str) -> None:
        self.now = 0.0
        self._step = float(1 / (stream.average_rate or stream.guessed_rate or FALLBACK_RATE))
        self._report, self._name = report, name
        self._origin: Fraction | None = None
        self._started = False

    def time_of(self, frame: Any) -> float:
        """Return the frame's time in seconds since the first frame."""
        expected = self.now + self._step if self._started else 0.0
        if frame.pts is None or not frame.time_base:
            self._note("frames without a time were spaced by the average rate")
            self.now = expected
        else:
            time = frame.pts * Fraction(frame.time_base)
            if self._origin is None:
                self._origin = time - Fraction(expected)
            self._advance(float(time - self._origin), float(frame.time_base))
        self._started = True
        return self.now

    def _advance(self, time: float, tick: float) -> None:
        if self._started and time <= self.now:
            self._report.repeated += 1
            self._note("times that did not increase were moved one tick behind the frame before")
            time = self.now + tick
        self.now = time

    def _note(self, text: str) -> None:
        if self._report.note(text):
            LOGGER.warning("%s: %s", self._name, text)


def _duration(container: Any, stream: Any) -> float | None:
    """Return the length in seconds that the container states, None if it states none."""
    if stream.duration and stream.time_base:
        seconds = float(stream.duration * stream.time_base)
    elif container.duration:
        seconds = container.duration / av.time_base
    else:
        return None
    return seconds if seconds > 0 else None
