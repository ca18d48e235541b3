"""Jitter of still faces, and the lag of smoothing.

Which frames count as still is decided once, from several trackers together, so that every tracker
is judged on the same frames.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.evaluation.errors import complete
from facetrack.landmarks.markup import GROUPS, outer_eye_distance

Points = npt.NDArray[np.float64]
Stretch = tuple[int, int]  # first frame, and the frame after the last

_WINDOW = 8  # frames averaged on each side: the jitter of a tracker must not look like motion
_STILL = 0.004  # eye distances per frame
_STEADY = 0.01  # eye distances: no part of the face moves further from one frame to the next
_LEAST_STILL = 8  # frames
_LEAST_LAG, _MOST_LAG = -2, 15  # frames
_LAG_WINDOW = 9  # frames


def still_stretches(tracks: Sequence[npt.ArrayLike], *, limit: float = _STILL) -> list[Stretch]:
    """Find stretches where the face does not move, by several trackers' judgement.

    `limit` is the largest mean speed of the points in outer-eye distances per frame; the median
    tracker counts, and each is averaged over eight frames before and after. Quick motion is
    excluded apart: no part of the face may move by more than 1 % on the trackers' average.
    """
    arrays = [np.asarray(t, dtype=np.float64) for t in tracks]
    if not arrays or any(a.shape != arrays[0].shape for a in arrays):
        raise InputError(f"tracks must have one shape, got {[a.shape for a in arrays]}")
    speed = np.median([_slow_speed(a) for a in arrays], axis=0)
    steady = _largest_step(arrays) < _STEADY
    return [s for s in _runs((speed < limit) & steady) if s[1] - s[0] >= _LEAST_STILL]


def _largest_step(tracks: Sequence[Points]) -> npt.NDArray[np.float64]:
    """Return the largest step of any part of the face, eye distances; inf where unknown."""
    # The trackers' own jitter is independent and small in the mean over trackers and points; a
    # motion that they have in common, such as a blink, stays.
    eyes = float(np.nanmedian([np.nanmedian(outer_eye_distance(t)) for t in tracks]))
    mean = np.mean(tracks, axis=0)
    centres = np.stack([mean[:, list(g)].mean(axis=1) for g in GROUPS.values()], axis=1)
    steps = np.linalg.norm(np.diff(centres, axis=0), axis=2).max(axis=1) / eyes
    steps = np.where(np.isfinite(steps), steps, np.inf)
    return np.asarray(np.maximum(np.append(steps, 0), np.insert(steps, 0, 0)))


def _slow_speed(points: Points) -> npt.NDArray[np.float64]:
    """Mean speed of the averaged points, eye distances per frame; inf where unknown."""
    n = len(points)
    speed = np.full(n, np.inf)
    if n < 2 * _WINDOW:
        return speed
    sums = np.concatenate([np.zeros((1, 68, 2)), np.nancumsum(points, axis=0)])
    means = (sums[_WINDOW:] - sums[:-_WINDOW]) / _WINDOW  # means[t] averages t .. t + W - 1
    moved = np.linalg.norm(means[_WINDOW:] - means[:-_WINDOW], axis=2).mean(axis=1)
    eyes = float(np.nanmedian(outer_eye_distance(points)))
    middle = np.arange(_WINDOW, _WINDOW + len(moved))
    speed[middle] = moved / (_WINDOW * eyes)
    speed[:_WINDOW] = speed[_WINDOW]
    speed[middle[-1] + 1 :] = speed[middle[-1]]
    from scipy.ndimage import uniform_filter1d  # loads slowly

    lost = ~complete(points)
    speed[uniform_filter1d(lost.astype(float), 2 * _WINDOW + 1) > 1e-9] = np.inf
    return speed


def jitter(points: npt.ArrayLike, stretches: Sequence[Stretch]) -> dict[str, float]:
    """Return mean |p(t-1) - 2 p(t) + p(t+1)| on still stretches, % of eye distance, by group."""
    p = np.asarray(points, dtype=np.float64)
    pieces = []
    for first, end in stretches:
        piece = p[first:end]
        second = np.linalg.norm(piece[:-2] - 2 * piece[1:-1] + piece[2:], axis=2)
        pieces.append(100 * second / outer_eye_distance(piece[1:-1])[:, None])
    values = np.concatenate(pieces) if pieces else np.empty((0, 68))
    values = values[np.isfinite(values).all(axis=1)]
    if not len(values):
        return dict.fromkeys(["all", *GROUPS], float("nan"))
    groups = {name: float(values[:, list(g)].mean()) for name, g in GROUPS.items()}
    return {"all": float(values.mean()), **groups}


def lag(raw: npt.ArrayLike, smoothed: npt.ArrayLike, timestamps: npt.ArrayLike) -> float:
    """Return by how many milliseconds smoothed landmarks stay behind; NaN below 40 frames.

    The delay at which the correlation of both is largest, between frames by a parabola. Both are
    averaged over nine frames first: jitter is passed on at once, in part, and would hide the delay
    of the motion. The least squared difference stands for the largest correlation, which it is but
    for the ends of a stretch.
    """
    r, s = np.asarray(raw, dtype=np.float64), np.asarray(smoothed, dtype=np.float64)
    span = _MOST_LAG - _LEAST_LAG
    runs = [run for run in _runs(complete(r) & complete(s)) if run[1] - run[0] > 2 * span + 4]
    if not runs:
        return float("nan")
    from scipy.ndimage import uniform_filter1d

    costs = np.zeros(span + 1)
    for first, end in runs:
        early = uniform_filter1d(r[first:end], _LAG_WINDOW, axis=0)
        late = uniform_filter1d(s[first:end], _LAG_WINDOW, axis=0)
        # the window's half is left out at both ends, where the filter repeats its border
        middle = np.arange(
            _MOST_LAG + _LAG_WINDOW // 2, end - first - _LAG_WINDOW // 2 + _LEAST_LAG
        )
        for k in range(span + 1):
            delay = k + _LEAST_LAG
            costs[k] += float(((late[middle] - early[middle - delay]) ** 2).sum())
    step = float(np.nanmedian(np.diff(np.asarray(timestamps, dtype=np.float64))))
    return 1000 * step * (_LEAST_LAG + _parabola_minimum(costs))


def _parabola_minimum(costs: npt.NDArray[np.float64]) -> float:
    k = int(np.argmin(costs))
    if k in (0, len(costs) - 1):
        return float(k)
    before, here, after = costs[k - 1 : k + 2]
    return k + 0.5 * float((before - after) / (before - 2 * here + after))


def _runs(mask: npt.NDArray[np.bool_]) -> list[Stretch]:
    """Find the runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def pool(values: Sequence[Mapping[str, float]], weights: Sequence[int]) -> dict[str, float]:
    """Average measures of several clips, each weighted by its frames; NaN is left out."""
    pooled = {}
    for name in values[0] if values else ():
        pairs = [(v[name], w) for v, w in zip(values, weights, strict=True) if np.isfinite(v[name])]
        total = sum(w for _, w in pairs)
        pooled[name] = sum(v * w for v, w in pairs) / total if total else float("nan")
    return pooled
