"""From the packets of a video file to its frames: every frame that can be decoded comes out."""

from __future__ import annotations

import contextlib
import ctypes
import functools
from collections.abc import Generator, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, Final

import av
import av.error
from av.stream import Disposition

from facetrack.errors import VideoError
from facetrack.formats.picture import most_pixels
from facetrack.video.source import DecodeReport
from facetrack.video.timeline import own_end, packets_of

MAX_PIXELS: Final = 16384 * 8192  # a broken header may claim any size; this bounds memory
_AT_ONCE: Final = 1 << 29  # bytes: a plane of so many pixels, an index of 200 hours
PREVIEW: Final = 2  # pictures of a stream beside a film: its cover, though not marked as one
_TEXTS: Final = frozenset({"tty", "bin", "xbin", "adf", "idf"})  # FFmpeg draws their letters
REMEDY: Final = "check whether a player shows it, or fetch the file again"


def open_container(path: Path) -> Any:
    """Open a video file."""
    if not path.is_file():
        raise VideoError(path, "there is no such file", remedy="check the name")
    _bound_memory()
    try:
        if not path.stat().st_size:
            raise VideoError(path, "the file is empty", remedy="fetch it again")
        # An absolute path: "a:b.mp4" would be taken for a protocol.
        container = av.open(
            str(path.absolute()), options={"protocol_whitelist": "file"}, metadata_errors="ignore"
        )
    except av.error.FFmpegError as error:
        cause = f"cannot be opened as a video ({error.strerror})"
        raise VideoError(path, cause, remedy=REMEDY) from error
    except OSError as error:
        raise VideoError(path, f"cannot be read ({error.strerror})") from error
    if container.format.name in _TEXTS:
        container.close()
        raise VideoError(path, "is a text, no video", remedy="name the video itself")
    return container


@functools.cache
def _bound_memory() -> None:
    """Bound what FFmpeg takes at once: a few damaged bytes may claim millions of frames."""
    with contextlib.suppress(AttributeError, OSError):  # where its libraries are not found thus
        ctypes.CDLL(av._core.__file__).av_max_alloc(ctypes.c_size_t(_AT_ONCE))


def is_cover(stream: Any) -> bool:
    """Return whether a stream is a picture that goes with the file, as album art does."""
    return bool(stream.disposition & Disposition.attached_pic)


def video_stream(path: Path, container: Any) -> Any:
    """Choose the stream that players show: no cover, and the default, longest or largest one.

    Raises VideoError if there is none, or no decoder for it; or if the file is a picture in tiles,
    which PyAV gives one by one without saying where they lie.
    """
    if any(
        s.disposition & Disposition.dependent and s.frames == 1 for s in container.streams.video
    ):
        cause = "is a picture made of tiles (HEIC), of which only single ones could be read"
        raise VideoError(path, cause, remedy="convert it to JPEG or PNG")
    # Without a codec context FFmpeg has no decoder for what the stream claims to hold.
    streams = [s for s in container.streams.video if s.codec_context is not None]
    streams = [s for s in streams if not is_cover(s)]
    if not streams:
        raise VideoError(path, "has no stream of pictures that can be decoded", remedy=REMEDY)
    stream = max(streams, key=_weight)  # the first one of equals
    most = min(most_pixels(container.size), MAX_PIXELS)
    stream.codec_context.options = {"max_pixels": str(most)}
    return stream


def _weight(stream: Any) -> tuple[bool, bool, float, int]:
    """Rank a stream among others; a few pictures, as cameras' previews, are no film."""
    context = stream.codec_context
    seconds = own_end(stream, Fraction(0)) or 0.0
    count = stream.frames or round(seconds * (stream.average_rate or 0))
    film = count == 0 or count > PREVIEW  # not every format says
    default = bool(stream.disposition & Disposition.default)
    return film, default, seconds, context.width * context.height


def decode(
    path: Path, container: Any, stream: Any, report: DecodeReport
) -> Generator[Any, None, None]:
    """Decode a stream from where its container stands to the end, in the order of display.

    With frame threads, an error in one of the last packets of a file (the usual thing where it was
    cut short) makes FFmpeg forget good frames that are still in its threads: the last packet brings
    fewer than the decoder held back all the time. The end is then decoded without threads, from the
    file opened once more.
    """
    inside, held, last = 0, None, None
    for packet, frames in _packets(container, stream, report):
        if not packet.size and held is not None and last is not None and len(frames) < held:
            yield from frames
            last = max([last, *(f.pts for f in frames if f.pts is not None)])
            yield from islice(_tail(path, last, report), held - len(frames))
            return
        # Packets before an edit list's start are decoded for reference and never shown.
        inside += 0 if packet.is_discard else 1
        inside -= len(frames)
        if frames and held is None:
            held = inside
        for frame in frames:
            last = frame.pts
            yield frame


def _packets(container: Any, stream: Any, report: DecodeReport) -> Iterator[tuple[Any, list[Any]]]:
    """Give each packet with the frames that came out of the decoder; the last packet is empty."""
    for packet in _demuxed(container, stream, report):
        try:
            frames = packet.decode()
        except av.error.FFmpegError as error:
            _undecodable(error, report)
            frames = []
        yield packet, frames


def _demuxed(container: Any, stream: Any, report: DecodeReport) -> Iterator[Any]:
    """Give the packets; the empty last one brings what the decoder holds, also behind damage."""
    try:
        yield from packets_of(container, stream)
    except av.error.FFmpegError as error:
        _undecodable(error, report)
        last = av.Packet()
        last.stream, last.time_base = stream, stream.time_base
        yield last


def _undecodable(error: av.error.FFmpegError, report: DecodeReport) -> None:
    report.undecodable += 1
    report.note(f"undecodable: {error.strerror}")


def _tail(path: Path, last: int, report: DecodeReport) -> Iterator[Any]:
    """Decode what is to be shown after `last`, a time in ticks, without threads."""
    again = DecodeReport()
    with contextlib.closing(open_container(path)) as container:
        stream = video_stream(path, container)
        stream.thread_type = "SLICE"
        try:
            container.seek(last, stream=stream)
        except av.error.FFmpegError:  # a format without seeking
            return
        for packet, frames in _packets(container, stream, again):
            for frame in frames:
                if frame.pts is not None and frame.pts > last:
                    yield frame
            if again.undecodable and (packet.pts is None or packet.pts > last):
                report.undecodable += again.undecodable
                report.notes.extend(n for n in again.notes if n not in report.notes)
            again.undecodable = 0
