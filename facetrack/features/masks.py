"""Masks of parts of the face, drawn from landmarks, in a crop or in a picture."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.landmarks.markup import REGIONS

Points = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_FINE: Final = 8  # a pixel's area is measured on so many by so many places
_FARTHEST: Final = 1e5  # px: beyond every crop, and short enough for OpenCV's integers
_FRACTION: Final = 4  # bits after the point in OpenCV's coordinates


@dataclass(frozen=True, slots=True)
class Part:
    """How a part of the face is drawn, by numbers of landmarks."""

    # filled; one without area, such as a closed eye, is still a thin line
    outlines: tuple[tuple[int, ...], ...] = ()
    holes: tuple[tuple[int, ...], ...] = ()  # polygons that are taken out again
    lines: tuple[tuple[int, ...], ...] = ()  # open ones
    thickness: int = 1  # of the lines, pixels


PARTS: Final[dict[str, Part]] = {
    "face": Part((REGIONS["jaw"] + REGIONS["left_brow"][::-1] + REGIONS["right_brow"][::-1],)),
    "right_eye": Part((REGIONS["right_eye"],)),
    "left_eye": Part((REGIONS["left_eye"],)),
    "eyes": Part((REGIONS["right_eye"], REGIONS["left_eye"])),
    "mouth": Part((REGIONS["outer_mouth"],)),
    "lips": Part((REGIONS["outer_mouth"],), holes=(REGIONS["inner_mouth"],)),
    "brows": Part(lines=(REGIONS["right_brow"], REGIONS["left_brow"]), thickness=3),
    "nostrils": Part(lines=(tuple(range(31, 36)),), thickness=2),
}


def mask(points: npt.ArrayLike, size: tuple[int, int], *parts: str) -> Mask:
    """Mark the pixels (height, width) whose centres lie in one of the `parts` of the face.

    `points` are in pixels of the crop: `cut.to_crop.apply(points)`.
    """
    return _draw(_checked(points, parts), size, parts, 1)


def coverage(points: npt.ArrayLike, size: tuple[int, int], *parts: str) -> npt.NDArray[np.float32]:
    """Measure how much of each pixel's area, in [0, 1], lies in parts of the face.

    It moves smoothly where `mask` moves by whole pixels.
    """
    width, height = size
    fine = (_checked(points, parts) + 0.5) * _FINE - 0.5
    drawn = _draw(fine, (width * _FINE, height * _FINE), parts, _FINE)
    share: npt.NDArray[np.float32] = drawn.reshape(height, _FINE, width, _FINE).mean(
        axis=(1, 3), dtype=np.float32
    )
    return share


def _checked(points: npt.ArrayLike, parts: tuple[str, ...]) -> Points:
    p = np.asarray(points, dtype=np.float64)
    if p.shape != (68, 2) or not np.isfinite(p).all():
        raise InputError(f"points must be finite and of shape (68, 2), got {p.shape}")
    for part in parts:
        if part not in PARTS:
            raise InputError(f"parts are {', '.join(PARTS)}, got {part!r}")
    return p.clip(-_FARTHEST, _FARTHEST)


def _draw(points: Points, size: tuple[int, int], parts: tuple[str, ...], pixel: int) -> Mask:
    """Draw the union of parts; `pixel` is the length of a crop's pixel in this picture."""
    drawn = np.zeros((size[1], size[0]), dtype=np.bool_)
    for part in map(PARTS.__getitem__, parts):
        own = np.zeros_like(drawn)
        for outline in part.outlines:
            corners = points[list(outline)]
            _fill(own, corners, inside=True)
            if _width(corners) < pixel:
                _line(own, corners, pixel, closed=True)
        for hole in part.holes:
            _fill(own, points[list(hole)], inside=False)
        for line in part.lines:
            _line(own, points[list(line)], part.thickness * pixel)
        drawn |= own
    return drawn


def _fill(drawn: Mask, corners: Points, *, inside: bool) -> None:
    from skimage.draw import polygon  # loads slowly

    drawn[polygon(corners[:, 1], corners[:, 0], drawn.shape)] = inside  # type: ignore[no-untyped-call]


def _width(corners: Points) -> float:
    """Return the mean width of a long polygon: its area over half of its circumference."""
    points: list[list[float]] = corners.tolist()  # a few: faster by themselves than as arrays
    area = around = 0.0
    for (x, y), (next_x, next_y) in zip(points, points[1:] + points[:1], strict=True):
        area += x * next_y - y * next_x
        around += hypot(next_x - x, next_y - y)
    return abs(area) / max(around, 1e-9)


def _line(drawn: Mask, corners: Points, thickness: int, *, closed: bool = False) -> None:
    fixed = np.rint(corners * (1 << _FRACTION)).astype(np.int32)
    canvas = drawn.view(np.uint8)
    cv2.polylines(canvas, [fixed], closed, 1, thickness, cv2.LINE_8, _FRACTION)
