"""Blinks and closed eyes, against the person's own open eyes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isnan, nan
from typing import Final

from facetrack.formats.encoding import Stateful
from facetrack.reading import Kind, Readings, Spec
from facetrack.signals.baseline import Baseline
from facetrack.signals.estimator import Result, as_reading, nothing
from facetrack.signals.eyelids import LONGEST, REACH, RISE, Closure, Sample, judge, measure
from facetrack.signals.observation import Observation

WARM_UP: Final = 1.2  # seconds of a face until its open eyes are known
_MEMORY: Final = 4.0  # seconds: the narrowed eyes of a smile become the usual ones in that time
_OPEN: Final = 0.8  # the percentile of the opening that counts as open
_FALL: Final = 0.10  # of the open eye, within `REACH`: slower is a smile or a look down
_APART: Final = 0.13  # seconds between the deepest points of two blinks
_GAP: Final = 0.3  # seconds without the face that end what is going on
_EPS: Final = 1e-6  # seconds: rounding of time stamps

SPECS: Final = (
    Spec("eye_openness", "opening of the eyes relative to the person's open eyes over the last "
         "four seconds; 1: open as usual", range=(0.3, 1.2)),
    Spec("blink", "both lids close and open again within 0.6 s; score: depth relative to the "
         "opening before", kind=Kind.EVENT),
    Spec("eyes_closed", "lids stay closed for longer than 0.6 s; score as of a blink",
         kind=Kind.EVENT),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Blinks:
    """The estimator of blinks; see the constants of this module for its rules."""

    name: str = "blinks"
    version: str = "1"
    specs: tuple[Spec, ...] = SPECS
    delay: float = 2.0
    needs_pixels: bool = False
    frame_rate: float | None = None

    def start(self) -> _BlinkRun:
        """Begin with a face."""
        return _BlinkRun()


BLINKS: Final = Blinks()


@dataclass(slots=True)
class _BlinkRun(Stateful):
    """Blinks of one face: frames wait until the open eyes are known, then all are gone through."""

    _waiting: list[tuple[int, Sample | None, str]] | None = field(default_factory=list)
    _begin: float | None = None  # time of the first frame
    _open: Baseline = field(default_factory=lambda: Baseline(_MEMORY, _OPEN))
    _recent: list[Sample] = field(default_factory=list)  # of `REACH` seconds, since the last dip
    _closure: Closure | None = None

    def update(self, seen: Observation) -> Sequence[Result]:
        sample, reason = measure(seen)
        if self._begin is None:
            self._begin = seen.timestamp
        if self._waiting is None:
            if sample is not None and self._closure is None:
                self._open.add(sample.time, sample.both)
            return self._step(seen.index, sample, reason)
        self._waiting.append((seen.index, sample, reason))
        return self._warmed() if seen.timestamp - self._begin >= WARM_UP else ()

    def finish(self) -> Sequence[Result]:
        return [*self._warmed(), *self._conclude()]

    def _warmed(self) -> list[Result]:
        """Go through the frames that waited, with what they taught of the open eyes."""
        waiting, self._waiting = self._waiting or [], None
        for _, sample, _ in waiting:
            if sample is not None:
                self._open.add(sample.time, sample.both)
        return [result for one in waiting for result in self._step(*one)]

    def _step(self, index: int, sample: Sample | None, reason: str) -> list[Result]:
        if sample is None:
            return [Readings(index, nothing(SPECS, reason))]
        found: list[Result] = []
        if self._recent and sample.time - self._recent[-1].time > _GAP:
            found += self._conclude()
            self._recent = []
        usual = self._open.value
        openness = as_reading(sample.both / usual if usual > 0 else nan, "the eyes never opened")
        if len(self._open) == 1:  # how open this one's eyes usually are is not known
            openness = as_reading(nan, "seen in a single frame")
        found.append(Readings(index, {"eye_openness": openness}))
        self._recent = [s for s in self._recent if s.time >= sample.time - REACH - _EPS]
        found += self._follow(sample, usual)
        self._recent.append(sample)
        return found

    def _follow(self, sample: Sample, usual: float) -> Sequence[Result]:
        closure = self._closure
        if closure is None:
            self._close(sample, usual)
            return ()
        closure.add(sample)
        if isnan(closure.crest):
            return self._closed(closure, sample)
        return self._reopened(closure, sample, usual)

    def _close(self, sample: Sample, usual: float) -> None:
        """Begin a closure where the lids have fallen."""
        before = max((s.both for s in self._recent), default=0.0)
        assert self._begin is not None
        if sample.time - self._begin < REACH:  # what was before is not known
            before = max(before, usual)
        if before - sample.both >= _FALL * usual:
            self._closure = Closure.begin(before, usual, [*self._recent, sample])

    def _closed(self, closure: Closure, sample: Sample) -> Sequence[Result]:
        if sample.both < closure.dip.both:
            if closure.first_dip == closure.dip:
                closure.first_dip = sample
            closure.dip = sample
            if sample.both < closure.apex.both:
                closure.apex = sample
        elif sample.both >= closure.dip.both + closure.rise:
            closure.crest = sample.both
        elif sample.time - closure.apex.time > LONGEST and not closure.shut:
            self._closure = None  # narrowed, or looking down: from now on the usual eyes
        return ()

    def _reopened(self, closure: Closure, sample: Sample, usual: float) -> Sequence[Result]:
        closure.crest = max(closure.crest, sample.both)
        since = sample.time - closure.dip.time
        if closure.crest - sample.both >= RISE * closure.usual and closure.may_be_closed(sample):
            if since < _APART or closure.ajar:
                closure.dip, closure.crest = sample, nan
                return ()
            before = closure.crest
            found = self._conclude()
            self._closure = Closure.begin(before, usual, [*self._recent, sample])
            return found
        if since >= _APART and (
            (sample.both > closure.level and not closure.ajar) or since > LONGEST
        ):
            return self._conclude()
        return ()

    def _conclude(self) -> Sequence[Result]:
        """End the closure that is going on; returns its event, if it is one."""
        closure, self._closure = self._closure, None
        if closure is None:
            return ()
        self._recent = [s for s in self._recent if s.time > closure.dip.time]
        event = None if isnan(closure.crest) else judge(closure)
        return () if event is None else (event,)
