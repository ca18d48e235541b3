"""Eyelids that fall, meet and rise: one closure, and what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import degrees, dist, isnan, nan
from typing import Final, NamedTuple

from facetrack.reading import Event
from facetrack.signals.estimator import UNKNOWN_POINT, lost
from facetrack.signals.geometry import eye_openings
from facetrack.signals.observation import Observation

LONGEST: Final = 0.6  # seconds: 15 frames at 25/s; what is closed longer is no blink
_USUAL: Final = 0.4  # seconds: a blink lasts 0.1 to 0.4; what is longer must be shut, not narrowed
_CLOSED: Final = 0.275  # eye aspect ratio at or below which lids may be closed, whoever it is
_CLOSED_SMALL: Final = 0.3  # the same of a small face, whose lids are not followed all the way
_SMALL: Final = 100.0  # px between the outer eye corners
_NARROWED: Final = 0.65  # of the open eye, likewise: some eyes are narrow
_SHUT: Final = 0.5  # of the open eye: eyes that stay above it are narrowed or look down
RISE: Final = 0.08  # of the open eye, above the deepest point: open again
REACH: Final = 0.35  # seconds
# Seconds at or below that limit, and half-way down: lids cannot close and open again faster
_SHORTEST: Final = 0.05
_WAS_OPEN: Final = 0.7  # of the open eye: what falls from below it flutters while closed
_LEVEL: Final = 0.5  # of the depth, above the deepest point: what is below belongs to the closure
_BOTTOM: Final = 0.3  # of the depth, likewise: the lids have met
_KEPT: Final = 2.0  # seconds of a closure that are remembered frame by frame
_ONE_SIDED: Final = 0.3  # of the other eye's depth: less is a wink
_HALF_TURNED: Final = 30.0  # degrees of yaw beyond which only the nearer eye counts
_TURNED: Final = 55.0  # degrees of yaw beyond which no eye can be judged


class Sample(NamedTuple):
    """The eyes in one frame: aspect ratios of the right, the left, and of what counts."""

    frame: int
    time: float
    right: float
    left: float
    both: float
    closed: float  # at or below it lids may be closed, whoever it is


@dataclass(slots=True)
class Closure:
    """Lids that fall, are closed, and open again."""

    before: float  # aspect ratio of the eyes before
    usual: float  # of the person's open eyes at that time
    samples: list[Sample]  # from before the fall, thinned where they become many
    apex: Sample  # the deepest
    dip: Sample  # the latest deep point: lids that flutter have several
    first_dip: Sample  # the first of them
    crest: float = nan  # largest opening since the dip, once the eyes are open again

    @classmethod
    def begin(cls, before: float, usual: float, samples: list[Sample]) -> Closure:
        """Begin with the sample that has fallen, after those that go before it."""
        return cls(before, usual, samples, samples[-1], samples[-1], samples[-1])

    def add(self, sample: Sample) -> None:
        """Take the next sample; of lids that stay closed, not all are kept."""
        self.samples.append(sample)
        middle = len(self.samples) // 2
        marks = (self.apex, self.dip, self.first_dip)
        if sample.time - self.samples[0].time > _KEPT and self.samples[middle] not in marks:
            del self.samples[middle]

    @property
    def level(self) -> float:
        """The opening below which a frame belongs to the closure."""
        return self.apex.both + _LEVEL * (self.before - self.apex.both)

    @property
    def rise(self) -> float:
        """How far above the dip the eyes count as open again."""
        return min(RISE * self.usual, _LEVEL * (self.before - self.dip.both))

    @property
    def limit(self) -> float:
        """The opening at or below which lids may be closed."""
        return min(self.apex.closed, _NARROWED * self.usual)

    def may_be_closed(self, sample: Sample) -> bool:
        """Return whether lids may be closed in a sample."""
        return sample.both <= min(sample.closed, _NARROWED * self.usual)

    @property
    def ajar(self) -> bool:
        """Whether lids that were shut have opened since, but not enough to be open."""
        return self.shut and self.crest <= _SHUT * self.usual

    @property
    def shut(self) -> bool:
        """Whether the lids have closed for good, not only narrowed the eyes."""
        return self.apex.both <= _SHUT * self.usual


def measure(seen: Observation) -> tuple[Sample | None, str]:
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
    width = dist(face.points[36], face.points[45])
    closed = _CLOSED_SMALL if width < _SMALL else _CLOSED
    return Sample(seen.index, seen.timestamp, right, left, both, closed), ""


def judge(closure: Closure) -> Event | None:
    """Judge a closure that is over."""
    apex, samples = closure.apex, closure.samples
    if (
        apex.both > closure.limit
        or closure.before < _WAS_OPEN * closure.usual
        or _seconds(closure, min(closure.limit, closure.level)) < _SHORTEST
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
    if open_ and met[0].time - open_[-1].time > REACH:
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
        met[(len(met) - 1) // 3].time,
        samples[last].time,
        round(1 - apex.both / closure.before, 4),
        detail=detail,
    )


def _span(closure: Closure, level: float) -> tuple[int, int]:
    """Find the first and last sample around the dips of a closure that lie below a level."""
    samples = closure.samples
    first, last = samples.index(closure.first_dip), samples.index(closure.dip)
    while first > 0 and samples[first - 1].both <= level:
        first -= 1
    while last + 1 < len(samples) and samples[last + 1].both <= level:
        last += 1
    return first, last


def _seconds(closure: Closure, level: float) -> float:
    """Measure how long the opening lies below a level, between frames by interpolation."""
    first, last = _span(closure, level)
    samples = closure.samples
    return _crossing(samples, last, last + 1, level) - _crossing(samples, first, first - 1, level)


def _crossing(samples: Sequence[Sample], place: int, beside: int, level: float) -> float:
    """Return when the opening passes a level between a sample and its neighbour outside."""
    below = samples[place]
    if not 0 <= beside < len(samples) or samples[beside].both <= below.both:
        return below.time
    above = samples[beside]
    share = (level - below.both) / (above.both - below.both)
    return below.time + min(max(share, 0.0), 1.0) * (above.time - below.time)
