"""Mouth crops of a tracked face: 25 a second, steady, grey; live and offline the same code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated, Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.face import N_POINTS, Face
from facetrack.features.crops import PLACES, Crop
from facetrack.features.pixels import Image
from facetrack.features.warp import warp
from facetrack.formats.encoding import NO_STATE, Stateful
from facetrack.landmarks.markup import GROUPS, outer_eye_distance
from facetrack.landmarks.procrustes import Similarity
from facetrack.lips.clips import RATE, SIDE, LipFrame

HALF: Final = 6  # frames to either side over which the crop's place is averaged
GAP: Final = 12  # frames without a face that are bridged
WIDTH: Final = 1.29  # of the crop, in outer-eye distances (Martinez et al. 2020)
MOUTH: Final = Crop("mouth", (SIDE, SIDE), margin=WIDTH / PLACES["mouth"].width - 1, follow=True)
_KEPT: Final = 1.5  # outer-eye distances around the mouth: more than any crop shows
_LIPS: Final = list(GROUPS["mouth"])

Points = Annotated[npt.NDArray[np.float64], (N_POINTS, 2)]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A face in one frame, as the cropper takes it."""

    timestamp: float  # seconds
    grey: Image | None  # (H, W); None where there is no picture: the crop is None as well
    points: Points | None  # (68, 2), pixels of the frame; None where the face is lost
    origin: tuple[int, int] = (0, 0)  # x, y where `grey` begins in the frame, if it is a part of it

    def around(self, points: Points) -> Seen:
        """Keep a copy of what lies around a mouth at `points`: what waits for others is small."""
        if self.grey is None:
            return self
        x, y = points[_LIPS].mean(axis=0)
        half = _KEPT * float(outer_eye_distance(points))
        height, width = self.grey.shape
        left, top = (int(min(max(v - half, 0), side - 2)) for v, side in ((x, width), (y, height)))
        right, bottom = (int(min(max(v + half, low + 2), side))
                         for v, low, side in ((x, left, width), (y, top, height)))  # fmt: skip
        return replace(self, grey=self.grey[top:bottom, left:right].copy(), origin=(left, top))

    @classmethod
    def of(cls, timestamp: float, grey: Image | None, face: Face | None) -> Seen:
        """Take what is known of a face; no points if it is lost or a point has no place."""
        known = face is not None and face.tracked and bool(np.isfinite(face.points).all())
        return cls(timestamp, grey, face.points if face is not None and known else None)


@dataclass
class MouthCropper(Stateful):
    """Cuts mouths out while frames come; a frame is ready when six more are known.

    The crop's place follows landmarks that are averaged over twelve frames around its own, the two
    outermost by half, fewer at the ends of a stretch: the tracker's jitter does not become motion,
    and what the mouth does within half a second stays.
    """

    mean: Points = field(metadata=NO_STATE)  # (68, 2), the mean shape that faces are aligned to
    _clock: _Clock = field(default_factory=lambda: _Clock(), init=False)
    # Of this stretch, from the first that a crop still needs, and their landmarks, interpolated:
    # shorter while a gap is open.
    _waiting: list[Seen] = field(default_factory=list, init=False)
    _known: list[Points] = field(default_factory=list, init=False)
    _place: Points | None = field(default=None, init=False)  # where the face was seen last
    _done: int = field(default=0, init=False)  # of `_known`: those whose crop was given
    _fresh: bool = field(default=True, init=False)

    def push(self, seen: Seen) -> list[LipFrame]:
        """Take the next frame and return the crops that became certain; its time must be later."""
        return [frame for one in self._clock.push(seen) for frame in self._take(one)]

    def finish(self) -> list[LipFrame]:
        """End, when no further frame comes, and return the crops that are left."""
        ready = [frame for one in self._clock.finish() for frame in self._take(one)]
        if self._known:  # lost a moment before the end: it is where it was
            self._known += [self._known[-1]] * (len(self._waiting) - len(self._known))
        return ready + self._end()

    def _take(self, seen: Seen) -> list[LipFrame]:
        where = seen.points if seen.points is not None else self._place
        self._place = where
        self._waiting.append(seen if where is None else seen.around(where))
        if seen.points is None:
            if not self._known:
                del self._waiting[:-GAP]
                return []
            return self._end() if len(self._waiting) - len(self._known) > GAP else []
        if not self._known:  # found late: it was where it is now
            self._known = [seen.points] * (len(self._waiting) - 1)
        gap = len(self._waiting) - len(self._known)
        if gap > 1:
            before = self._known[-1]
            steps = np.arange(1, gap)[:, None, None] / gap
            self._known.extend(before + steps * (seen.points - before))
        self._known.append(seen.points)
        ready = [self._cut(i, HALF) for i in range(self._done, len(self._known) - HALF)]
        self._done = max(self._done, len(self._known) - HALF)
        spare = max(self._done - HALF, 0)
        if not self._fresh and spare:
            del self._waiting[:spare], self._known[:spare]
            self._done -= spare
        return ready

    def _end(self) -> list[LipFrame]:
        """End a stretch: what is left is smoothed over what there is."""
        n = len(self._known)
        left = [self._cut(i, min(HALF, n - 1 - i)) for i in range(self._done, n)]
        self._waiting, self._known, self._done, self._fresh = [], [], 0, True
        return left

    def _cut(self, i: int, after: int) -> LipFrame:
        half = min(i, after, HALF)
        weights = np.ones(2 * half + 1)
        if half:
            weights[[0, -1]] = 0.5
        around = np.stack(self._known[i - half : i + half + 1])
        smooth = np.tensordot(weights / weights.sum(), around, 1)
        to_crop = MOUTH.transform(smooth, self.mean)
        seen, begins = self._waiting[i], self._fresh
        shown = seen.grey
        if shown is not None:
            shown = warp(shown, _moved(to_crop, seen.origin), MOUTH.size)
        self._fresh = False
        return LipFrame(
            seen.timestamp,
            shown,
            to_crop.apply(self._known[i][_LIPS]).astype(np.float32),
            seen.points is not None,
            begins,
        )


@dataclass(slots=True)
class _Clock:
    """Frames at any times made 25 a second: to each moment the frame that is nearest."""

    _first: float | None = None
    _given: int = 0
    _last: Seen | None = None

    def push(self, seen: Seen) -> Iterator[Seen]:
        """Yield what the frame before is nearest to."""
        if self._first is None or self._last is None:
            self._first = seen.timestamp
        elif seen.timestamp <= self._last.timestamp:
            raise InputError(f"time must grow, got {seen.timestamp} after {self._last.timestamp}")
        else:
            yield from self._until((self._last.timestamp + seen.timestamp) / 2)
        self._last = seen

    def finish(self) -> Iterator[Seen]:
        """Yield what the last frame is nearest to."""
        if self._last is not None:
            yield from self._until(self._last.timestamp + 0.5 / RATE)

    def _until(self, end: float) -> Iterator[Seen]:
        assert self._first is not None
        assert self._last is not None
        while (moment := self._first + self._given / RATE) < end - 1e-6:
            self._given += 1
            far = abs(self._last.timestamp - moment) > GAP / RATE  # a hole in the video
            points = None if far else self._last.points
            yield replace(self._last, timestamp=moment, points=points)


def _moved(to_crop: Similarity, origin: tuple[int, int]) -> Similarity:
    """Return the map from a part of a picture that begins at an origin."""
    x, y = to_crop.apply(np.array(origin, dtype=np.float64)).tolist()
    return Similarity(to_crop.a, to_crop.b, x, y)
