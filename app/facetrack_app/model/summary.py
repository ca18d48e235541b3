# SPDX-License-Identifier: GPL-3.0-or-later
"""What the timeline shows of a person: one small value a frame, for any length of video."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from facetrack_app.model.rows import DOUBT, Kind, weight

Mask = npt.NDArray[np.bool_]


@dataclass(slots=True)
class Summary:
    """Small values of every frame, of a tracklet or of a person."""

    kind: npt.NDArray[np.uint8]  # `Kind` of each frame
    trust: npt.NDArray[np.float32]  # in [0, 1]; NaN: nothing, between `first` and `stop`
    corrected: Mask = field(repr=False)  # by a person
    first: int = 2**62  # what lies outside says nothing: many tracklets are looked at inside only
    stop: int = 0

    @classmethod
    def empty(cls, n_frames: int) -> Summary:
        """Make one that says nothing."""
        return cls(
            np.zeros(n_frames, dtype=np.uint8),
            np.zeros(n_frames, dtype=np.float32),
            np.zeros(n_frames, dtype=np.bool_),
        )

    @property
    def doubtful(self) -> Mask:
        """Frames that are worth a look: lost, or of little trust, and not corrected."""
        little = (self.kind != Kind.NOTHING) & ~(self.trust >= DOUBT)
        return np.asarray(~self.corrected & ((self.kind == Kind.LOST) | little))

    @property
    def seen(self) -> Mask:
        """Frames in which there are points that are no mere guess."""
        there = ~np.isin(self.kind, (Kind.NOTHING, Kind.LOST, Kind.GUESS))
        return np.asarray(there | self.corrected)

    def weight(self, frame: int) -> int:
        """Return what counts in a frame: see `rows.weight`."""
        if not self.first <= frame < self.stop:
            return 0
        return weight(int(self.kind[frame]), bool(self.corrected[frame]))

    def put(
        self,
        frames: npt.NDArray[np.int64],
        kind: npt.NDArray[np.uint8],
        trust: npt.NDArray[np.float32],
    ) -> None:
        """Say what frames of track are."""
        self._reach(int(frames.min()), int(frames.max()))
        self.kind[frames], self.trust[frames] = kind, trust

    def mark(self, frame: int, corrected: bool) -> None:
        """Say whether a person corrected a frame."""
        self._reach(frame, frame)
        self.corrected[frame] = corrected

    def clear(self, start: int, stop: int) -> None:
        """Say nothing of a range of frames any more."""
        self._reach(start, stop - 1)
        self.kind[start:stop], self.corrected[start:stop] = Kind.NOTHING, False
        self.trust[start:stop] = np.nan

    def take(self, other: Summary, start: int, stop: int) -> None:
        """Take over the frames of another tracklet in a range where this one has none."""
        part = slice(max(start, other.first), min(stop, other.stop))
        if part.start >= part.stop:
            return
        mine, its = self._part(part), other._part(part)
        if not mine.kind.any() and not mine.corrected.any():  # the usual thing: no two at a time
            mine.kind[:], mine.trust[:], mine.corrected[:] = its.kind, its.trust, its.corrected
            return
        better = its.seen | ((its.kind != Kind.NOTHING) & (mine.kind == Kind.NOTHING))
        use = ~mine.corrected & (its.corrected | (~mine.seen & better))
        mine.kind[use], mine.trust[use] = its.kind[use], its.trust[use]
        mine.corrected[use] = its.corrected[use]

    def _part(self, part: slice) -> Summary:
        return Summary(self.kind[part], self.trust[part], self.corrected[part])

    def _reach(self, first: int, last: int) -> None:
        # Memory is taken where something is said: a video may have a thousand tracklets.
        if not self.stop:
            self.first, self.stop = first, first
        self.trust[first : self.first] = np.nan
        self.trust[self.stop : last + 1] = np.nan
        self.first, self.stop = min(self.first, first), max(self.stop, last + 1)


def next_true(mask: Mask, start: int, *, back: bool = False) -> int | None:
    """Find the nearest frame after (or before) one at which a mask is true."""
    part = mask[:start][::-1] if back else mask[start + 1 :]
    if not part.any():
        return None
    step = int(part.argmax())
    return start - 1 - step if back else start + 1 + step


def next_stretch(mask: Mask, start: int, *, back: bool = False) -> int | None:
    """Find the first frame of the next stretch of true frames: one stop a stretch, not a frame."""
    begins = mask & ~np.concatenate([[False], mask[:-1]])
    return next_true(np.asarray(begins), start, back=back)


def columns(
    values: npt.NDArray[np.generic],
    first: int,
    stop: int,
    width: int,
    reduce: Callable[..., npt.NDArray[np.generic]],
) -> npt.NDArray[np.generic]:
    """Bring the values of frames to the columns of a picture."""
    edges = first + (np.arange(width) * (stop - first)) // width
    return reduce(values[:stop], np.minimum(edges, stop - 1))
