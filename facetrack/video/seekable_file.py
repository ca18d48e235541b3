"""Any frame of a video file: an index of its packets, and decoding from the key frame before."""

from __future__ import annotations

import bisect
import contextlib
import functools
import itertools
import os
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, NamedTuple

import av.error

from facetrack.errors import InputError, VideoError
from facetrack.video.decoding import REMEDY, decode, open_container, video_stream
from facetrack.video.file import FileSource
from facetrack.video.frame import Frame
from facetrack.video.planes import DecodedPicture, leave_pool, orientation
from facetrack.video.seeking import FrameCache
from facetrack.video.source import ClosesItself, DecodeReport
from facetrack.video.timeline import StreamClock, is_timeless, packets_of, zero_of
from facetrack.video.unchanged import Unchanged

_SEEK: Final = 8  # frames that seeking must spare: decoding so many takes less time


class FrameIndex(NamedTuple):
    """What is known of a file's frames without their pixels."""

    stamps: list[int]  # ticks, growing; empty where unreliable: frames are counted from the start
    keys: list[int]  # stamps at which decoding can begin
    times: list[float]  # seconds after the file's zero

    def starts(self, wanted: int) -> list[int]:
        """Give the numbers of frames from which a frame can be reached, the best first.

        The last key frame before; an earlier one, because some containers land behind the place
        that was asked for; the start.
        """
        if not self.stamps:
            return [0]
        place = bisect.bisect_right(self.keys, self.stamps[wanted]) - 1
        places = [place - back for back in (0, 1, 4) if place - back > 0]
        return [*(bisect.bisect_left(self.stamps, self.keys[p]) for p in places), 0]


class SeekableFile(ClosesItself):
    """A video file of which any frame can be looked at; parameters and errors as of `FileSource`.

    One pass over the packets, without decoding, gives the time stamps. Where they are missing or
    doubled, and where decoding shows other frames than they promise (damage), one pass of decoding
    counts the frames instead. Damage is met where it lies: frames behind it may change their
    numbers then. A `cache` may be shared with other readers of this file.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        rate: float | None = None,
        cache: FrameCache | None = None,
    ) -> None:
        self._path, self._rate = Path(path), rate
        source = FileSource(self._path, rate=rate)
        self.name, self.size, self.pixel_aspect = source.name, source.size, source.pixel_aspect
        self._cache = FrameCache() if cache is None else cache
        self._decoder: _Decoder | None = None
        self._file = Unchanged(self._path)
        known = self._path.stat()
        packets = _index_packets(self._path, known.st_size, known.st_mtime_ns)
        self._index = packets or _index_frames(self._path, rate)

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self._index.times)

    def time(self, index: int) -> float:
        """Return a frame's time in seconds after zero; raises InputError if there is none."""
        self._check(index)
        return self._index.times[index]

    def frame(self, index: int) -> Frame:
        """Give a frame; raises InputError if there is none, VideoError if it cannot be read."""
        self._check(index)
        known = self._cache.get(index)
        if known is not None:
            return known
        for _ in range(2):
            self._check_file()
            try:
                return self._decode_to(index)
            except _PromiseBrokenError:
                self._check_file()
                # Damaged packets give no frame: only decoding tells which. Other readers may not
                # have met the damage: what they share is numbered as the packets promise.
                self.close()
                self._cache = FrameCache()
                self._index = _index_frames(self._path, self._rate)
                self._check(index)
        try:
            return self._decode_to(index)
        except _PromiseBrokenError as error:  # threads of other kinds may differ over damage
            cause = f"frame {index + 1} cannot be decoded alone"
            raise VideoError(self._path, cause, remedy=REMEDY) from error

    def close(self) -> None:
        """Let go of the file and the frames that are kept."""
        self._stop()
        self._cache.clear()

    def _check(self, index: int) -> None:
        if not 0 <= index < self.n_frames:
            raise InputError(f"{self.name}: frame {index} is none of {self.n_frames}")

    def _check_file(self) -> None:
        try:
            self._file.check()
        except VideoError:
            self._stop()  # if it comes back, it is opened anew
            raise

    def _stop(self) -> None:
        if self._decoder is not None:
            self._decoder.close()
        self._decoder = None

    def _decode_to(self, index: int) -> Frame:
        starts = self._index.starts(index)
        at = self._decoder.next if self._decoder is not None else None
        if at is not None and at <= index and starts[0] - at < _SEEK:
            return self._go_on(index)
        for first in starts:
            with contextlib.suppress(_PromiseBrokenError):
                self._begin(first)
                return self._go_on(index)
        self._stop()  # not every container can be wound back
        self._begin(0)
        return self._go_on(index)

    def _begin(self, first: int) -> None:
        if not self._index.stamps:  # where it lands could not be known
            self._stop()
        if self._decoder is None:
            self._decoder = _Decoder(self._path, self._index, self.size, self.pixel_aspect)
        self._decoder.begin(first)

    def _go_on(self, index: int) -> Frame:
        assert self._decoder is not None
        for frame in self._decoder:
            self._cache.put(frame)
            if frame.index == index:
                return frame
        raise _PromiseBrokenError


class _PromiseBrokenError(Exception):
    """Decoding gave other frames than the packets promised."""


class _Decoder:
    """Decodes forward from where it is told to begin; `next` is the number of the coming frame."""

    def __init__(self, path: Path, index: FrameIndex, size: tuple[int, int], aspect: float) -> None:
        self._path, self._index, self._size, self._aspect = path, index, size, aspect
        self.next = 0
        self._container = open_container(path)
        self._stream = video_stream(path, self._container)
        self._stream.thread_type = "SLICE"  # frame threads would hold frames back at every start
        self._frames: Generator[Any, None, None] | None = None

    def begin(self, first: int) -> None:
        """Go to a frame, 0 or a key frame; raises _PromiseBrokenError if the file cannot."""
        if self._frames is not None:
            self._frames.close()
        if first or self._frames is not None:
            try:
                self._container.seek(self._index.stamps[first], stream=self._stream)
            except av.error.FFmpegError as error:
                raise _PromiseBrokenError from error
        self.next = first
        self._frames = decode(self._path, self._container, self._stream, DecodeReport())

    def __iter__(self) -> Iterator[Frame]:
        assert self._frames is not None
        for decoded in self._frames:
            if self._index.stamps:
                number = bisect.bisect_left(self._index.stamps, decoded.pts or 0)
                if number < self.next:
                    continue  # the container went back further than asked, or open groups
                if decoded.pts is None or number != self.next:
                    raise _PromiseBrokenError
            elif self.next >= len(self._index.times):
                raise _PromiseBrokenError
            self.next += 1
            leave_pool(decoded)
            picture = DecodedPicture(decoded, orientation(decoded), self._size)
            time = self._index.times[self.next - 1]
            yield Frame(self.next - 1, time, picture, aspect=self._aspect)

    def close(self) -> None:
        if self._frames is not None:
            self._frames.close()
        self._container.close()


@functools.lru_cache(maxsize=1)  # every thread that looks at a video opens it anew
def _index_packets(path: Path, size: int, changed: int) -> FrameIndex | None:
    """Read the time stamps of all packets; None where they cannot be relied on.

    `size` and `changed` (bytes and nanoseconds) tell a file from another one of its name.
    """
    stamps, keys = [], []
    decoded = None
    with contextlib.closing(open_container(path)) as container:
        stream = video_stream(path, container)
        if is_timeless(container):
            return None
        try:
            for packet in packets_of(container, stream):
                if not packet.size or packet.is_discard:
                    continue
                if packet.pts is None or packet.is_corrupt:
                    return None
                if decoded is not None and packet.dts is not None and packet.dts < decoded:
                    return None  # time falls back: the order of stamps is not that of frames
                decoded = packet.dts
                stamps.append(packet.pts)
                if packet.is_keyframe:
                    keys.append(packet.pts)
        except av.error.FFmpegError:  # only decoding tells how far one gets
            return None
        tick, zero = Fraction(stream.time_base or 0), zero_of(container)
    stamps.sort()
    if not keys or not tick or len(set(stamps)) < len(stamps):
        return None
    # Rounded once, as `float(Fraction)` is, at a twentieth of its time.
    first = min(zero / tick, Fraction(stamps[0]))
    up, down = tick.numerator, tick.denominator * first.denominator
    times = [(s * first.denominator - first.numerator) * up / down for s in stamps]
    return FrameIndex(stamps, sorted(keys), times)


def _index_frames(path: Path, rate: float | None) -> FrameIndex:
    """Decode everything once and count."""
    report = DecodeReport()
    stamps: list[Any] = []
    keys, times = [], []
    with contextlib.closing(open_container(path)) as container:
        stream = video_stream(path, container)
        stream.thread_type = "AUTO"
        clock = StreamClock(container, stream, report, path.name, rate=rate)
        for frame in decode(path, container, stream, report):
            times.append(clock.time_of(frame))
            stamps.append(frame.pts)
            if frame.key_frame and frame.pts is not None:
                keys.append(frame.pts)
    if not times:
        raise VideoError(path, "no frame can be decoded any more", remedy="was it changed?")
    growing = None not in stamps and all(a < b for a, b in itertools.pairwise(stamps))
    return FrameIndex(stamps if growing and keys else [], keys, times)
