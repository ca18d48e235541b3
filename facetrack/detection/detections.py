"""What a face detector says: where faces are, how sure it is, how they are turned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.features.pixels import Box, Image, overlap

CONFIRMING: Final = 0.0  # scores from here on are faces, whatever a fit says of them
PLAUSIBLE: Final = -0.5  # scores below are not worth a tracker's attention

SMALLEST_FACE: Final = 40.0  # px: width of the smallest face that is looked for by default
_LEAST, _GREATEST = 12, 10_000  # px: what may be asked for

_SAME_FACE: Final = 0.5  # overlap of boxes

Five = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Detection:
    """One face, or candidate, that a detector found.

    `score` says how sure it is, see `CONFIRMING` and `PLAUSIBLE`: of dlib's templates the distance
    from their decision plane, of the networks the probability brought to the same scale.

    `view` is dlib's template: 0 frontal, 1 turned to the person's right, 2 to the person's left, 3
    rolled counter-clockwise in the image, 4 clockwise. Yaw of 1 and 2 is about +-0.26 rad and roll
    of 3 and 4 about -+0.29 rad, so this says much about where to start a fit.

    `five` is where the networks see, in pixels: the eye on the image's left of an upright face, the
    other eye, the tip of the nose, the corners of the mouth in the eyes' order.
    """

    box: Box  # pixels of the frame, a square; it may reach over the frame's border
    score: float
    view: int = 0
    five: Five | None = None

    @property
    def confirms(self) -> bool:
        """Whether this is a face by itself, whatever a fit says of it."""
        return self.score >= CONFIRMING

    @property
    def plausible(self) -> bool:
        """Whether this is worth the attention of a tracker, which can wait for a better frame."""
        return self.score >= PLAUSIBLE

    def moved(self, right: float, down: float, factor: float) -> Detection:
        """Put the detection beside where it is, to start another fit."""
        x0, y0, x1, y1 = self.box
        side, (x, y) = x1 - x0, ((x0 + x1) / 2, (y0 + y1) / 2)
        to_x, to_y, half = x + side * right, y + side * down, side * factor / 2
        five = self.five
        if five is not None:
            five = tuple((to_x + factor * (a - x), to_y + factor * (b - y)) for a, b in five)
        return Detection(square(to_x, to_y, half), self.score, self.view, five)


class Finds(Protocol):
    """What a tracker needs of a face detector."""

    def detect(self, image: Image, *, wanted: int = 1) -> list[Detection]:
        """Search everywhere, thoroughly."""

    def search(self, image: Image, step: int) -> list[Detection]:
        """Search a part of what there is to search, at bounded cost; all parts come in turn."""

    def detect_near(self, image: Image, box: Box) -> list[Detection]:
        """Search around a place."""


def check_smallest(width: float) -> None:
    """Check how small faces may be that are looked for."""
    if not _LEAST <= width <= _GREATEST:
        raise InputError(
            f"the smallest face is {_LEAST} to {_GREATEST:,} pixels wide, got {width:g}"
        )


def square(x: float, y: float, half: float) -> Box:
    """Return the square box around a point, half a side away from it on every side."""
    return x - half, y - half, x + half, y + half


def count_confirming(detections: Sequence[Detection]) -> int:
    """Count the detections that are faces by themselves."""
    return sum(detection.confirms for detection in detections)


def distinct(detections: Sequence[Detection]) -> list[Detection]:
    """Keep the best of the detections that lie on one face."""
    kept: list[Detection] = []
    for detection in sorted(detections, key=lambda d: (-d.score, d.box)):
        if all(overlap(detection.box, other.box) < _SAME_FACE for other in kept):
            kept.append(detection)
    return kept


def surroundings(shape: tuple[int, ...], box: Box, margin: float) -> tuple[int, int, int, int]:
    """Bound what lies around a box within a picture: left, top, right, bottom.

    `margin` is a share of the box's size, added on each side. Right and bottom are outside; all is
    empty where the box is not finite.
    """
    size = max(box[2] - box[0], box[3] - box[1])
    if not np.isfinite(box).all() or size <= 0:
        return 0, 0, 0, 0
    reach = (0.5 + margin) * size
    x, y = 0.5 * (box[0] + box[2]), 0.5 * (box[1] + box[3])
    ends = np.array([[x - reach, y - reach], [x + reach, y + reach]])
    limits = np.array([shape[1], shape[0]])
    low = np.clip(np.floor(ends[0]), 0, limits).astype(int)
    high = np.clip(np.ceil(ends[1]), 0, limits).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def as_five(points: npt.NDArray[np.float64]) -> Five:
    """Return five points, shape (5, 2), in the form that a detection keeps."""
    return tuple((x, y) for x, y in points.tolist())
