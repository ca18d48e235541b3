"""Where on a face an action was seen: the values of a look that made it, and their landmarks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.actions.looks import LOOK
from facetrack.face import N_POINTS
from facetrack.landmarks.markup import MIRROR, REGIONS

CUES: Final = "cues"  # key in an event's detail: shares of the values, which make up 1 at most
_LEAST: Final = 0.05  # share of a value that is named
_EYE, _BROW = REGIONS["right_eye"], REGIONS["right_brow"]
_CORNER: Final = (48, 60)
_UPPER, _LOWER = (49, 50, 51, 52, 53, 61, 62, 63), (55, 56, 57, 58, 59, 65, 66, 67)
# Landmarks of values, by how their names begin; of those that have sides, on the person's right.
_PLACES: Final = {
    "browDown": _BROW, "browOuterUp": (17, 18, 19), "brow_height": _BROW, "browInnerUp": (20, 21),
    "eye": _EYE, "opening_mouth": REGIONS["inner_mouth"], "opening": _EYE,
    "jawOpen": (7, 8, *_LOWER),
    "mouthLowerDown": (58, 59, 67), "mouthUpperUp": (49, 50, 61), "mouthPress": (48, 49, 59, 60),
    "mouthPucker": REGIONS["outer_mouth"], "mouthRollLower": _LOWER, "mouthShrugLower": _LOWER,
    "mouthRollUpper": _UPPER, "mouthShrugUpper": _UPPER, "mouth": _CORNER,
}  # fmt: skip


def named_cues(shares: npt.NDArray[np.floating[Any]]) -> dict[str, float]:
    """Name what a look's values, (looks,), add to an action; the largest first, none below 5 %."""
    added = np.maximum(shares, 0.0)
    added = added / max(float(added.sum()), 1e-12)
    order = np.argsort(-added, kind="stable").tolist()
    return {LOOK[i]: round(float(added[i]), 3) for i in order if added[i] >= _LEAST}


def heat(cues: Mapping[str, float]) -> npt.NDArray[np.float64]:
    """Spread cues over the landmarks that their values are of, (68,); a pose is of all of them."""
    found = np.zeros(N_POINTS)
    for name, share in cues.items():
        places = list(_places(name))
        found[places] += share / len(places)
    return found


def _places(name: str) -> tuple[int, ...]:
    right = next((p for start, p in _PLACES.items() if name.startswith(start)), None)
    if right is None:
        return tuple(range(N_POINTS))
    left = tuple(MIRROR[i] for i in right)
    kind = name.lower()
    if "left" in kind:
        return left
    return right if "right" in kind else tuple({*right, *left})
