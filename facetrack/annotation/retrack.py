"""Tracking a stretch of video anew from corrected frames, forward and back."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.face import Fit
from facetrack.features.crops import take_patch
from facetrack.identity.person import UNKNOWN, Person
from facetrack.landmarks.markup import outer_eye_distance
from facetrack.tracking.track import HOPELESS, PATIENCE, WELL_FITTED, Fits, Track
from facetrack.video.frame import Frame

Points = npt.NDArray[np.float64]
Span = tuple[int, int]
Looker = Callable[[int], Frame]  # from a frame's number to the frame

STOPPED: Final = "stopped"
_FLOOR: Final = 1e-3  # quality that a fit has at least when both directions are blended


@dataclass(frozen=True, slots=True)
class Refit:
    """One frame of a stretch that was tracked anew."""

    frame: int
    points: Points  # pixels
    quality: float
    apart: float  # mean distance of both directions, eye distances; NaN: only one came here
    confidence: npt.NDArray[np.float64]  # of the direction which counts more


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of tracking a stretch anew."""

    refits: list[Refit]  # by frame, without the corrected ones
    reason: str  # why frames are missing: stopped, or where the face was lost
    fits: int  # stopping a second run after as many gives the same

    def moved(self, move: Callable[[Points], Points]) -> Outcome:
        """Tell the same of pictures whose pixels lie elsewhere; `move` takes points there."""
        return replace(
            self, refits=[replace(refit, points=move(refit.points)) for refit in self.refits]
        )


def retrack(
    model: Fits,
    look: Looker,
    anchors: Mapping[int, Points],
    span: Span,
    *,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Outcome:
    """Track a stretch anew from the frames that a person corrected, `anchors` in pixels.

    Anchors outside of the span serve as starts if they are its neighbours. Between two the face is
    followed from both sides. The directions are blended by their distance to their anchor and by
    the quality of their fits: near an anchor that one counts whose anchor it is, and a direction
    that went astray counts little. `stop` is asked before every fit.
    """
    if not anchors or span[0] >= span[1]:
        raise InputError(f"tracking anew needs a corrected frame and frames, got span {span}")
    gaps = _gaps(sorted(anchors), span)
    total = sum(len(g.frames) * ((g.before is not None) + (g.after is not None)) for g in gaps)
    work = _Work(model, look, stop, progress, total)
    refits: list[Refit] = []
    for gap in gaps:
        forward = work.follow(anchors, gap.before, gap.frames)
        backward = work.follow(anchors, gap.after, gap.frames[::-1])
        refits += _blend(gap, forward, backward)
    return Outcome(refits, work.reason(refits, anchors, span), work.done)


@dataclass(frozen=True, slots=True)
class _Gap:
    """Frames without a correction between two anchors, either of which may be missing."""

    before: int | None
    after: int | None
    frames: range


def _gaps(anchors: list[int], span: Span) -> list[_Gap]:
    """Cut the span at its anchors."""
    first, end = span
    inside = [a for a in anchors if first <= a < end]
    before = max((a for a in anchors if a < first), default=None)
    after = min((a for a in anchors if a >= end), default=None)
    borders = [before, *inside, after]
    gaps = []
    for left, right in itertools.pairwise(borders):
        start = first if left is None or left < first else left + 1
        stop = end if right is None or right >= end else right
        # An anchor outside of the span is a start only if it touches the span.
        near_left = left if left is not None and left == start - 1 else None
        near_right = right if right is not None and right == stop else None
        if start < stop and (near_left is not None or near_right is not None):
            gaps.append(_Gap(near_left, near_right, range(start, stop)))
    return gaps


@dataclass(slots=True)
class _Work:
    """The fits of one call: counted, stoppable."""

    model: Fits
    look: Looker
    stop: Callable[[], bool]
    progress: Callable[[int, int], None]
    total: int
    done: int = 0
    _stopped: bool = False
    _lost: list[str] = field(default_factory=list)

    def follow(
        self, anchors: Mapping[int, Points], anchor: int | None, frames: range
    ) -> dict[int, Fit]:
        """Follow the face from an anchor through frames as far as it is seen."""
        found: dict[int, Fit] = {}
        if anchor is None or not frames or self._stopped:
            return found
        track = _track_from(anchors[anchor], self.look(anchor).grey)
        for number in frames:
            if self.stop():
                self._stopped = True
                return found
            image = self.look(number).grey
            fit = track.follow(self.model, image)
            self.done += 1
            self.progress(self.done, self.total)
            weak = fit is not None and fit.quality < WELL_FITTED and track.weak + 1 >= PATIENCE
            if fit is None or fit.quality < HOPELESS or weak:
                way = "forward" if number > anchor else "back"
                self._lost.append(f"lost in frame {number + 1} on the way {way}")
                return found
            track.accept(fit, image)
            found[number] = fit
        return found

    def reason(self, refits: list[Refit], anchors: Mapping[int, Points], span: Span) -> str:
        """Say why frames are missing."""
        if self._stopped:
            return STOPPED
        covered = {refit.frame for refit in refits} | set(anchors)
        missing = [number for number in range(*span) if number not in covered]
        return "; ".join(self._lost) if missing else ""


def _track_from(points: Points, image: npt.NDArray[np.uint8]) -> Track:
    return Track(
        person=Person(UNKNOWN),
        points=np.array(points, dtype=np.float64),
        quality=1.0,
        patch=take_patch(image, points),
        smoother=None,
    )


def _blend(gap: _Gap, forward: Mapping[int, Fit], backward: Mapping[int, Fit]) -> list[Refit]:
    refits = []
    for number in gap.frames:
        ahead, back = forward.get(number), backward.get(number)
        one = ahead or back
        if one is None:
            continue
        if ahead is None or back is None or gap.before is None or gap.after is None:
            alone = float("nan")
            refits.append(Refit(number, one.points, one.quality, alone, one.confidence))
            continue
        share = (number - gap.before) / (gap.after - gap.before)
        from_before = (1 - share) * max(ahead.quality, _FLOOR)
        from_after = share * max(back.quality, _FLOOR)
        weight = from_before / (from_before + from_after)
        points = weight * ahead.points + (1 - weight) * back.points
        eye = float(outer_eye_distance(points))
        apart = float(np.linalg.norm(ahead.points - back.points, axis=1).mean()) / eye
        quality = weight * ahead.quality + (1 - weight) * back.quality
        confidence = ahead.confidence if weight >= 0.5 else back.confidence
        refits.append(Refit(number, points, quality, apart, confidence))
    return refits
