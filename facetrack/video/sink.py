"""Writing video that stays readable when its writer is killed."""

from __future__ import annotations

import contextlib
import os
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Self

import av
import av.error
import cv2
import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError, OutputError
from facetrack.formats.atomic import atomic_path, output_error
from facetrack.formats.picture import Image, as_bgr
from facetrack.video.source import VideoSource

TIME_BASE: Final = Fraction(1, 90_000)  # fine enough for any camera, and what players expect
_RATE: Final = 30  # frames per second, a hint for players
FRAGMENT: Final = 30  # frames between key frames: what a kill can cost
_CODECS: Final = {"libx264": {"preset": "veryfast", "crf": "20"}, "mpeg4": {"q:v": "3"}}


class VideoWriter:
    """An MP4, MKV or MOV file under construction.

    It is written as NAME.part-PID.mp4 beside `path` and renamed by `close`. After an exception or a
    kill the part stays, holding all frames but the last second. Odd sizes are filled up by a row or
    column. `aspect` is the width of a pixel by its height. Raises
    OutputError, InputError.
    """

    def __init__(
        self, path: str | os.PathLike[str], size: tuple[int, int], *, aspect: float = 1.0
    ) -> None:
        self.path = Path(path)
        if self.path.suffix.lower() not in (".mp4", ".mkv", ".mov"):
            raise InputError(f"{path}: videos are written as .mp4, .mkv or .mov")
        if min(size) < 1:
            raise InputError(f"{path}: frames must have at least one pixel, got {size}")
        self._size, self._last = size, -1
        self.part = self.path.with_name(f"{self.path.stem}.part-{os.getpid()}{self.path.suffix}")
        try:
            self.part.open("wb").close()  # PyAV would say only at the first frame what is wrong
            self._container = av.open(str(self.part.absolute()), "w", options=_options(self.path))
        except OSError as error:
            raise output_error(self.path, error) from error
        codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
        stream: Any = self._container.add_stream(codec, rate=_RATE, options=_CODECS[codec])
        stream.width, stream.height = (n + n % 2 for n in size)
        stream.pix_fmt = "yuv420p"
        if aspect != 1:
            stream.sample_aspect_ratio = Fraction(aspect).limit_denominator(1001)
        stream.codec_context.time_base = TIME_BASE
        stream.codec_context.gop_size = FRAGMENT
        stream.codec_context.max_b_frames = 0  # frames held back would be lost with the writer
        self._stream = stream
        self._open = True

    def write(self, image: Image, timestamp: float) -> None:
        """Append a BGR frame of `size` at a time in seconds; raises InputError, OutputError."""
        if not self._open:
            raise OutputError(f"{self.path}: is closed, or an error has ended it before")
        pixels: npt.NDArray[Any] = as_bgr(image)
        height, width = pixels.shape[:2]
        if (width, height) != self._size:
            raise InputError(f"{self.path}: frame of size {(width, height)}, not {self._size}")
        if not np.isfinite(timestamp):
            raise InputError(f"{self.path}: the time of a frame is {timestamp}")
        if width % 2 or height % 2:
            pixels = cv2.copyMakeBorder(pixels, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        frame = av.VideoFrame.from_ndarray(pixels, format="bgr24")
        self._last = max(round(timestamp / TIME_BASE), self._last + 1)
        frame.pts, frame.time_base = self._last, TIME_BASE
        self._send(frame)

    def close(self) -> None:
        """Finish the file and give it its name; without any frame there will be no file."""
        if not self._open:
            return
        if self._last < 0:
            self._open = False
            self._abandon()
            self.part.unlink(missing_ok=True)
            return
        self._finish()
        with atomic_path(self.path) as temporary:
            os.replace(self.part, temporary)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if error is None or self._last < 0:
            self.close()
        elif self._open:  # finish the part, so that it can be looked at, and leave it a part
            with contextlib.suppress(OutputError):
                self._finish()

    def _send(self, frame: av.VideoFrame | None) -> None:
        try:
            self._container.mux(self._stream.encode(frame))
        except av.error.FFmpegError as error:
            # FFmpeg crashes when it is to continue after a header that could not be written.
            self._open = False
            self._abandon()
            raise self._failed(error) from error

    def _finish(self) -> None:
        self._send(None)
        self._open = False
        try:
            self._container.close()
        except av.error.FFmpegError as error:
            raise self._failed(error) from error

    def _abandon(self) -> None:
        with contextlib.suppress(av.error.FFmpegError):
            self._container.close()

    def _failed(self, error: av.error.FFmpegError) -> OutputError:
        if isinstance(error, OSError):
            return output_error(self.path, error)
        return OutputError(f"{self.path}: cannot be written ({error.strerror}); try another name")


def _options(path: Path) -> dict[str, str]:
    """Fragments that stand on their own: an MP4 without its end would else be unreadable."""
    options = {"flush_packets": "1"}
    if path.suffix.lower() != ".mkv":
        # Only a header that waits for the first fragment can say that the video starts late.
        options["movflags"] = "frag_keyframe+delay_moov+default_base_moof"
    return options


def write_video(source: VideoSource, path: str | os.PathLike[str]) -> int:
    """Write all frames of a source into a file, with their times; return how many there were."""
    count = 0
    with VideoWriter(path, source.size, aspect=source.pixel_aspect) as writer:
        for frame in source:
            writer.write(frame.image, frame.timestamp)
            count += 1
    return count
