"""Openings of eyes and mouth, as ratios of distances within the face."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np

from facetrack.face import Face
from facetrack.landmarks.markup import OUTER_EYE_CORNERS
from facetrack.signals.signal import FaceSignal, register

_Pair = tuple[int, int]

RIGHT_EYE_LIDS: Final = ((37, 41), (38, 40))
LEFT_EYE_LIDS: Final = ((43, 47), (44, 46))
RIGHT_EYE_CORNERS: Final = (36, 39)
LEFT_EYE_CORNERS: Final = (42, 45)
INNER_LIPS: Final = ((61, 67), (62, 66), (63, 65))


def opening(face: Face, pairs: Sequence[_Pair], unit: _Pair) -> float:
    """Measure how far pairs of points are apart, relative to another distance.

    Parameters
    ----------
    face : Face
        A face with points.
    pairs : sequence of (int, int)
        Numbers of upper and lower points.
    unit : (int, int)
        The two points whose distance is 1.

    Returns
    -------
    float
        Mean distance of the pairs over that of `unit`; NaN if that is 0 or a point is unknown.

    Notes
    -----
    For the eye this is the eye aspect ratio of Soukupova and Cech (CVWW 2016).
    """
    points = face.points
    length = float(np.linalg.norm(points[unit[0]] - points[unit[1]]))
    if not length > 0:
        return math.nan
    upper, lower = np.array(pairs).T
    return float(np.linalg.norm(points[upper] - points[lower], axis=1).mean()) / length


register(
    FaceSignal(
        "eye_opening_right",
        "1",
        (0.0, 0.5),
        partial(opening, pairs=RIGHT_EYE_LIDS, unit=RIGHT_EYE_CORNERS),
    )
)
register(
    FaceSignal(
        "eye_opening_left",
        "1",
        (0.0, 0.5),
        partial(opening, pairs=LEFT_EYE_LIDS, unit=LEFT_EYE_CORNERS),
    )
)
# Over the outer-eye distance: the mouth's own width changes while it opens.
register(
    FaceSignal(
        "mouth_opening", "1", (0.0, 0.6), partial(opening, pairs=INNER_LIPS, unit=OUTER_EYE_CORNERS)
    )
)
