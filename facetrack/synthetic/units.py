"""Action units as displacements of landmarks: tables, and how several of them add up.

Lengths are outer-eye distances in the head's frame: origin between the outer eye corners, x along
them to the image's right, y down.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.landmarks.markup import MIRROR

Points = npt.NDArray[np.float64]

# Places on the cheeks that are no landmarks: points 68 and 69 of the person's right, 70 and 71.
CHEEKS: Final = ((-0.36, 0.3), (-0.25, 0.22), (0.36, 0.3), (0.25, 0.22))
N_CONTROL: Final = 68 + len(CHEEKS)
_OPPOSITE: Final = np.array([*MIRROR, 70, 71, 68, 69])
CLOSING: Final = "43"  # drawn by `lids`, which cover the eye: no displacement does

# In thousandths, of the person's right half (the image's left) and of the middle, at the highest
# intensity. Design values that look right on adults, no measurements. By number of the Facial
# Action Coding System.
UNITS: Final[dict[str, dict[int, tuple[int, int]]]] = {
    "1+2": {  # brow raise
        21: (0, -75), 20: (0, -75), 19: (0, -70), 18: (0, -60), 17: (0, -45), 37: (0, -10),
        38: (0, -10),
    },
    "4": {  # brow lowerer
        21: (40, 60), 20: (32, 55), 19: (20, 45), 18: (10, 30), 17: (4, 15), 38: (0, 8),
        27: (0, 15),
    },
    "6": {  # cheek raiser
        41: (4, -24), 40: (4, -18), 36: (10, -4), 17: (0, 10), 18: (0, 6), 68: (10, -45),
        69: (6, -38),
    },
    "7": {41: (0, -22), 40: (0, -22), 37: (0, 12), 38: (0, 12)},  # lid tightener
    "9": {  # nose wrinkler
        31: (-10, -40), 32: (-4, -30), 33: (0, -22), 30: (0, -18), 29: (0, -10), 27: (0, 14),
        50: (0, -40), 49: (0, -26), 51: (0, -34), 61: (0, -30), 62: (0, -28), 21: (12, 26),
        20: (8, 18), 68: (0, -10), 69: (8, -30),
    },
    "10": {  # upper lip raiser
        50: (0, -58), 49: (-6, -40), 51: (0, -50), 61: (0, -46), 62: (0, -44), 31: (-12, -20),
        32: (0, -14), 48: (-6, -12), 68: (0, -12), 69: (0, -26),
    },
    "12": {  # lip corner puller: the smile
        48: (-80, -60), 60: (-70, -52), 49: (-50, -30), 59: (-50, -30), 50: (-16, -4),
        58: (-20, -6), 61: (-24, -8), 67: (-24, -10), 68: (-30, -40), 69: (-10, -28),
    },
    "15": {48: (-6, 50), 60: (-6, 44), 59: (-4, 30), 49: (-4, 18), 58: (0, 8)},  # corners down
    "17": {  # chin raiser
        57: (0, -22), 58: (0, -20), 59: (0, -10), 66: (0, -14), 67: (0, -12), 8: (0, -16),
        7: (0, -14), 62: (0, -12), 61: (0, -10), 51: (0, -6), 50: (0, -5),
    },
    "18": {  # lip pucker
        48: (80, 0), 60: (72, 0), 49: (46, -4), 59: (46, 4), 50: (18, -10), 58: (18, 8),
        61: (22, 0), 67: (22, 0), 51: (0, -8), 57: (0, 10),
    },
    "20": {  # lip stretcher
        48: (-70, 14), 60: (-62, 12), 49: (-36, 8), 59: (-36, 10), 50: (-10, 4), 58: (-12, 4),
        61: (-16, 4), 67: (-16, 4),
    },
    "24": {  # lip presser: the red of the lips goes inwards
        51: (0, 30), 50: (2, 27), 49: (8, 14), 57: (0, -38), 58: (2, -32), 59: (8, -16),
        48: (12, 2), 60: (10, 2), 61: (4, 3), 67: (4, -3), 62: (0, 3), 66: (0, -3), 33: (0, 3),
    },
    "26": {  # jaw drop
        57: (0, 170), 58: (0, 160), 59: (0, 100), 66: (0, 160), 67: (0, 150), 8: (0, 180),
        7: (0, 170), 6: (0, 130), 5: (0, 70), 48: (6, 36), 60: (6, 36),
    },
}  # fmt: skip
# Pairs that move the same points: together they move them less than their sum.
_SHARED: Final = (("6", "7"), ("9", "10"))
_LIDS: Final = ((37, 41), (38, 40), (43, 47), (44, 46))  # upper, lower
_NARROWEST: Final = 0.1  # of the opening at rest; eyes are closed by `lids` alone

_SIDE: Final = np.zeros(N_CONTROL)  # 1: the person's right, -1: left, 0: the middle
_RIGHT: Final = [*range(8), *range(17, 22), 31, 32, *range(36, 42), 48, 49, 50, 58, 59, 60, 61, 67]
_SIDE[[*_RIGHT, 68, 69]] = 1
_SIDE[_OPPOSITE[[*_RIGHT, 68, 69]]] = -1


def _both_sides(table: dict[int, tuple[int, int]]) -> Points:
    right = np.zeros((N_CONTROL, 2))
    for point, shift in table.items():
        right[point] = np.divide(shift, 1000)
    left = right[_OPPOSITE] * (-1, 1)
    return np.where((_SIDE == 0)[:, None], right, right + left)


_TABLES: Final = {unit: _both_sides(table) for unit, table in UNITS.items()}


def displacements(
    factors: Mapping[str, tuple[float, float]],
    rest: Points,
    *,
    turns: Mapping[str, float] | None = None,
) -> Points:
    """Compute by how much action units move the points of a face, (72, 2): landmarks and cheeks.

    `factors` are, by unit of `UNITS`, parts of the full displacement on the person's right and
    left; the middle moves by the mean, and `CLOSING` is left out. `rest`, (72, 2), is the face at
    rest. `turns` are radians by which a unit's directions are turned, outwards on both sides.

    Of two units that move the same points each point moves by the larger displacement and half of
    the smaller one; other units add up. The lids come no nearer to each other than to a tenth of
    their distance at rest.
    """
    moved = {
        unit: _moved(_TABLES[unit], sides, (turns or {}).get(unit, 0.0))
        for unit, sides in factors.items()
        if unit != CLOSING
    }
    for one, other in _SHARED:
        if one in moved and other in moved:
            a, b = moved.pop(one), moved.pop(other)
            first = np.linalg.norm(a, axis=1) >= np.linalg.norm(b, axis=1)
            moved[one] = np.where(first[:, None], a + 0.5 * b, b + 0.5 * a)
    total: Points = sum(moved.values(), np.zeros((N_CONTROL, 2)))
    for upper, lower in _LIDS:
        opening = float(rest[lower, 1] - rest[upper, 1])
        closing = float(total[upper, 1] - total[lower, 1])
        if closing > (1 - _NARROWEST) * opening > 0:
            total[[upper, lower], 1] *= (1 - _NARROWEST) * opening / closing
    return total


def _moved(table: Points, sides: tuple[float, float], turn: float) -> Points:
    right, left = sides
    amount = np.select([_SIDE > 0, _SIDE < 0], [right, left], 0.5 * (right + left))
    angle = turn * np.where(_SIDE < 0, -1, _SIDE)
    cos, sin = np.cos(angle), np.sin(angle)
    x, y = table.T
    return np.asarray(amount[:, None] * np.stack([cos * x - sin * y, sin * x + cos * y], axis=1))
