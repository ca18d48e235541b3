"""The time line of a video file: where its zero lies, how fast it runs, when it ends."""

from __future__ import annotations

import contextlib
import logging
import math
import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

import av.error
from av.format import Flags

from facetrack.video.source import FALLBACK_RATE, DecodeReport

LOGGER = logging.getLogger(__name__)

_NOTABLE: Final = 0.0005  # seconds; what is less vanishes in the files' milliseconds

_FASTEST: Final = 2000  # frames a second of a raw stream: more is the tick of variable rates

_LENGTH: Final = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", re.ASCII)


def zero_of(container: Any) -> Fraction:
    """Say where a file's own time is zero: what players call the start, also for its sound."""
    if not container.format.flags & Flags.ts_discont.value:
        return Fraction(0)
    starts = [
        stream.start_time * stream.time_base
        for stream in (*container.streams.video, *container.streams.audio)
        if stream.start_time is not None and stream.time_base
    ]
    return min(starts, default=Fraction(0))


def is_timeless(container: Any) -> bool:
    """Return whether a format holds pictures without times: FFmpeg would make some up."""
    form = container.format
    return bool(form.flags & Flags.no_timestamps.value) or form.name.endswith("_pipe")


def rate_of(container: Any, stream: Any, given: float | None = None) -> Fraction:
    """Return how many frames a second are to be expected, 25 where nothing is known.

    Of formats without times what the user has given, else what the stream's own header states,
    unless that is the tick of a clock; of others their average.
    """
    timeless = is_timeless(container)
    if timeless and given is not None:
        return Fraction(given).limit_denominator(1_000_000)
    codec = getattr(stream.codec_context, "framerate", None)
    # FFmpeg's average of formats without times is its own guess.
    known = (codec if timeless else stream.average_rate), stream.guessed_rate
    most = _FASTEST if timeless else math.inf
    return next((Fraction(rate) for rate in known if rate and rate < most), Fraction(FALLBACK_RATE))


def own_end(stream: Any, zero: Fraction) -> float | None:
    """Say when a stream ends, as its file states it."""
    if stream.duration and stream.time_base:
        start = (stream.start_time or 0) * stream.time_base
        return float(max(start - zero, 0) + stream.duration * stream.time_base)
    tag = _LENGTH.match(stream.metadata.get("DURATION", ""))
    if tag is None:
        return None
    return (
        3600 * int(tag[1]) + 60 * int(tag[2]) + float(tag[3])
    )  # Matroska: the end, not the length


def sound_reaches(container: Any, end: float) -> bool:
    """Return whether a file's sound lasts until a time: what is cut short ends all at once."""
    if not container.streams.audio:
        return False
    limit = Fraction(end) + zero_of(container)
    with contextlib.suppress(av.error.FFmpegError):
        for packet in packets_of(container, container.streams.audio):
            ends = (packet.pts or 0) + (packet.duration or 0)
            if packet.pts is not None and ends * packet.time_base >= limit:
                return True
    return False


def packets_of(container: Any, streams: Any) -> Iterator[Any]:
    """Read packets, also behind one of a stream that came later, which PyAV does not know."""
    while True:
        try:
            yield from container.demux(streams)
        except IndexError:  # that packet was read: the next call continues behind it
            continue
        return


class StreamClock:
    """Makes times that count from the file's zero and always increase; reports what was amiss.

    A frame without a time comes one frame after the one before. Where time falls back by more than
    half a frame (recordings joined end to end) it continues one frame later and counts from there,
    unless the next frame has the time before again. Where it stands still or falls back by less the
    frame comes half a frame after the one before. Both count as repeated.
    """

    def __init__(
        self,
        container: Any,
        stream: Any,
        report: DecodeReport,
        name: str,
        *,
        rate: float | None = None,
    ) -> None:
        self.now = 0.0
        self._rate = rate_of(container, stream, rate)
        self._step = float(1 / self._rate)
        self._timeless, self._zero = is_timeless(container), zero_of(container)
        self._report, self._name = report, name
        self.zero: Fraction | None = None
        self._before: Fraction | None = None  # the zero before time fell back
        self._started = False

    def time_of(self, frame: Any) -> float:
        """Return a frame's time in seconds after the file's zero."""
        expected = self.now + self._step if self._started else 0.0
        if frame.pts is None or not frame.time_base or self._timeless:
            if self._started:
                rate = f"{float(self._rate):.6g}"
                text = f"frames without a time were spaced by the rate of {rate} a second"
                self._note(text, warn=True)
            self.now = expected
        else:
            time = frame.pts * Fraction(frame.time_base)
            if self.zero is None:
                self._begin(time, expected)
            self._advance(time, expected)
        self._started = True
        return self.now

    def _begin(self, time: Fraction, expected: float) -> None:
        """Find the zero, at the first frame that has a time."""
        self.zero = time - Fraction(expected) if self._started else min(self._zero, time)
        if self._started:
            return
        start = float(time - self.zero)
        if start > _NOTABLE:
            self._note(f"the first frame is at {start:.3f} s of the file's own time")
        elif (early := float(self._zero - time)) > _NOTABLE:
            text = f"times count from the first frame, {early:.3f} s before the file's zero"
            self._note(text)

    def _advance(self, time: Fraction, expected: float) -> None:
        assert self.zero is not None
        if self._before is not None and time - self._before > self.now:
            self.zero = self._before  # one frame only was out of order
        self._before = None
        at = float(time - self.zero)
        if self._started and at <= self.now:
            self._report.repeated += 1
            if self.now - at > self._step / 2:
                self._note(
                    "time fell back, as where recordings are joined: it continues one frame later",
                    warn=True,
                )
                self._before, self.zero = self.zero, time - Fraction(expected)
                at = expected
            else:
                text = "times that did not increase were moved half a frame behind the frame before"
                self._note(text, warn=True)
                at = self.now + self._step / 2
        self.now = at

    def _note(self, text: str, *, warn: bool = False) -> None:
        if self._report.note(text) and warn:
            LOGGER.warning("%s: %s", self._name, text)
