"""Mouth activity as a value and speech as events of any face; words where they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from math import isnan, nan
from pathlib import Path
from typing import Final

from facetrack.formats.encoding import Stateful
from facetrack.landmarks.openings import INNER_LIPS, opening
from facetrack.lips.activity import DELAY as ACTIVITY_DELAY
from facetrack.lips.activity import LEVEL, OUTER_LIPS, ActivityMeter, Lively
from facetrack.lips.clips import RATE
from facetrack.lips.crops import MouthCropper, Seen
from facetrack.lips.enrol import EnrolledWords, load_words
from facetrack.lips.reader import DEFAULT, LIP_READER, LipReader, load_reader
from facetrack.lips.stream import DELAY as WORDS_DELAY
from facetrack.lips.stream import LipStream, ReadWord
from facetrack.reading import Event, Kind, Reading, Readings, Spec
from facetrack.signals.estimator import UNKNOWN_POINT, Result, lost, nothing
from facetrack.signals.observation import Observation
from facetrack.signals.registry import Choice

_ACTIVITY: Final = Spec(
    "mouth_activity", "how lively the lips move between 1.5 and 8 Hz, over the outer-eye distance",
    range=(0.0, 0.05), level=LEVEL,
)  # fmt: skip
_SPEAKING: Final = Spec(
    "speaking", "the lips move as in speech; score: the liveliest", range=(0.0, 0.05),
    kind=Kind.EVENT,
)  # fmt: skip
_WORD: Final = Spec("word", "a word read from the lips; score: its probability", kind=Kind.EVENT)
_PAUSE: Final = 8  # frames of quiet that end speech
_SHORTEST: Final = 4  # frames
_SLOWEST: Final = 2.0  # times slower than 25 frames a second a video may be


@dataclass(frozen=True, slots=True)
class Lips:
    """The estimator of mouths that speak."""

    reader: str = ""  # name or file of the model that reads words; empty: none are read
    words: str = ""  # file of a person's own words; empty: the reader's own are read
    name: str = "lips"
    frame_rate: float | None = RATE

    @property
    def version(self) -> str:
        """With the checksums of reader and words, or with what the reader's words must reach."""
        if not self.reader:
            return "1"
        reader = _reader(self.reader)
        if self.words:
            return f"2-{reader.version[:16]}-{_words(self.words, self.reader).version[:16]}"
        return f"2-{reader.version[:16]}-{reader.reject.energy:g}-{reader.reject.probability:g}"

    @property
    def specs(self) -> tuple[Spec, ...]:
        """Activity and speech; words where they are read."""
        return (_ACTIVITY, _SPEAKING, _WORD) if self.reader else (_ACTIVITY, _SPEAKING)

    @property
    def delay(self) -> float:
        """Seconds after which a result is certain at the latest."""
        activity = _SLOWEST * (ACTIVITY_DELAY + _PAUSE / RATE)  # counted in frames, not in time
        return max(WORDS_DELAY, activity) if self.reader else activity

    @property
    def needs_pixels(self) -> bool:
        """Whether it looks at the picture: only to read words."""
        return bool(self.reader)

    def start(self) -> _LipsRun:
        """Begin with a face, without anything from before."""
        if not self.reader:
            return _LipsRun()
        reader = _reader(self.reader)
        words = _words(self.words, self.reader) if self.words else None
        return _LipsRun(MouthCropper(reader.mean_shape), LipStream(reader, words))


LIPS: Final = Lips()


def lips_with(words: str) -> Lips:
    """Return the estimator that also reads words, by a reader's name or file, or a file of words.

    ModelError if it is neither; `facetrack lips enroll` writes the latter.
    """
    try:
        LIP_READER.describe(words)
    except ValueError:
        load_words(Path(words), _reader(DEFAULT))
        return Lips(DEFAULT, words)
    return Lips(words)


def with_words(choice: Choice, words: str) -> Choice:
    """Return a choice of signals that also reads words; see `lips_with`."""
    lips = lips_with(words)
    others = tuple(one for one in choice.estimators if one.name != lips.name)
    return Choice((*others, lips), choice.names | {_WORD.name})


@dataclass(slots=True)
class _LipsRun(Stateful):
    """The lips of one face."""

    _cropper: MouthCropper | None = None
    _stream: LipStream | None = None
    _meter: ActivityMeter = field(default_factory=ActivityMeter)
    _waiting: list[tuple[int, float]] = field(default_factory=list)  # activity is not known yet
    _speech: list[float] = field(default_factory=list)  # in progress: start, peak, stop, score
    _frames: int = 0  # of that speech
    _quiet: int = 0  # frames since

    def update(self, seen: Observation) -> Sequence[Result]:
        found = self._read(seen)
        reason, wide = "" if seen.face.tracked else lost(seen.face), nan
        if not reason:
            wide = opening(seen.face.points.tolist(), (*INNER_LIPS, *OUTER_LIPS), (36, 45))
        if isnan(wide):
            found += self._judge(self._meter.finish())
            unknown = Readings(seen.index, nothing(LIPS.specs, reason or UNKNOWN_POINT))
            return [*found, *self._ended(), unknown]
        self._waiting.append((seen.index, seen.timestamp))
        return [*found, *self._judge(self._meter.push(wide))]

    def finish(self) -> Sequence[Result]:
        found = [*self._judge(self._meter.finish()), *self._ended()]
        if self._cropper is not None and self._stream is not None:
            read = [word for frame in self._cropper.finish() for word in self._stream.push(frame)]
            found += [_event(word) for word in (*read, *self._stream.finish())]
        return found

    def _read(self, seen: Observation) -> list[Result]:
        """Read words, if any are to be read."""
        if self._cropper is None or self._stream is None:
            return []
        grey = None if seen.frame is None else seen.grey
        frames = self._cropper.push(Seen.of(seen.timestamp, grey, seen.face))
        return [_event(word) for frame in frames for word in self._stream.push(frame)]

    def _judge(self, lively: Sequence[Lively]) -> list[Result]:
        found: list[Result] = []
        for one in lively:
            index, time = self._waiting.pop(0)
            found.append(Readings(index, {"mouth_activity": Reading(one.value)}))
            if one.speaking:
                start = self._speech or [time, time, time, one.value]
                peak = [time, one.value] if one.value > start[3] else [start[1], start[3]]
                self._speech = [start[0], peak[0], time, peak[1]]
                self._frames, self._quiet = self._frames + 1, 0
            elif self._speech:
                self._quiet += 1
                found += self._ended() if self._quiet > _PAUSE else []
        return found

    def _ended(self) -> list[Result]:
        speech, frames = self._speech, self._frames
        self._speech, self._frames, self._quiet = [], 0, 0
        if frames < _SHORTEST:
            return []
        start, peak, stop, score = speech
        return [Event("speaking", start, peak, stop, score)]


def _event(word: ReadWord) -> Event:
    return Event("word", word.start, word.peak, word.stop, word.probability, word.text)


@cache
def _reader(name: str) -> LipReader:
    return load_reader(name)


@cache
def _words(path: str, reader: str) -> EnrolledWords:
    return load_words(path, _reader(reader))
