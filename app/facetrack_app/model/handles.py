# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole shape put somewhere: into a box, larger or smaller, turned."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack_app.model.rows import known_points

Points = npt.NDArray[np.float64]
Place = tuple[float, float]
Box = tuple[float, float, float, float]
"""x0, y0, x1, y1."""

GRAB: Final = 12.0  # px of the screen around a point or a handle in which it can be grabbed
_MARGIN: Final = 1.5  # times that: from the points to the frame with the handles
_STALK: Final = 2.5  # and from the frame to the handle that turns
_SMALLEST: Final = 0.1  # of its size that a shape keeps in one drag


class Handle(StrEnum):
    """What dragging a handle of a shape does."""

    SCALE = "scale"
    TURN = "turn"


def box_around(points: Points) -> Box:
    """Give the smallest upright box around the points that are there."""
    known = points[known_points(points)]
    (x0, y0), (x1, y1) = known.min(axis=0).tolist(), known.max(axis=0).tolist()
    return x0, y0, x1, y1


def handles_of(points: Points, grab: float) -> list[tuple[Handle, Place]]:
    """Place the handles of a shape: four at the corners, one above."""
    x0, y0, x1, y1 = box_around(points)
    left, top = x0 - _MARGIN * grab, y0 - _MARGIN * grab
    right, bottom = x1 + _MARGIN * grab, y1 + _MARGIN * grab
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    above = (left + right) / 2, top - _STALK * grab
    return [*((Handle.SCALE, corner) for corner in corners), (Handle.TURN, above)]


def pulled(handle: Handle, points: Points, start: Place, end: Place) -> Points:
    """Scale or turn a shape about its middle as a handle is dragged from one place to another."""
    x0, y0, x1, y1 = box_around(points)
    middle = complex(x0 + x1, y0 + y1) / 2
    before, after = complex(*start) - middle, complex(*end) - middle
    if not before or not after:
        return points
    ratio = after / before
    if handle is Handle.TURN:
        return reshaped(points, 1.0, float(np.angle(ratio)))
    return reshaped(points, max(abs(ratio), _SMALLEST), 0.0)


def reshaped(points: Points, factor: float, angle: float) -> Points:
    """Scale a shape about its middle, and turn it by radians, clockwise as it is seen."""
    x0, y0, x1, y1 = box_around(points)
    middle = np.array([x0 + x1, y0 + y1]) / 2
    cos, sin = factor * np.cos(angle), factor * np.sin(angle)
    moved: Points = (points - middle) @ np.array([[cos, sin], [-sin, cos]]) + middle
    return moved


def in_box(mean: Points, box: Box) -> Points:
    """Put the mean face into a box drawn around a face."""
    x0, y0, x1, y1 = box_around(mean)
    scale = np.sqrt((box[2] - box[0]) / (x1 - x0) * (box[3] - box[1]) / (y1 - y0))
    middle = np.array([x0 + x1, y0 + y1]) / 2
    placed: Points = (mean - middle) * scale + np.array([box[0] + box[2], box[1] + box[3]]) / 2
    return placed


def square(centre: Place, side: float) -> Box:
    """Give a box by its centre and its side."""
    x, y = centre
    return x - side / 2, y - side / 2, x + side / 2, y + side / 2
