"""How far eyes and mouth are open, by landmarks."""

from __future__ import annotations

from math import dist, nan
from typing import Final

Points = list[list[float]]
_Pairs = tuple[tuple[int, int], ...]

RIGHT_EYE_LIDS: Final = ((37, 41), (38, 40))
LEFT_EYE_LIDS: Final = ((43, 47), (44, 46))
RIGHT_EYE_CORNERS: Final = (36, 39)
LEFT_EYE_CORNERS: Final = (42, 45)
INNER_LIPS: Final = ((61, 67), (62, 66), (63, 65))
MOUTH_CORNERS: Final = (48, 54)


def opening(points: Points, lids: _Pairs, corners: tuple[int, int]) -> float:
    """Return the mean distance of pairs of points (`lids`) over that of `corners`.

    NaN if that is 0 or a point is unknown. For the eye this is the eye aspect ratio of Soukupova
    and Cech (CVWW 2016).
    """
    unit = dist(points[corners[0]], points[corners[1]])
    if not unit > 0:
        return nan
    return sum(dist(points[a], points[b]) for a, b in lids) / len(lids) / unit
