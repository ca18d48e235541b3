"""Openings of eyes and mouth, heights of the brows, and how far both sides of the face differ."""

from __future__ import annotations

from math import degrees, hypot, nan
from typing import Final

from facetrack.face import Face
from facetrack.landmarks.openings import (
    INNER_LIPS,
    LEFT_EYE_CORNERS,
    LEFT_EYE_LIDS,
    MOUTH_CORNERS,
    RIGHT_EYE_CORNERS,
    RIGHT_EYE_LIDS,
    Points,
    opening,
)
from facetrack.reading import Reading, Spec
from facetrack.signals.estimator import FaceEstimator, as_reading

_RIGHT_BROW: Final = (18, 19, 20)
_LEFT_BROW: Final = (23, 24, 25)
_TURNED: Final = 25.0  # degrees of yaw beyond which perspective, not the face, makes sides differ


def eye_openings(face: Face) -> tuple[float, float]:
    """Measure both eyes."""
    points: Points = face.points.tolist()
    return (
        opening(points, RIGHT_EYE_LIDS, RIGHT_EYE_CORNERS),
        opening(points, LEFT_EYE_LIDS, LEFT_EYE_CORNERS),
    )


def _below(points: Points, which: tuple[int, ...]) -> float:
    """Measure how far points lie below the line through the outer eye corners, in its length."""
    (x0, y0), (x1, y1) = points[36], points[45]
    along, down = x1 - x0, y1 - y0
    length = hypot(along, down)
    if not length > 0:
        return nan
    heights = (along * (points[i][1] - y0) - down * (points[i][0] - x0) for i in which)
    return sum(heights) / len(which) / length**2


def _brow_height(points: Points, brow: tuple[int, ...], eye: tuple[int, int]) -> float:
    """Measure how far a brow lies above its own eye, over the outer-eye distance."""
    return _below(points, eye) - _below(points, brow)


def _unlike(right: float, left: float) -> float:
    """Compare two sides: 0 for equal ones, 1 where the left one is all there is."""
    both = right + left
    return (left - right) / both if both > 0 else nan


def _geometry(face: Face) -> tuple[float | Reading, ...]:
    points: Points = face.points.tolist()
    right, left = eye_openings(face)
    brow_right = _brow_height(points, _RIGHT_BROW, RIGHT_EYE_CORNERS)
    brow_left = _brow_height(points, _LEFT_BROW, LEFT_EYE_CORNERS)
    # Over the outer-eye distance: the mouth's own width changes while it opens.
    mouth = opening(points, INNER_LIPS, (36, 45))
    corner_right, corner_left = (_below(points, (i,)) for i in MOUTH_CORNERS)
    unlike: tuple[float | Reading, ...] = (
        _unlike(right, left),
        _unlike(brow_right, brow_left),
        corner_right - corner_left,
    )
    yaw = degrees(face.pose.rotation[1]) if face.pose is not None else 0.0
    if abs(yaw) > _TURNED:
        unlike = (as_reading(nan, "the head is turned too far to compare both sides"),) * 3
    return right, left, mouth, brow_right, brow_left, *unlike


GEOMETRY: Final = FaceEstimator(
    "geometry",
    (
        Spec("eye_opening_right", "lid distance over width of the right eye", range=(0.0, 0.5)),
        Spec("eye_opening_left", "lid distance over width of the left eye", range=(0.0, 0.5)),
        Spec("mouth_opening", "distance of the inner lips over the outer-eye distance",
             range=(0.0, 0.6), level=0.08),
        Spec("brow_height_right", "height of the right brow above its eye over the outer-eye "
             "distance", range=(0.0, 0.5)),
        Spec("brow_height_left", "height of the left brow above its eye over the outer-eye "
             "distance", range=(0.0, 0.5)),
        Spec("eye_asymmetry", "(left - right) / (left + right) of the eye openings; 0: alike",
             range=(-1.0, 1.0)),
        Spec("brow_asymmetry", "(left - right) / (left + right) of the brow heights; 0: alike",
             range=(-1.0, 1.0)),
        Spec("mouth_asymmetry", "how much higher the left mouth corner lies than the right one, "
             "over the outer-eye distance, upright head; 0: alike", range=(-0.3, 0.3)),
    ),
    _geometry,
)  # fmt: skip
