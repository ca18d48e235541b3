"""Furrows: the shadows that skin makes where action units fold it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]

_DEPTH: Final = 0.12  # of the light that the deepest furrow takes
# Of the person's right half, by action unit: landmark it lies at, its middle from there, its
# direction (radians from x towards y), its length and width; outer-eye distances.
_RIDGES: Final[dict[str, tuple[tuple[int, tuple[float, float], float, float, float], ...]]] = {
    "1+2": ((19, (0.02, -0.13), 0.0, 0.2, 0.016), (20, (0.06, -0.2), 0.0, 0.2, 0.014)),
    "4": ((21, (0.045, -0.02), 1.5, 0.13, 0.016),),
    "6": (
        (36, (-0.1, -0.03), 2.8, 0.1, 0.012),
        (36, (-0.11, 0.03), 0.05, 0.1, 0.012),
        (36, (-0.09, 0.08), 0.6, 0.1, 0.012),
        (41, (0.0, 0.09), 0.1, 0.16, 0.016),
        (31, (-0.12, 0.04), 2.1, 0.18, 0.02),
    ),
    "7": ((41, (0.02, 0.05), 0.1, 0.14, 0.014),),
    "9": (
        (27, (-0.05, 0.03), 0.5, 0.1, 0.012),
        (28, (-0.06, 0.0), 0.7, 0.1, 0.012),
        (31, (-0.06, -0.02), 2.1, 0.16, 0.02),
    ),
    "10": ((31, (-0.11, 0.06), 2.1, 0.2, 0.02),),
    "12": ((48, (-0.06, -0.1), 1.9, 0.2, 0.02),),
    "24": ((57, (-0.02, 0.06), 0.0, 0.16, 0.018),),
}


def furrows(rest: Points, places: Points) -> dict[str, tuple[Points, Points]]:
    """Draw furrows by action unit: of the person's right and left half, each (h, w), 0 to 1.

    `rest` are the landmarks at rest and `places`, (h, w, 2), where to draw: both in the head's
    frame (outer-eye distances).
    """
    from facetrack.landmarks.markup import MIRROR

    found = {}
    for unit, ridges in _RIDGES.items():
        right, left = np.zeros(places.shape[:2]), np.zeros(places.shape[:2])
        for point, (x, y), angle, length, width in ridges:
            along = np.array([np.cos(angle), np.sin(angle)])
            right = np.maximum(right, _ridge(places - rest[point] - (x, y), along, length, width))
            other = places - rest[MIRROR[point]] - (-x, y)
            left = np.maximum(left, _ridge(other, along * (-1, 1), length, width))
        found[unit] = (right, left)
    return found


def shadow(
    drawn: Mapping[str, tuple[Points, Points]],
    factors: Mapping[str, tuple[float, float]],
    depth: float,
) -> Points:
    """Compute how much of the light is left, (h, w), at most 1; `drawn` is of `furrows`.

    `factors` are parts of the full action units on the person's right and left; `depth` is how deep
    this person's furrows are, 1 is usual.
    """
    light = np.ones(next(iter(drawn.values()))[0].shape)
    for unit, sides in factors.items():
        for ridge, amount in zip(drawn.get(unit, ()), sides, strict=False):
            if amount > 0:
                light *= 1 - _DEPTH * depth * amount * ridge
    return light


def _ridge(from_middle: Points, along: Points, length: float, width: float) -> Points:
    across = np.array([-along[1], along[0]])
    u, v = from_middle @ along / (0.5 * length), from_middle @ across / width
    return np.asarray(np.exp(-0.5 * (u**2 + v**2)), dtype=np.float64)
