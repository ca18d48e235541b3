"""What the shape of a face says of its expression: 316 values of 49 registered points.

The set of the AVEC challenges' geometric features, of which Egede, Valstar and Martinez, FG 2017,
take their geometry.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.landmarks.markup import MARKUPS, OUTER_EYE_CORNERS, REGIONS, STABLE
from facetrack.landmarks.procrustes import fit_similarity

Floats = npt.NDArray[np.float64]

POINTS: Final = MARKUPS[49]
MOTION: Final = 2 * len(POINTS)  # values of motion
CHAINS: Final = (
    REGIONS["right_brow"] + REGIONS["right_eye"],
    REGIONS["left_brow"] + REGIONS["left_eye"],
    tuple(i for i in REGIONS["outer_mouth"] + REGIONS["inner_mouth"] if i in POINTS),
)
_STATIC: Final = MOTION + sum(2 * len(chain) - 3 for chain in CHAINS) + len(POINTS)
GEOMETRY: Final = _STATIC + MOTION  # all values: 316
_PLACES: Final = {point: place for place, point in enumerate(POINTS)}
# The steps of all chains, each from one of the points to the next; and those that another follows.
_BEGINS: Final = np.array([_PLACES[i] for chain in CHAINS for i in chain[:-1]])
_ENDS: Final = np.array([_PLACES[i] for chain in CHAINS for i in chain[1:]])
_BACK: Final = np.flatnonzero(_ENDS[:-1] == _BEGINS[1:])


def unit_shape(mean: npt.ArrayLike) -> Floats:
    """Scale a mean shape: outer eye corners level and 1 apart, their middle at 0; y down."""
    m = np.asarray(mean, dtype=np.float64)
    eyes = m[list(OUTER_EYE_CORNERS)]
    placed = fit_similarity(eyes, np.array([[-0.5, 0.0], [0.5, 0.0]])).apply(m)
    return np.asarray(placed)


def register(points: npt.ArrayLike, mean: Floats) -> Floats:
    """Bring a face to the mean shape by the points that expressions do not move, (49, 2)."""
    # The inner mouth corners are not looked at.
    p = np.asarray(points, dtype=np.float64)
    if p.shape != (68, 2):
        raise InputError(f"points must be (68, 2), got {p.shape}")
    stable = list(STABLE)
    found = fit_similarity(p[stable], mean[stable]).apply(p[list(POINTS)])
    if not np.isfinite(found).all():
        raise InputError("a point has no place")
    return np.asarray(found)


def shape_features(registered: npt.ArrayLike, mean: Floats) -> Floats:
    """Describe registered shapes (n, 49, 2) by 218 values each."""
    # Points less the mean's (98), distances of neighbours in the chains of brow and eye of either
    # side and of the mouth (37), the angles there in radians from 0 to pi (34), and the distances
    # from the median of the points that expressions do not move (49).
    r = np.asarray(registered, dtype=np.float64)
    parts = [(r - mean[list(POINTS)]).reshape(len(r), -1)]
    steps = r[:, _ENDS] - r[:, _BEGINS]
    parts.append(np.hypot(steps[..., 0], steps[..., 1]))
    parts.append(_angles(-steps[:, _BACK], steps[:, _BACK + 1]))
    stable = np.sort(r[:, [_PLACES[i] for i in STABLE]], axis=1)  # numpy's median takes longer
    middle = (stable[:, (len(STABLE) - 1) // 2] + stable[:, len(STABLE) // 2]) / 2
    parts.append(np.linalg.norm(r - middle[:, None], axis=2))
    return np.concatenate(parts, axis=1)


def _angles(back: Floats, on: Floats) -> Floats:
    """Return the angles between steps back and on; no wrap-around, 0 at repeated points."""
    cross = back[..., 0] * on[..., 1] - back[..., 1] * on[..., 0]
    return np.asarray(np.arctan2(np.abs(cross), (back * on).sum(axis=2)))
