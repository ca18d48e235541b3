"""Blinks, and the motion that leaks from them into points that do not blink."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facetrack.evaluation.errors import complete
from facetrack.landmarks.markup import REGIONS, outer_eye_distance
from facetrack.landmarks.openings import (
    LEFT_EYE_CORNERS,
    LEFT_EYE_LIDS,
    RIGHT_EYE_CORNERS,
    RIGHT_EYE_LIDS,
)

_DEPTH = 0.35  # of the open eye's opening
_HEAD_MOTION = 0.1  # eye distances that the nose may move around a blink
_REACH = 6  # frames before and after the deepest one
_LEAKED_TO = REGIONS["right_brow"] + REGIONS["left_brow"] + REGIONS["nose"]


@dataclass(frozen=True, slots=True)
class BlinkLeak:
    """What blinks do to points that do not blink."""

    amplitude: float  # of nose and brows with a typical closing, % of the outer-eye distance
    correlation: float  # mean absolute correlation of their coordinates with the opening, 0 to 1
    blinks: int  # in which the points were tracked


def eye_opening(points: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return mean distance of the lids / mean width of the eyes, (n,); NaN where lost."""
    p = np.asarray(points, dtype=np.float64)

    def mean_distance(pairs: Sequence[tuple[int, int]]) -> npt.NDArray[np.float64]:
        first, second = np.array(pairs).T
        return np.asarray(np.linalg.norm(p[:, first] - p[:, second], axis=2).mean(axis=1))

    lids = mean_distance([*RIGHT_EYE_LIDS, *LEFT_EYE_LIDS])
    return lids / mean_distance([RIGHT_EYE_CORNERS, LEFT_EYE_CORNERS])


def find_blinks(tracks: Sequence[npt.ArrayLike]) -> tuple[list[int], npt.NDArray[np.float64]]:
    """Find blinks of a head that hardly moves, by several trackers' common judgement.

    Returns the frame of each deepest closing, and the mean tracker's opening of the eyes relative
    to its usual one, (n,); NaN where one of the trackers has lost the face.
    """
    arrays = [np.asarray(t, dtype=np.float64) for t in tracks]
    openings = [eye_opening(a) for a in arrays]
    if any(not np.isfinite(o).any() for o in openings):
        return [], np.full(len(arrays[0]), np.nan)
    common = np.mean([o / np.nanmedian(o) for o in openings], axis=0)
    eyes = float(np.nanmedian(outer_eye_distance(arrays[0])))
    nose = np.mean(arrays, axis=0)[:, list(REGIONS["nose"])].mean(axis=1) / eyes
    blinks = []
    for t in range(_REACH, len(common) - _REACH):
        window = slice(t - _REACH, t + _REACH + 1)
        around = common[window]
        if not np.isfinite(around).all() or np.ptp(nose[window], axis=0).max() > _HEAD_MOTION:
            continue
        # open before and after: what stays closed is no blink but a look down
        edges = min(around[0], around[-1])
        if np.argmin(around) == _REACH and edges - common[t] > _DEPTH:
            blinks.append(t)
    return blinks, common


def blink_leak(points: npt.ArrayLike, blinks: Sequence[int], opening: npt.ArrayLike) -> BlinkLeak:
    """Measure how nose and brows of one track move along with the lids; NaN without a blink.

    Around every blink, coordinates and opening lose their linear trend (the head's own motion);
    then each coordinate is regressed on the opening. Slope times the mean depth of the blinks is
    the motion that leaks. A little of it is real: some people lower their brows when they blink.
    """
    p, o = np.asarray(points, dtype=np.float64), np.asarray(opening, dtype=np.float64)
    coordinates, courses, depths = [], [], []
    for t in blinks:
        window = slice(t - _REACH, t + _REACH + 1)
        piece, course = p[window][:, _LEAKED_TO], o[window]
        if not (complete(p[window]).all() and np.isfinite(course).all()):
            continue
        eyes = float(outer_eye_distance(p[window]).mean())
        coordinates.append(_without_trend(piece.reshape(len(piece), -1) / eyes))
        courses.append(_without_trend(course[:, None])[:, 0])
        depths.append(max(course[0], course[-1]) - course[_REACH])
    if not courses:
        return BlinkLeak(float("nan"), float("nan"), 0)
    y, x = np.concatenate(coordinates), np.concatenate(courses)
    slope = x @ y / (x @ x)
    motion = float(np.linalg.norm(slope.reshape(-1, 2), axis=1).mean()) * float(np.mean(depths))
    norms = np.linalg.norm(y, axis=0) * np.linalg.norm(x)
    correlation = np.abs(np.divide(x @ y, norms, out=np.zeros_like(norms), where=norms > 0))
    return BlinkLeak(100 * motion, float(correlation.mean()), len(courses))


def _without_trend(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Subtract the least-squares line from every column."""
    t = np.arange(len(values), dtype=np.float64)
    t -= t.mean()
    slope = t @ values / (t @ t)
    return np.asarray(values - values.mean(axis=0) - t[:, None] * slope)
