"""The people that a tracker has seen, and deciding who a face belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Final

import numpy as np
import numpy.typing as npt

from facetrack.face import N_POINTS
from facetrack.features.pixels import Box, box_of
from facetrack.identity.person import Person, Signature

Points = Annotated[npt.NDArray[np.float64], (N_POINTS, 2)]
Motion = Annotated[npt.NDArray[np.float64], (2,)]

# Agreement of signatures (see `appearance`) that makes a face a known person's: in the mean of
# several looks, and in a single one. For 102 returns of training people that the whitening was not
# learned from the mean of eight looks was at least 0.50; for 0.1 % of strangers it exceeds 0.39.
LIKENESS: Final = 0.44
_SURE: Final = 0.65
_LOOKS: Final = 3
# Near the place where that person was lost right now less is enough, ...
_LIKENESS_NEAR: Final = 0.35
_NEAR: Final = 1.0  # ... seconds for which that holds, less and less
# Who went behind another face is expected to come out again, half covered and turned at first.
_LIKENESS_BEHIND: Final = 0.25
_DOUBTFUL: Final = 0.3  # agreement from which on a face may yet turn out to be a known person's
_MARGIN: Final = 0.1  # ahead of the second likeliest, or no person is recognised

_MOMENT: Final = 2.0  # seconds for which a lost person is expected near
_REACH: Final = 1.0  # face sizes that a lost person may have moved at once, ...
_REACH_GROWTH: Final = 0.1  # ... and more per frame since

_MOST_PEOPLE: Final = 64  # remembered; the longest lost are forgotten first


class Reason(StrEnum):
    """Why a face is lost, in words for `Face.reason`."""

    COVERED = "covered or out of view"
    LEFT = "left the image"
    CUT = "the picture was cut"
    DOUBTED = "probably no face"
    TOO_SMALL_PICTURE = "the picture is too small"


@dataclass(slots=True, eq=False)
class Missing:
    """A person who was tracked and is not seen now."""

    person: Person
    points: Points  # the last good shape, pixels
    velocity: Motion  # pixels a frame when last seen
    since: int  # number of the frame in which the face was lost
    time: float  # seconds at which that was
    reason: str  # why, in words
    behind: bool = False  # whether the face was lost while it touched another one

    @property
    def box(self) -> Box:
        """Box of the last shape, (x0, y0, x1, y1) in pixels."""
        return box_of(self.points)

    def may_be_at(self, points: Points, frame: int, time: float) -> bool:
        """Return whether the person can have come from the last place to this one by now."""
        if time - self.time > _MOMENT:
            return False
        gone = frame - self.since
        x0, y0, x1, y1 = self.box
        size = max(x1 - x0, y1 - y0)
        shift = points.mean(axis=0) - self.points.mean(axis=0)
        moved = min(float(np.hypot(*shift)), float(np.hypot(*(shift - gone * self.velocity))))
        return moved <= (_REACH + _REACH_GROWTH * gone) * size


@dataclass(slots=True)
class People:
    """Hands out ids and remembers those who are missing."""

    missing: list[Missing] = field(default_factory=list)
    _next_id: int = 0

    def recognise(
        self, looks: Sequence[Signature], points: Points, frame: int, time: float
    ) -> Person | None:
        """Decide whose face this is, by its signatures in this frame and those before.

        Returns a person missing, who is no longer so, or a new person. None if it is in doubt: the
        face looks a little like a person missing, but not enough, or too few looks were taken,
        or a person was lost near here a moment ago and may be half covered yet. Ask again in the
        next frame, with one look more.
        """
        if not self.missing:
            return self.new()
        likenesses = [
            sum(missing.person.likeness(seen) for seen in looks) / len(looks)
            for missing in self.missing
        ]
        near = [missing.may_be_at(points, frame, time) for missing in self.missing]
        best = int(np.argmax(likenesses))
        enough = LIKENESS if len(looks) >= _LOOKS else _SURE
        if near[best]:
            enough = _enough_near(self.missing[best], enough, time)
        second = max(likenesses[:best] + likenesses[best + 1 :], default=-1.0)
        if likenesses[best] >= max(enough, second + _MARGIN):
            return self.missing.pop(best).person
        if any(near) or likenesses[best] >= _DOUBTFUL or len(looks) < _LOOKS:
            return None
        return self.new()

    def new(self) -> Person:
        """Return a person who was never seen before."""
        self._next_id += 1
        return Person(self._next_id - 1)

    def lose(self, missing: Missing) -> None:
        """Remember a person who is gone."""
        self.missing.append(missing)
        del self.missing[: max(0, len(self.missing) - _MOST_PEOPLE)]

    def forget_all(self) -> None:
        """Expect no person back; ids are not used again."""
        self.missing.clear()


def _enough_near(missing: Missing, anywhere: float, time: float) -> float:
    """Return how much agreement is enough near the place where a person was lost."""
    if missing.behind:
        return _LIKENESS_BEHIND
    part = min((time - missing.time) / _NEAR, 1.0)
    return _LIKENESS_NEAR + part * (anywhere - _LIKENESS_NEAR)
