# SPDX-License-Identifier: GPL-3.0-or-later
"""Moving points of a face by hand: one, a region with falloff, or the whole shape."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from facetrack.annotation.corrections import Correction
from facetrack.face import N_POINTS, Source
from facetrack.landmarks.markup import GROUPS, outer_eye_distance
from facetrack_app.model.handles import Handle, Place, handles_of, pulled, reshaped
from facetrack_app.model.rows import known_points

Points = npt.NDArray[np.float64]

# Regions that are dragged together: GROUPS has both eyes and brows in one.
PARTS: Final[dict[str, tuple[int, ...]]] = {
    "jaw": GROUPS["jaw"],
    "right brow": tuple(range(17, 22)),
    "left brow": tuple(range(22, 27)),
    "nose": GROUPS["nose"],
    "right eye": tuple(range(36, 42)),
    "left eye": tuple(range(42, 48)),
    "mouth": GROUPS["mouth"],
}
_FALLOFF: Final = 0.35  # of the outer-eye distance: where the pull has fallen to 1 / e
_FELT: Final = 0.05  # of the pull: what would follow less stays where it is
_PLACED: Final = 0.5  # of the pull: what follows less was carried along, not placed


class Reach(StrEnum):
    """How much of the face a drag takes along."""

    POINT = "point"
    REGION = "region"
    SHAPE = "shape"


class _Held(NamedTuple):
    """What is being moved."""

    before: Points
    weights: npt.NDArray[np.float64]  # how far each point follows
    reach: Reach
    origin: Place = (0.0, 0.0)
    handle: Handle | None = None


@dataclass(slots=True)
class Editor:
    """The face under the person's hand in one frame."""

    points: Points  # px of the frame, (68, 2); NaN where absent
    source: npt.NDArray[np.uint8]  # `Source` of each
    selected: int | None = None  # the point that keys act on
    reach: Reach = Reach.POINT  # what a drag moves
    visible: tuple[int, ...] = tuple(range(N_POINTS))  # of the mark-up; no other can be grabbed
    carried: int = 0  # points that the last move took along without placing them
    _held: _Held | None = field(default=None, repr=False)

    @classmethod
    def of(cls, points: Points, source: npt.NDArray[np.uint8]) -> Editor:
        """Begin with a face as it is."""
        return cls(np.array(points, dtype=np.float64), np.array(source, dtype=np.uint8))

    def nearest(self, place: Place, within: float) -> int | None:
        """Find the point under the pointer."""
        apart = np.linalg.norm(self.points - place, axis=1)
        apart[[i for i in range(N_POINTS) if i not in self.visible]] = np.nan
        if not (apart <= within).any():
            return None
        return int(np.nanargmin(apart))

    def grab(self, point: int, place: Place, reach: Reach | None = None) -> None:
        """Take hold of a point."""
        self.selected = point
        reach = reach or self.reach
        self._held = _Held(self.points.copy(), self._weights(point, reach), reach, place)

    @property
    def handled(self) -> bool:
        """Whether the shape has handles: it is moved as a whole, or only a guess."""
        there = bool(known_points(self.points).any())
        return there and (self.reach is Reach.SHAPE or self.guess)

    def grab_handle(self, place: Place, within: float) -> bool:
        """Take hold of a handle of the whole shape; returns whether one is there."""
        for handle, at in handles_of(self.points, within) if self.handled else ():
            if np.hypot(place[0] - at[0], place[1] - at[1]) <= within:
                self._held = self._hold_all()._replace(origin=place, handle=handle)
                return True
        return False

    def _hold_all(self) -> _Held:
        return _Held(self.points.copy(), np.ones(N_POINTS), Reach.SHAPE)

    def reshape(self, factor: float, angle: float) -> bool:
        """Scale and turn the whole shape about its middle; returns whether anything moved."""
        if not known_points(self.points).any():
            return False
        self._held = self._hold_all()
        self.points = reshaped(self.points, factor, angle)
        return self.release()

    @property
    def holding(self) -> bool:
        """Whether a drag is going on."""
        return self._held is not None

    def drag(self, place: Place) -> None:
        """Move what is held to where the pointer is."""
        held = self._held
        if held is None:
            return
        if held.handle is not None:
            self.points = pulled(held.handle, held.before, held.origin, place)
        else:
            self.points = held.before + held.weights[:, None] * np.subtract(place, held.origin)

    def release(self) -> bool:
        """Let go; returns whether anything moved.

        What followed the hand by at least half counts as placed by the person; what was carried
        along less is a guess, unless a person had placed it before. A whole shape that is a guess
        stays one wherever it is put.
        """
        if self._held is None:
            return False
        held, self._held = self._held, None
        moved = np.nan_to_num(np.abs(self.points - held.before)).max(axis=1) > 0
        placed = moved & (held.weights >= _PLACED)
        if held.reach is Reach.SHAPE:
            placed &= self.source != Source.INTERPOLATED
        self._vouch(np.asarray(placed))
        carried = moved & ~np.isin(self.source, (Source.OCCLUDED, Source.CORRECTED))
        self.source[carried] = Source.INTERPOLATED
        self.carried = int(carried.sum())
        return bool(moved.any())

    def cancel(self) -> None:
        """Put back what is held."""
        if self._held is not None:
            self.points = self._held.before
            self._held = None

    def let_go(self) -> None:
        """Select no point, unless it is being dragged."""
        if not self.holding:
            self.selected = None

    def nudge(self, dx: float, dy: float) -> bool:
        """Move the selected point by pixels; returns whether there was one."""
        if self.selected is None:
            return False
        self.grab(self.selected, (0.0, 0.0))
        self.drag((dx, dy))
        return self.release()

    def place_shape(self, points: Points) -> None:
        """Put a copy from another frame here: the person says that it lies right."""
        self.points = np.array(points, dtype=np.float64)
        known = known_points(self.points)
        self.source[~known] = Source.ABSENT
        self.source[known & (self.source != Source.OCCLUDED)] = Source.INTERPOLATED
        self._vouch(known)

    def vouch_for_all(self) -> None:
        """Say that every point that is there, and shown, is right."""
        self._vouch(known_points(self.points))

    def toggle_occluded(self) -> bool:
        """Mark the selected point as hidden, or as seen again; returns whether there was one.

        Its place was a guess while it was hidden, and is one until the person says more.
        """
        if self.selected is None or not np.isfinite(self.points[self.selected]).all():
            return False
        hidden = self.source[self.selected] == Source.OCCLUDED
        self.source[self.selected] = Source.INTERPOLATED if hidden else Source.OCCLUDED
        return True

    def mark_absent(self) -> bool:
        """Say that the selected point is not there at all; returns whether it was."""
        if self.selected is None or not np.isfinite(self.points[self.selected]).all():
            return False
        self.points[self.selected] = np.nan
        self.source[self.selected] = Source.ABSENT
        return True

    def bring_back(self, whole: Points) -> None:
        """Give the selected point, which was absent, a place that the person did not look at."""
        if self.selected is not None:
            self.points[self.selected] = whole[self.selected]
            self.source[self.selected] = Source.INTERPOLATED

    def select_next(self, step: int) -> None:
        """Select the next point of the mark-up, or the one before."""
        order = list(self.visible)
        place = order.index(self.selected) + step if self.selected in order else min(step, 0)
        self.selected = order[place % len(order)]

    def correction(self) -> Correction:
        """Give what the person says now."""
        return Correction(self.points, self.source)

    @property
    def guess(self) -> bool:
        """Whether nothing is known of any point: a shape that was only put here."""
        return bool(np.isin(self.source, (Source.INTERPOLATED, Source.ABSENT)).all())

    def _vouch(self, which: npt.NDArray[np.bool_]) -> None:
        # A hidden point that is dragged stays hidden: its place is still a guess. For what is not
        # shown no person can vouch.
        shown = np.isin(np.arange(N_POINTS), self.visible)
        self.source[which & shown & (self.source != Source.OCCLUDED)] = Source.CORRECTED

    def _weights(self, point: int, reach: Reach) -> npt.NDArray[np.float64]:
        """How far each point follows the one that is held, from 0 to 1; hidden ones stay."""
        weights = np.zeros(N_POINTS)
        if reach is Reach.SHAPE:
            weights[:] = 1.0
        elif reach is Reach.REGION:
            part = list(next(p for p in PARTS.values() if point in p))
            apart = np.linalg.norm(self.points[part] - self.points[point], axis=1)
            scale = _FALLOFF * float(outer_eye_distance(self.points))
            pull = np.exp(-np.square(apart / max(scale, 1e-6)))
            weights[part] = np.where(pull > _FELT, pull, 0.0)
        locked = self.source == Source.OCCLUDED
        weights[locked & (reach is not Reach.SHAPE)] = 0.0
        weights[point] = 1.0
        return np.nan_to_num(weights)
