"""Similarities between shapes, and generalised Procrustes analysis (method.md, 1.2 and 1.3)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.landmarks import _kernels
from facetrack.landmarks.markup import outer_eye_distance

Points = npt.NDArray[np.float64]

_ROUNDS = 8  # of the mean shape; 5 suffice


@dataclass(frozen=True, slots=True)
class Similarity:
    """The map p -> A p + t with A = [[a, -b], [b, a]]: scale, in-plane rotation, translation."""

    a: float  # scale times cosine of the rotation
    b: float  # scale times its sine
    tx: float  # pixels of the target frame
    ty: float

    @property
    def scale(self) -> float:
        """Length in the target frame per length in the source frame."""
        return math.hypot(self.a, self.b)

    @property
    def matrix(self) -> npt.NDArray[np.float64]:
        """The map as a matrix, shape (2, 3), as `cv2.warpAffine` takes it."""
        return np.array([[self.a, -self.b, self.tx], [self.b, self.a, self.ty]])

    def apply(self, points: npt.ArrayLike) -> Points:
        """Map points (..., 2) from the source frame to the target frame."""
        mapped = np.array(points, dtype=np.float64, order="C")  # a copy: writable for the kernel
        _kernels.move(mapped.reshape(-1, 2), self.a, self.b, self.tx, self.ty)
        return mapped

    def inverse(self) -> Similarity:
        """Return the map from the target frame back to the source frame."""
        norm = self.a**2 + self.b**2
        a, b = self.a / norm, -self.b / norm
        return Similarity(a, b, -(a * self.tx - b * self.ty), -(b * self.tx + a * self.ty))


def fit_similarity(source: npt.ArrayLike, target: npt.ArrayLike) -> Similarity:
    """Fit the similarity that brings one shape onto another with least squares in the target frame.

    With both shapes centred: a = sum s.d / sum |s|^2, b = sum (s x d) / sum |s|^2 (method.md, 1.2).
    The result depends on the direction: always fit image -> reference and invert. InputError if the
    shapes (n, 2) differ, are not finite, or all source points coincide.
    """
    # copies: writable and contiguous, as the kernel wants them
    s = np.array(source, dtype=np.float64, order="C")
    d = np.array(target, dtype=np.float64, order="C")
    if s.shape != d.shape or s.ndim != 2 or s.shape[1] != 2 or not len(s):
        raise InputError(f"shapes must both be (n, 2) with n > 0, got {s.shape} and {d.shape}")
    found = np.empty(4)
    _kernels.similarity(s, d, found)
    a, b, tx, ty = found.tolist()
    if not math.isfinite(a + b + tx + ty):
        finite = np.isfinite(s).all() and np.isfinite(d).all()
        problem = "all points of the source shape coincide" if finite else "shapes must be finite"
        raise InputError(problem)
    return Similarity(a, b, tx, ty)


def align_all(shapes: npt.ArrayLike, target: npt.ArrayLike) -> Points:
    """Bring shapes (n, 68, 2), each in its own frame, onto one by similarities."""
    s = np.asarray(shapes, dtype=np.float64)
    d = np.asarray(target, dtype=np.float64)
    s = s - s.mean(axis=1, keepdims=True)
    centre = d.mean(axis=0)
    d = d - centre
    norm = (s * s).sum(axis=(1, 2))
    a = (s * d).sum(axis=(1, 2)) / norm
    b = (s[..., 0] * d[:, 1] - s[..., 1] * d[:, 0]).sum(axis=1) / norm
    x = a[:, None] * s[..., 0] - b[:, None] * s[..., 1]
    y = b[:, None] * s[..., 0] + a[:, None] * s[..., 1]
    aligned: Points = np.stack([x, y], axis=-1) + centre
    return aligned


def mean_shape(shapes: npt.ArrayLike, *, eye_distance: float) -> Points:
    """Compute the mean shape by generalised Procrustes analysis, in pixels, (68, 2).

    Centred at the origin, outer eye corners `eye_distance` apart on a horizontal line. With
    mirrored copies among the shapes (n, 68, 2) it comes out symmetric.
    """
    s = np.asarray(shapes, dtype=np.float64)
    if s.ndim != 3 or s.shape[1:] != (68, 2) or not len(s):
        raise InputError(f"shapes must have shape (n, 68, 2) with n > 0, got {s.shape}")
    mean = _upright(s[0], eye_distance)
    for _ in range(_ROUNDS):
        mean = _upright(align_all(s, mean).mean(axis=0), eye_distance)
    return mean


def _upright(shape: Points, eye_distance: float) -> Points:
    """Centre a shape, make the line of its outer eye corners horizontal, set its scale."""
    centred = shape - shape.mean(axis=0)
    direction = (centred[45] - centred[36]) / float(outer_eye_distance(centred))
    factor = eye_distance / float(outer_eye_distance(centred))
    return Similarity(factor * direction[0], -factor * direction[1], 0.0, 0.0).apply(centred)
