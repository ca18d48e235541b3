"""What is made of corrections without learning a regressor: offsets, residuals, optical flow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.learning.teaching import Method
from facetrack.evaluation.errors import complete
from facetrack.evaluation.footage import Corrections, Footage, Points
from facetrack.landmarks.markup import outer_eye_distance
from facetrack.landmarks.procrustes import fit_similarity
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.video.frame import Image

_WINDOW: Final = (15, 15)  # pixels
_LEVELS: Final = 3  # of the pyramid above the picture
_RETURNS: Final = 0.03  # outer-eye distances by which a point may miss its origin on the way back
_ENOUGH: Final = 4  # points that say how the others move


def rivals(shape_model: ShapeModel) -> list[Method]:
    """List the baselines of learning from corrections.

    Parameters
    ----------
    shape_model : ShapeModel
        Its reference frame is the one in which residuals are kept.

    Returns
    -------
    list of Method
    """
    return [
        NoLearning(),
        ConstantOffset(shape_model),
        InterpolatedResidual(shape_model),
        LucasKanade(),
    ]


class NoLearning:
    """Track as if nothing had been corrected."""

    name = "no learning"

    def teach(self, footage: Footage, corrections: Corrections) -> Points:
        """Return the plain track; see `teaching.Method`."""
        return footage.plain


@dataclass(frozen=True, slots=True)
class ConstantOffset:
    """Add to every frame what the corrected frames lacked on average.

    Attributes
    ----------
    shape_model : ShapeModel
    """

    shape_model: ShapeModel
    name: str = "constant offset"

    def teach(self, footage: Footage, corrections: Corrections) -> Points:
        """Shift the plain track; see `teaching.Method`."""
        _, residuals = _residuals(self.shape_model, footage, corrections)
        if not len(residuals):
            return footage.plain
        every = np.repeat(residuals.mean(axis=0)[None], len(footage.plain), axis=0)
        return _shifted(self.shape_model, footage.plain, every)


@dataclass(frozen=True, slots=True)
class InterpolatedResidual:
    """Add what the corrected frames lacked, linearly in time between them, constant outside.

    Attributes
    ----------
    shape_model : ShapeModel
    """

    shape_model: ShapeModel
    name: str = "interpolated residual"

    def teach(self, footage: Footage, corrections: Corrections) -> Points:
        """Shift the plain track; see `teaching.Method`."""
        frames, residuals = _residuals(self.shape_model, footage, corrections)
        if not len(residuals):
            return footage.plain
        times = footage.timestamps
        columns = residuals.reshape(len(residuals), -1).T
        every = np.stack([np.interp(times, times[frames], c) for c in columns], axis=1)
        return _shifted(self.shape_model, footage.plain, every.reshape(-1, 68, 2))


def _residuals(
    shape_model: ShapeModel, footage: Footage, corrections: Corrections
) -> tuple[npt.NDArray[np.int64], Points]:
    """Label - plain fit of the corrected frames in which the face was found, reference frame."""
    found = complete(footage.plain[corrections.frames])
    frames = corrections.frames[found]
    residuals = np.zeros((len(frames), 68, 2))
    for k, label in enumerate(corrections.labels[found]):
        to_reference = shape_model.to_reference(footage.plain[frames[k]])
        residuals[k] = to_reference.apply(label) - to_reference.apply(footage.plain[frames[k]])
    return frames, residuals


def _shifted(shape_model: ShapeModel, track: Points, shifts: Points) -> Points:
    """Add shifts of the reference frame to a track in pixels."""
    moved = track.copy()
    for k in np.flatnonzero(complete(track)):
        to_reference = shape_model.to_reference(track[k])
        moved[k] = to_reference.inverse().apply(to_reference.apply(track[k]) + shifts[k])
    return moved


class LucasKanade:
    """Carry the corrected points through the clip by optical flow, both ways.

    Between two corrected frames the passes from either side are blended by 1 / distance. Points
    that do not come back to their origin follow the similarity of those that do.
    """

    name = "Lucas-Kanade"

    def teach(self, footage: Footage, corrections: Corrections) -> Points:
        """Follow the corrected points; see `teaching.Method`."""
        n = len(footage.greys)
        total, weights = np.zeros((n, 68, 2)), np.zeros((n, 1, 1))
        edges = [-1, *corrections.frames.tolist(), n]
        for k, (start, label) in enumerate(
            zip(corrections.frames.tolist(), corrections.labels, strict=True)
        ):
            total[start], weights[start] = label, 1.0
            for way in (range(start - 1, edges[k], -1), range(start + 1, edges[k + 2])):
                points, here = label, start
                for there in way:
                    points = _follow(footage.greys[here], footage.greys[there], points)
                    share = 1 / abs(there - start)
                    total[there] += share * points
                    weights[there] += share
                    here = there
        track: Points = total / weights
        return track


def _follow(before: Image, after: Image, points: Points) -> Points:
    """Carry points (68, 2) from one frame to the next."""
    origin = points.astype(np.float32)[:, None]
    moved, there = _flow(before, after, origin)
    back, again = _flow(after, before, moved)
    miss = np.linalg.norm(back - origin, axis=2)[:, 0]
    good = there & again & (miss <= _RETURNS * outer_eye_distance(points))
    carried: Points = moved[:, 0].astype(np.float64)
    if good.sum() >= _ENOUGH:
        carried[~good] = fit_similarity(points[good], carried[good]).apply(points[~good])
    else:
        carried[~good] = points[~good]
    return carried


def _flow(
    before: Image, after: Image, points: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    moved, found, _ = cv2.calcOpticalFlowPyrLK(  # type: ignore[call-overload]  # None: no guess
        before, after, points, None, winSize=_WINDOW, maxLevel=_LEVELS
    )
    return moved, found[:, 0] == 1
