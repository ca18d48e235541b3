"""Maps between conventions of landmarks, so that a peer does not lose by its mark-up alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.landmarks.markup import OUTER_EYE_CORNERS
from facetrack.landmarks.procrustes import Similarity

Points = npt.NDArray[np.float64]
_PENALTIES = np.geomspace(1e-5, 1e2, 15)
_LEAST = 20


@dataclass(frozen=True, slots=True)
class ConventionMap:
    """A correction of shapes, shape' = shape + shift + (shape - mean) matrix.

    It acts in the frame of the predicted outer eye corners (at (-0.5, 0) and (0.5, 0)).
    """

    mean: Points  # (136,), of predicted shapes, in eye distances
    shift: Points  # (136,)
    matrix: Points  # (136, 136); zero when only the offset of each point is corrected

    def apply(self, points: npt.ArrayLike) -> Points:
        """Correct shapes (..., 68, 2) in pixels; what is not finite stays as it is."""
        p = np.array(points, dtype=np.float64)
        flat = p.reshape(-1, 68, 2)
        for k in np.flatnonzero(np.isfinite(flat).all(axis=(1, 2))):
            frame = _eye_frame(flat[k])
            shape = frame.apply(flat[k]).ravel()
            corrected = shape + self.shift + (shape - self.mean) @ self.matrix
            flat[k] = frame.inverse().apply(corrected.reshape(68, 2))
        return flat.reshape(p.shape)


def learn_offset(points: npt.ArrayLike, truth: npt.ArrayLike) -> ConventionMap:
    """Learn the mean offset of every point from (n, 68, 2) predictions and labels in pixels."""
    shapes, corrections = _in_eye_frames(points, truth)
    return ConventionMap(shapes.mean(axis=0), corrections.mean(axis=0), np.zeros((136, 136)))


def learn_linear(points: npt.ArrayLike, truth: npt.ArrayLike) -> ConventionMap:
    """Learn a linear correction of the whole shape by ridge regression; see `learn_offset`."""
    # The penalty is the one with the least leave-one-out error, which for ridge regression is
    # residual / (1 - leverage), so the peer gets the best map that these images can give.
    shapes, corrections = _in_eye_frames(points, truth)
    mean, shift = shapes.mean(axis=0), corrections.mean(axis=0)
    u, d, vt = np.linalg.svd(shapes - mean, full_matrices=False)
    target = corrections - shift
    projected = u.T @ target

    def left_out_error(penalty: float) -> float:
        shrink = d**2 / (d**2 + penalty)
        residual = target - (u * shrink) @ projected
        leverage = (u**2 * shrink).sum(axis=1) + 1 / len(u)
        return float(((residual / (1 - leverage)[:, None]) ** 2).sum())

    penalty = min(_PENALTIES, key=left_out_error)
    return ConventionMap(mean, shift, (vt.T * (d / (d**2 + penalty))) @ projected)


def _in_eye_frames(points: npt.ArrayLike, truth: npt.ArrayLike) -> tuple[Points, Points]:
    """Shapes and their corrections in the frames of the predicted eyes, both (n, 136)."""
    p, t = np.asarray(points, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if p.shape != t.shape or p.ndim != 3 or p.shape[1:] != (68, 2):
        raise InputError(f"points and truth must both be (n, 68, 2), got {p.shape} and {t.shape}")
    found = np.flatnonzero(np.isfinite(p).all(axis=(1, 2)))
    if len(found) < _LEAST:
        raise InputError(
            f"a map of conventions needs at least {_LEAST} found faces, got {len(found)}"
        )
    frames = [_eye_frame(p[k]) for k in found]
    shapes = np.stack([f.apply(p[k]).ravel() for f, k in zip(frames, found, strict=True)])
    labels = np.stack([f.apply(t[k]).ravel() for f, k in zip(frames, found, strict=True)])
    return shapes, labels - shapes


def _eye_frame(shape: Points) -> Similarity:
    """Find the similarity that puts the outer eye corners at (-0.5, 0) and (0.5, 0)."""
    right, left = (shape[i] for i in OUTER_EYE_CORNERS)
    dx, dy = left - right
    norm = dx * dx + dy * dy
    if norm == 0:
        raise InputError("a predicted shape has coinciding outer eye corners")
    a, b = dx / norm, -dy / norm
    cx, cy = 0.5 * (left + right)
    return Similarity(a, b, -(a * cx - b * cy), -(b * cx + a * cy))
