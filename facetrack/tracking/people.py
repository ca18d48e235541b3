"""The people that a tracker has seen, and deciding who a face belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.face import N_POINTS
from facetrack.tracking.encoding import decode_array, encode_array
from facetrack.tracking.identity import Person, Signature
from facetrack.tracking.pixels import Box, box_of

Points = npt.NDArray[np.float64]

# Agreement of signatures (see `identity`) that makes a face a known person's: near the place where
# that person was lost a moment ago, and anywhere.
_LIKENESS_NEAR: Final = 0.4
_LIKENESS: Final = 0.62
# Who went behind another face is expected to come out again, half covered and turned at first.
_LIKENESS_BEHIND: Final = 0.25
_MARGIN: Final = 0.1  # ahead of the second likeliest, or nobody is recognised

_MOMENT: Final = 60  # frames
_REACH: Final = 1.0  # face sizes that somebody lost may have moved at once, ...
_REACH_GROWTH: Final = 0.1  # ... and more per frame since

_MOST_PEOPLE: Final = 64  # remembered; the longest lost are forgotten first


class Reason(StrEnum):
    """Why a face is lost, in words for `Face.reason`."""

    COVERED = "covered or out of view"
    LEFT = "left the image"
    CUT = "the picture was cut"
    DOUBTED = "probably no face"
    TOO_SMALL_PICTURE = "the picture is too small"


@dataclass(slots=True)
class Missing:
    """Somebody who was tracked and is not seen now.

    Attributes
    ----------
    person : Person
    points : ndarray, shape (68, 2), float64
        The last good shape in pixels.
    velocity : ndarray, shape (2,), float64
        Pixels a frame when last seen.
    since : int
        Number of the frame in which the face was lost.
    reason : str
        Why, in words.
    behind : bool
        Whether the face was lost while it touched another one.
    """

    person: Person
    points: Points
    velocity: npt.NDArray[np.float64]
    since: int
    reason: str
    behind: bool = False

    @property
    def box(self) -> Box:
        """Box of the last shape, (x0, y0, x1, y1) in pixels."""
        return box_of(self.points)

    def may_be_at(self, points: Points, frame: int) -> bool:
        """Tell whether the person can have come from the last place to this one by now.

        Parameters
        ----------
        points : ndarray, shape (68, 2), float64
        frame : int
            Number of the present frame.

        Returns
        -------
        bool
        """
        gone = frame - self.since
        if gone > _MOMENT:
            return False
        x0, y0, x1, y1 = self.box
        size = max(x1 - x0, y1 - y0)
        shift = points.mean(axis=0) - self.points.mean(axis=0)
        moved = min(float(np.hypot(*shift)), float(np.hypot(*(shift - gone * self.velocity))))
        return moved <= (_REACH + _REACH_GROWTH * gone) * size


class People:
    """Hands out ids and remembers those who are missing."""

    def __init__(self) -> None:
        self.missing: list[Missing] = []
        self._next_id = 0

    def recognise(self, seen: Signature, points: Points, frame: int) -> Person | None:
        """Decide whose face this is.

        Parameters
        ----------
        seen : ndarray
            The face's signature.
        points : ndarray, shape (68, 2), float64
            Where it is, in pixels.
        frame : int
            Number of the present frame.

        Returns
        -------
        Person or None
            Somebody missing, who is no longer so, or a new person. None if it is in doubt: the
            face does not look like anybody missing, but somebody was lost near here a moment ago
            and may be half covered yet. Ask again in the next frame.
        """
        likenesses = [missing.person.likeness(seen) for missing in self.missing]
        if likenesses:
            best = int(np.argmax(likenesses))
            enough = _LIKENESS
            if self.missing[best].may_be_at(points, frame):
                enough = _LIKENESS_BEHIND if self.missing[best].behind else _LIKENESS_NEAR
            second = max(likenesses[:best] + likenesses[best + 1 :], default=-1.0)
            if likenesses[best] >= max(enough, second + _MARGIN):
                return self.missing.pop(best).person
        if any(missing.may_be_at(points, frame) for missing in self.missing):
            return None
        return self.new()

    def new(self) -> Person:
        """Return somebody who was never seen before."""
        self._next_id += 1
        return Person(self._next_id - 1)

    def lose(self, missing: Missing) -> None:
        """Remember somebody who is gone."""
        self.missing.append(missing)
        del self.missing[: max(0, len(self.missing) - _MOST_PEOPLE)]

    def forget_all(self) -> None:
        """Expect nobody back; ids are not used again."""
        self.missing.clear()

    def state(self) -> dict[str, Any]:
        """Return everything that `restore` needs, as JSON knows it."""
        return {
            "next_id": self._next_id,
            "missing": [
                {
                    "person": missing.person.state(),
                    "points": encode_array(missing.points),
                    "velocity": encode_array(missing.velocity),
                    "since": missing.since,
                    "reason": missing.reason,
                    "behind": missing.behind,
                }
                for missing in self.missing
            ],
        }

    def restore(self, state: dict[str, Any], model: object) -> None:
        """Go on from what `state` returned, with the model that was taught."""
        self._next_id = int(state["next_id"])
        self.missing = [
            Missing(
                person=Person.from_state(missing["person"], model),
                points=decode_array(missing["points"], (N_POINTS, 2), np.float64),
                velocity=decode_array(missing["velocity"], (2,), np.float64),
                since=int(missing["since"]),
                reason=str(missing["reason"]),
                behind=bool(missing["behind"]),
            )
            for missing in state["missing"]
        ]
