"""Words while frames come, after each pause: a reader's own ones, or those of a person.

Whole clips are read by the same code (`read_clip`), so streaming and offline say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.formats.encoding import NO_STATE, Stateful
from facetrack.lips.activity import DELAY as ACTIVITY_DELAY
from facetrack.lips.activity import ActivityMeter, Lively, lip_opening
from facetrack.lips.clips import RATE, LipClip, LipFrame
from facetrack.lips.crops import HALF
from facetrack.lips.enrol import EnrolledWords, take_of_part
from facetrack.lips.reader import CONTEXT, LipReader
from facetrack.lips.rejection import Reject, energy
from facetrack.lips.spotting import spot
from facetrack.lips.views import View

_PAUSE: Final = 8  # frames of quiet that end a word of one's own
_LONGEST: Final = 75  # frames of a word of one's own; longer speech is cut there
_WIDER: Final = 3  # frames on each side by which activity begins too early, and ends too late
_SHORTEST: Final = 4  # frames
_BESIDE: Final = 6  # frames on each side of speech in which a reader's own words are looked for
DELAY: Final = (HALF + CONTEXT // 2 + _BESIDE + _PAUSE + 2 + _LONGEST) / RATE + ACTIVITY_DELAY  # s

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ReadWord:
    """A word that was read; times are seconds on the clip's time line.

    The energy (`rejection.energy`) is how familiar the speech is that it lies in; infinite where
    the words are a person's own, which are rejected by their distance.
    """

    text: str
    start: float  # of its first frame
    peak: float  # of the surest
    stop: float  # of its last
    probability: float
    energy: float = inf


@dataclass
class LipStream(Stateful):
    """Reads the words of one face.

    With enrolled `words`, whatever lies between two pauses is one of these or none; without them it
    is divided into words of the reader's own, which must reach `reject`, or else what the reader's
    file says.
    """

    reader: LipReader = field(metadata=NO_STATE)
    words: EnrolledWords | None = field(default=None, metadata=NO_STATE)
    reject: Reject | None = field(default=None, metadata=NO_STATE)
    _listener: _Pauses = field(init=False)
    _ring: list[LipFrame] = field(default_factory=list, init=False)
    # What the reader is shown of these.
    _shown: list[tuple[Floats, Floats]] = field(default_factory=list, init=False, metadata=NO_STATE)

    def __post_init__(self) -> None:
        reject = self.reader.reject if self.reject is None else self.reject
        self._listener = _Pauses(self.reader, self.words, reject)

    def push(self, frame: LipFrame) -> list[ReadWord]:
        """Take the next mouth and return the words that became certain."""
        found = self.finish() if frame.begins else []
        self._ring = [*self._ring, frame][-CONTEXT:]
        self._shown = [*self._shown, self._show(frame)][-CONTEXT:]
        if len(self._ring) > CONTEXT // 2:
            found += self._listen(len(self._ring) - 1 - CONTEXT // 2)
        return found

    def finish(self) -> list[ReadWord]:
        """End a stretch and return the words that are left."""
        found: list[ReadWord] = []
        known = len(self._ring)
        for middle in range(max(known - CONTEXT // 2, 0), known):
            found += self._listen(middle)
        self._ring, self._shown = [], []
        return found + self._listener.finish()

    def _show(self, frame: LipFrame) -> tuple[Floats, Floats]:
        """Prepare pixels and points of a frame for the reader; zeros where there is no picture."""
        view = self.reader.view
        if frame.pixels is None:
            return np.zeros(view.size[::-1], dtype=np.float32), np.zeros(40, dtype=np.float32)
        return view.pixels(frame.pixels[None])[0], View.points(frame.points[None])[0]

    def _listen(self, middle: int) -> list[ReadWord]:
        """Look at one frame of the ring with two on both sides, as far as there are any."""
        width, height = self.reader.view.size
        pixels = np.zeros((1, CONTEXT, height, width), dtype=np.float32)
        points = np.zeros((1, CONTEXT, 40), dtype=np.float32)
        for number, shown in enumerate(self._shown):
            place = number - middle + CONTEXT // 2
            if 0 <= place < CONTEXT:
                pixels[0, place], points[0, place] = shown
        return self._listener.take(self._ring[middle], self.reader.seen(pixels, points)[0])

    def restore(self, state: Any) -> None:
        """Continue where another stream of the same reader stood, from what `state` gave."""
        Stateful.restore(self, state)
        self._shown = [self._show(frame) for frame in self._ring]


@dataclass
class _Pauses(Stateful):
    """Reads what is said between pauses."""

    reader: LipReader = field(metadata=NO_STATE)
    words: EnrolledWords | None = field(metadata=NO_STATE)
    reject: Reject = field(metadata=NO_STATE)
    _meter: ActivityMeter = field(default_factory=ActivityMeter)
    # Of the stretch, from the first that is still needed; all below count in these.
    _frames: list[LipFrame] = field(default_factory=list)
    _seen: list[Floats] = field(default_factory=list)
    _judged: int = 0  # those whose activity is known
    _begin: int | None = None  # where speech began
    _end: int = 0  # after the last that spoke
    _read: int = 0  # after the last in which words were looked for

    def take(self, frame: LipFrame, features: Floats) -> list[ReadWord]:
        """Take the next frame's features."""
        self._frames.append(frame)
        self._seen.append(features)
        found = self._judge(self._meter.push(lip_opening(frame.points)))
        self._forget()
        return found

    def finish(self) -> list[ReadWord]:
        """End the stretch."""
        found = self._judge(self._meter.finish()) + self._said()
        self._frames, self._seen, self._judged, self._read = [], [], 0, 0
        return found

    def _judge(self, lively: Sequence[Lively]) -> list[ReadWord]:
        found: list[ReadWord] = []
        for one in lively:
            if one.speaking:
                self._begin = self._judged if self._begin is None else self._begin
                self._end = self._judged + 1
            self._judged += 1
            if self._begin is not None:
                quiet = self._judged - self._end
                if quiet > _PAUSE or self._judged - self._begin >= _LONGEST:
                    found += self._said()
        return found

    def _said(self) -> list[ReadWord]:
        """Return the word that a stretch of speech is, if it is one."""
        if self._begin is None:
            return []
        begin, end, self._begin = self._begin, self._end, None
        if end - begin < _SHORTEST:
            return []
        if self.words is None:
            return self._spotted(begin, end)
        inward = min(_WIDER, (end - begin - _SHORTEST) // 2)
        frames = self._frames[begin + inward : end - inward]
        seen = np.stack(self._seen[begin + inward : end - inward])
        if any(frame.pixels is None for frame in frames):
            return []  # landmarks without pictures
        times = [frame.timestamp for frame in frames]
        answer = self.words.tell(take_of_part(LipClip.of(frames, ""), seen))
        if not answer.text:
            return []
        return [ReadWord(answer.text, times[0], times[len(times) // 2], times[-1],
                         answer.probability)]  # fmt: skip

    def _spotted(self, begin: int, end: int) -> list[ReadWord]:
        """Find the reader's own words in a stretch of speech and beside it."""
        first, stop = max(begin - _BESIDE, self._read), end + _BESIDE
        frames, self._read = self._frames[first:stop], stop
        if any(frame.pixels is None for frame in frames):
            return []  # landmarks without pictures
        logits = self.reader.frames(np.stack(self._seen[first:stop]))
        familiar = energy(logits)
        times = [frame.timestamp for frame in frames]
        return [
            ReadWord(one.text, times[one.first], times[one.centre], times[one.stop - 1],
                     one.probability, familiar)
            for one in spot(logits, self.reader.words)
            if self.reject.passes(familiar, one.probability)
        ]  # fmt: skip

    def _forget(self) -> None:
        spare = (self._judged if self._begin is None else self._begin) - _BESIDE
        if spare > _LONGEST:
            del self._frames[:spare], self._seen[:spare]
            self._judged -= spare
            self._end -= spare
            self._read = max(self._read - spare, 0)
            self._begin = None if self._begin is None else self._begin - spare


def read_clip(
    reader: LipReader,
    clip: LipClip,
    words: EnrolledWords | None = None,
    reject: Reject | None = None,
) -> list[ReadWord]:
    """Read the words of a clip, in time; see `LipStream`."""
    stream = LipStream(reader, words, reject)
    found = [word for frame in clip.frames() for word in stream.push(frame)]
    return found + stream.finish()
