# SPDX-License-Identifier: GPL-3.0-or-later
"""Moving points of a face by hand: one, a region with falloff, or the whole shape."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.annotation.corrections import Correction
from facetrack.face import N_POINTS, Source
from facetrack.landmarks.markup import GROUPS, outer_eye_distance
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


class Reach(StrEnum):
    """How much of the face a drag takes along."""

    POINT = "point"
    REGION = "region"
    SHAPE = "shape"


@dataclass(slots=True)
class Editor:
    """The face under the person's hand in one frame.

    Attributes
    ----------
    points : ndarray, shape (68, 2), float64
        As they stand now, in pixels of the frame; NaN where absent.
    source : ndarray, shape (68,), uint8
        `Source` of each.
    selected : int or None
        The point that keys act on.
    reach : Reach
        What a drag moves.
    visible : tuple of int
        The points of the mark-up in use; others cannot be grabbed.
    """

    points: Points
    source: npt.NDArray[np.uint8]
    selected: int | None = None
    reach: Reach = Reach.POINT
    visible: tuple[int, ...] = tuple(range(N_POINTS))
    _grabbed: tuple[Points, npt.NDArray[np.float64], npt.NDArray[np.float64]] | None = field(
        default=None, repr=False
    )

    @classmethod
    def of(cls, points: Points, source: npt.NDArray[np.uint8]) -> Editor:
        """Begin with a face as it is."""
        return cls(np.array(points, dtype=np.float64), np.array(source, dtype=np.uint8))

    def nearest(self, place: tuple[float, float], within: float) -> int | None:
        """Find the point under the pointer.

        Parameters
        ----------
        place : (float, float)
            x, y in pixels of the frame.
        within : float
            Farthest distance in pixels.

        Returns
        -------
        int or None
        """
        apart = np.linalg.norm(self.points - place, axis=1)
        apart[[i for i in range(N_POINTS) if i not in self.visible]] = np.nan
        if not (apart <= within).any():
            return None
        return int(np.nanargmin(apart))

    def grab(self, point: int, place: tuple[float, float], reach: Reach | None = None) -> None:
        """Take hold of a point.

        Parameters
        ----------
        point : int
        place : (float, float)
            The pointer in pixels of the frame.
        reach : Reach, optional
            Instead of the editor's own.
        """
        self.selected = point
        weights = self._weights(point, reach or self.reach)
        self._grabbed = self.points.copy(), np.array(place, dtype=np.float64), weights

    @property
    def holding(self) -> bool:
        """Whether a drag is going on."""
        return self._grabbed is not None

    def drag(self, place: tuple[float, float]) -> None:
        """Move what is held to where the pointer is."""
        if self._grabbed is not None:
            before, origin, weights = self._grabbed
            self.points = before + weights[:, None] * (np.asarray(place) - origin)

    def release(self) -> bool:
        """Let go; returns whether anything moved. What moved counts as corrected."""
        if self._grabbed is None:
            return False
        before, _, weights = self._grabbed
        self._grabbed = None
        moved = np.nan_to_num(np.abs(self.points - before)).max(axis=1) > 0
        self._vouch(np.asarray(moved & (weights > 0.05)))
        return bool(moved.any())

    def cancel(self) -> None:
        """Put back what is held."""
        if self._grabbed is not None:
            self.points = self._grabbed[0]
            self._grabbed = None

    def nudge(self, dx: float, dy: float) -> bool:
        """Move the selected point by pixels; returns whether there was one."""
        if self.selected is None:
            return False
        self.grab(self.selected, (0.0, 0.0))
        self.drag((dx, dy))
        return self.release()

    def place_shape(self, points: Points) -> None:
        """Put a whole shape here: a copy from another frame, or a fit that the person accepts."""
        self.points = np.array(points, dtype=np.float64)
        known = known_points(self.points)
        self.source[~known] = Source.ABSENT
        self._vouch(known)

    def vouch_for_all(self) -> None:
        """Say that every point that is there is right."""
        self._vouch(known_points(self.points))

    def toggle_occluded(self) -> bool:
        """Mark the selected point as hidden, or as seen again; returns whether there was one."""
        if self.selected is None or not np.isfinite(self.points[self.selected]).all():
            return False
        hidden = self.source[self.selected] == Source.OCCLUDED
        self.source[self.selected] = Source.CORRECTED if hidden else Source.OCCLUDED
        return True

    def mark_absent(self) -> bool:
        """Say that the selected point is not there at all; returns whether it was."""
        if self.selected is None or not np.isfinite(self.points[self.selected]).all():
            return False
        self.points[self.selected] = np.nan
        self.source[self.selected] = Source.ABSENT
        return True

    def bring_back(self, whole: Points) -> None:
        """Give the selected point, which was absent, a place that the person did not look at.

        Parameters
        ----------
        whole : ndarray, shape (68, 2), float64
            Where points are if none is absent, in pixels.
        """
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

    def _vouch(self, which: npt.NDArray[np.bool_]) -> None:
        # A hidden point that is dragged stays hidden: its place is still a guess.
        self.source[which & (self.source != Source.OCCLUDED)] = Source.CORRECTED

    def _weights(self, point: int, reach: Reach) -> npt.NDArray[np.float64]:
        """How far each point follows the one that is held, from 0 to 1; hidden ones stay."""
        weights = np.zeros(N_POINTS)
        if reach is Reach.SHAPE:
            weights[:] = 1.0
        elif reach is Reach.REGION:
            part = list(next(p for p in PARTS.values() if point in p))
            apart = np.linalg.norm(self.points[part] - self.points[point], axis=1)
            scale = _FALLOFF * float(outer_eye_distance(self.points))
            weights[part] = np.exp(-np.square(apart / max(scale, 1e-6)))
        locked = self.source == Source.OCCLUDED
        weights[locked & (reach is not Reach.SHAPE)] = 0.0
        weights[point] = 1.0
        return np.nan_to_num(weights)


def centred_face(mean: Points, size: tuple[int, int]) -> Points:
    """Put the mean face into the middle of a picture, for a person whom the tracker did not find.

    Parameters
    ----------
    mean : ndarray, shape (68, 2), float64
        Of the shape model.
    size : (int, int)
        Width and height of the picture in pixels.

    Returns
    -------
    ndarray, shape (68, 2), float64
        Pixels; two fifths of the picture high.
    """
    centred = mean - (mean.min(axis=0) + mean.max(axis=0)) / 2
    scale = 0.4 * size[1] / float(np.ptp(mean[:, 1]))
    placed: Points = centred * scale + np.array(size) / 2
    return placed
