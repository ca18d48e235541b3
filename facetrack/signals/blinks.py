"""Blinks and closed eyes, against the person's own open eyes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import degrees, isnan, nan
from typing import Final, NamedTuple

from facetrack.reading import Event, Kind, Reading, Readings, Spec
from facetrack.signals.baseline import Baseline
from facetrack.signals.estimator import UNKNOWN_POINT, Result, State, lost, nothing
from facetrack.signals.geometry import eye_openings
from facetrack.signals.observation import Observation

WARM_UP: Final = 1.2  # seconds of a face until its open eyes are known
LONGEST: Final = 0.6  # seconds: 15 frames at 25/s; what is closed longer is no blink
_USUAL: Final = 0.4  # seconds: a blink lasts 0.1 to 0.4; what is longer must be shut, not narrowed
_MEMORY: Final = 4.0  # seconds: the narrowed eyes of a smile become the usual ones in that time
_OPEN: Final = 0.8  # the percentile of the opening that counts as open
_CLOSED: Final = 0.275  # eye aspect ratio at or below which lids may be closed, whoever it is
_NARROWED: Final = 0.78  # of the open eye, likewise: some eyes are narrow
_SHUT: Final = 0.65  # of the open eye: eyes that stay above it are narrowed or look down
_FALL: Final = 0.10  # of the open eye, within `_REACH`: slower is a smile or a look down
_RISE: Final = 0.08  # of the open eye, above the deepest point: open again
_REACH: Final = 0.35  # seconds
_APART: Final = 0.13  # seconds between the deepest points of two blinks
_SHORTEST: Final = 0.042  # seconds at or below `_limit`: lids cannot close and open again faster
_WAS_OPEN: Final = 0.7  # of the open eye: what falls from below it flutters while closed
_LEVEL: Final = 0.5  # of the depth, above the deepest point: what is below belongs to the closure
_BOTTOM: Final = 0.3  # of the depth, likewise: the lids have met
_ONE_SIDED: Final = 0.3  # of the other eye's depth: less is a wink
_HALF_TURNED: Final = 30.0  # degrees of yaw beyond which only the nearer eye counts
_TURNED: Final = 55.0  # degrees of yaw beyond which no eye can be judged
_GAP: Final = 0.3  # seconds without the face that end what is going on
_KEPT: Final = 2.0  # seconds of a closure that are remembered frame by frame
_EPS: Final = 1e-6  # seconds: rounding of time stamps

SPECS: Final = (
    Spec("eye_openness", "opening of the eyes relative to the person's open eyes over the last "
         "four seconds; 1: open as usual", range=(0.3, 1.2)),
    Spec("blink", "both lids close and open again within 0.6 s; score: depth relative to the "
         "opening before", kind=Kind.EVENT),
    Spec("eyes_closed", "lids stay closed for longer than 0.6 s; score as of a blink",
         kind=Kind.EVENT),
)  # fmt: skip


class _Sample(NamedTuple):
    """The eyes in one frame: aspect ratios of the right, the left, and of what counts."""

    frame: int
    time: float
    right: float
    left: float
    both: float


@dataclass(slots=True)
class _Closure:
    """Lids that fall, are closed, and open again."""

    before: float  # aspect ratio of the eyes before
    usual: float  # of the person's open eyes at that time
    samples: list[_Sample]  # from before the fall; at most `_KEPT` seconds
    apex: _Sample  # the deepest
    dip: _Sample  # the latest deep point: lids that flutter have several
    first_dip: _Sample  # the first of them
    crest: float = nan  # largest opening since the dip, once the eyes are open again

    @classmethod
    def begin(cls, before: float, usual: float, samples: list[_Sample]) -> _Closure:
        return cls(before, usual, samples, samples[-1], samples[-1], samples[-1])

    @property
    def level(self) -> float:
        """The opening below which a frame belongs to the closure."""
        return self.apex.both + _LEVEL * (self.before - self.apex.both)

    @property
    def shut(self) -> bool:
        """Whether the lids have closed for good, not only narrowed the eyes."""
        return self.apex.both <= _SHUT * self.usual


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


class _BlinkRun:
    """Blinks of one face.

    Until the open eyes are known, frames wait; then they are gone through from the first one on.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[int, _Sample | None, str]] | None = []
        self._begin: float | None = None  # time of the first frame
        self._open = Baseline(_MEMORY, _OPEN)
        self._recent: list[_Sample] = []  # of the last `_REACH` seconds, since the last dip
        self._closure: _Closure | None = None

    def update(self, seen: Observation) -> Sequence[Result]:
        sample, reason = _measure(seen)
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

    def _step(self, index: int, sample: _Sample | None, reason: str) -> list[Result]:
        if sample is None:
            return [Readings(index, nothing(SPECS, reason))]
        found: list[Result] = []
        if self._recent and sample.time - self._recent[-1].time > _GAP:
            found += self._conclude()
            self._recent = []
        usual = self._open.value
        found.append(Readings(index, {"eye_openness": Reading(sample.both / usual)}))
        self._recent = [s for s in self._recent if s.time >= sample.time - _REACH - _EPS]
        found += self._follow(sample, usual)
        self._recent.append(sample)
        return found

    def _follow(self, sample: _Sample, usual: float) -> Sequence[Result]:
        closure = self._closure
        if closure is None:
            self._close(sample, usual)
            return ()
        if sample.time - closure.samples[0].time < _KEPT:
            closure.samples.append(sample)
        if isnan(closure.crest):
            return self._closed(closure, sample)
        return self._reopened(closure, sample, usual)

    def _close(self, sample: _Sample, usual: float) -> None:
        """Begin a closure where the lids have fallen."""
        before = max((s.both for s in self._recent), default=0.0)
        assert self._begin is not None
        if sample.time - self._begin < _REACH:  # what was before is not known
            before = max(before, usual)
        if before - sample.both >= _FALL * usual:
            self._closure = _Closure.begin(before, usual, [*self._recent, sample])

    def _closed(self, closure: _Closure, sample: _Sample) -> Sequence[Result]:
        if sample.both < closure.dip.both:
            if closure.first_dip is closure.dip:
                closure.first_dip = sample
            closure.dip = sample
            if sample.both < closure.apex.both:
                closure.apex = sample
        elif sample.both >= closure.dip.both + _RISE * closure.usual:
            closure.crest = sample.both
        elif (
            sample.time - closure.apex.time > LONGEST and closure.apex.both > _SHUT * closure.usual
        ):
            self._closure = None  # narrowed, or looking down: from now on the usual eyes
        return ()

    def _reopened(self, closure: _Closure, sample: _Sample, usual: float) -> Sequence[Result]:
        closure.crest = max(closure.crest, sample.both)
        since = sample.time - closure.dip.time
        if closure.crest - sample.both >= _RISE * closure.usual and sample.both <= _limit(usual):
            if since < _APART:
                closure.dip, closure.crest = sample, nan
                return ()
            before = closure.crest
            found = self._conclude()
            self._closure = _Closure.begin(before, usual, [*self._recent, sample])
            return found
        if since >= _APART and (sample.both > closure.level or since > LONGEST):
            return self._conclude()
        return ()

    def _conclude(self) -> Sequence[Result]:
        """End the closure that is going on; returns its event, if it is one."""
        closure, self._closure = self._closure, None
        if closure is None:
            return ()
        self._recent = [s for s in self._recent if s.time > closure.dip.time]
        event = None if isnan(closure.crest) else _event(closure)
        return () if event is None else (event,)

    def state(self) -> State:
        closure = self._closure
        return {
            "waiting": self._waiting,
            "begin": self._begin,
            "open": self._open.state(),
            "recent": self._recent,
            "closure": closure
            and {
                "before": closure.before,
                "usual": closure.usual,
                "samples": closure.samples,
                "apex": closure.apex,
                "dip": closure.dip,
                "first_dip": closure.first_dip,
                "crest": None if isnan(closure.crest) else closure.crest,
            },
        }

    def restore(self, state: State) -> None:
        waiting, c = state["waiting"], state["closure"]
        self._waiting = waiting and [(i, s and _Sample(*s), why) for i, s, why in waiting]
        self._begin = state["begin"]
        self._open.restore(state["open"])
        self._recent = [_Sample(*s) for s in state["recent"]]
        self._closure = c and _Closure(
            c["before"], c["usual"], [_Sample(*s) for s in c["samples"]], _Sample(*c["apex"]),
            _Sample(*c["dip"]), _Sample(*c["first_dip"]), nan if c["crest"] is None else c["crest"],
        )  # fmt: skip


def _measure(seen: Observation) -> tuple[_Sample | None, str]:
    """Measure both eyes, or say why they cannot be measured."""
    face = seen.face
    if not face.tracked:
        return None, lost(face)
    right, left = eye_openings(face)
    if isnan(right + left):
        return None, UNKNOWN_POINT
    yaw = degrees(face.pose.rotation[1]) if face.pose is not None else 0.0
    if abs(yaw) > _TURNED:
        return None, "the head is turned too far to see the eyes"
    both = (right + left) / 2
    if abs(yaw) > _HALF_TURNED:  # to the person's right: the left eye is the nearer one
        both = left if yaw > 0 else right
    return _Sample(seen.index, seen.timestamp, right, left, both), ""


def _limit(usual: float) -> float:
    """Return the opening at or below which lids may be closed."""
    return min(_CLOSED, _NARROWED * usual)


def _event(closure: _Closure) -> Event | None:
    """Judge a closure that is over."""
    apex, samples = closure.apex, closure.samples
    if (
        apex.both > _limit(closure.usual)
        or closure.before < _WAS_OPEN * closure.usual
        or _seconds(closure, _limit(closure.usual)) < _SHORTEST
    ):
        return None
    seconds = _seconds(closure, closure.level)
    if seconds > _USUAL and not closure.shut:
        return None
    depths = [1 - apex[side] / max(*(s[side] for s in samples), 1e-6) for side in (2, 3)]
    if min(depths) < _ONE_SIDED * max(depths):
        return None
    first, last = _span(closure, closure.level)
    depth = closure.before - apex.both
    met = [s for s in samples[first : last + 1] if s.both <= apex.both + _BOTTOM * depth]
    open_ = [s for s in samples[:first] if s.both >= closure.before - _BOTTOM * depth]
    if open_ and met[0].time - open_[-1].time > _REACH:
        return None
    detail = {
        "seconds": round(seconds, 4),
        "depth_right": round(depths[0], 4),
        "depth_left": round(depths[1], 4),
        "usual_opening": round(closure.usual, 4),
    }
    return Event(
        "blink" if seconds <= LONGEST else "eyes_closed",
        samples[first].time,
        met[(len(met) - 1) // 2].time,
        samples[last].time,
        round(1 - apex.both / closure.before, 4),
        detail=detail,
    )


def _span(closure: _Closure, level: float) -> tuple[int, int]:
    """Find the first and last sample around the dips of a closure that lie below a level."""
    samples = closure.samples
    first, last = samples.index(closure.first_dip), samples.index(closure.dip)
    while first > 0 and samples[first - 1].both <= level:
        first -= 1
    while last + 1 < len(samples) and samples[last + 1].both <= level:
        last += 1
    return first, last


def _seconds(closure: _Closure, level: float) -> float:
    """Measure how long the opening lies below a level, between frames by interpolation."""
    first, last = _span(closure, level)
    samples = closure.samples
    return _crossing(samples, last, last + 1, level) - _crossing(samples, first, first - 1, level)


def _crossing(samples: Sequence[_Sample], place: int, beside: int, level: float) -> float:
    """Return when the opening passes a level between a sample and its neighbour outside."""
    below = samples[place]
    if not 0 <= beside < len(samples) or samples[beside].both <= below.both:
        return below.time
    above = samples[beside]
    share = (level - below.both) / (above.both - below.both)
    return below.time + min(max(share, 0.0), 1.0) * (above.time - below.time)
