"""The point distribution model: mean, rigid basis, non-rigid modes (method.md, 1.3 and 1.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.landmarks.markup import MIRROR, mirror
from facetrack.landmarks.procrustes import Similarity, align_all, fit_similarity, mean_shape

N_RIGID = 4
_EYE_DISTANCE: Final = 90.0  # mm between an adult's outer eye corners: sets the mean head's scale
# How far the nose's tip lies before the line of the outer eye corners, in outer-eye distances.
# Expressions and errors of labelling flatten the factorised head (to 0.27 on 300-W); this
# proportion, that of the canonical face of MediaPipe, restores its depth.
_NOSE_DEPTH: Final = 0.48


@dataclass(frozen=True, slots=True)
class ShapeModel:
    """A linear model of shapes inside the reference frame, s = mean + B p.

    B (136, 4 + k) has orthonormal columns: two for scale and rotation, two for translation, k
    non-rigid modes. Its rows are x0, y0, x1, y1, ... `deviations` (4 + k,) are standard deviations
    of each parameter in pixels of the reference frame; the four rigid ones are infinite: they are
    the frame's business, not the model's. `mean_3d` (68, 3) is the mean head in millimetres: x to
    the image's right, y down, z away from the camera, origin between the outer eye corners.
    """

    mean: npt.NDArray[np.float64]  # (68, 2), pixels of the reference frame
    basis: npt.NDArray[np.float64]
    deviations: npt.NDArray[np.float64]
    mean_3d: npt.NDArray[np.float64]

    @property
    def n_parameters(self) -> int:
        """Number of columns of the basis, 4 + k."""
        return int(self.basis.shape[1])

    def to_reference(self, points: npt.ArrayLike) -> Similarity:
        """Fit the similarity from the points' frame, an image's, to the reference frame."""
        return fit_similarity(points, self.mean)

    def parameters(self, shape: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Project shapes (..., 68, 2) of the reference frame on the model, p = B^T (s - mean)."""
        s = np.asarray(shape, dtype=np.float64) - self.mean
        return s.reshape(*s.shape[:-2], -1) @ self.basis

    def shape(self, parameters: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Make shapes (..., 68, 2) from parameters (..., 4 + k), s = mean + B p."""
        p = np.asarray(parameters, dtype=np.float64)
        return self.mean + (p @ self.basis.T).reshape(*p.shape[:-1], -1, 2)

    def project(self, points: npt.ArrayLike, *, limit: float = 3.0) -> npt.NDArray[np.float64]:
        """Replace a shape by the nearest one that the model can say, both in pixels of the image.

        Non-rigid parameters are clamped to `limit` standard deviations.
        """
        to_reference = self.to_reference(points)
        p = self.parameters(to_reference.apply(points))
        bound = limit * self.deviations
        return to_reference.inverse().apply(self.shape(np.clip(p, -bound, bound)))

    def relax(self, points: npt.ArrayLike, *, keep: float) -> npt.NDArray[np.float64]:
        """Pull a shape towards the mean shape at its own place, both in pixels of the image.

        `keep` is the share of its own form that is kept; 1 changes nothing, 0 gives the mean shape.
        """
        own = np.asarray(points, dtype=np.float64)
        placed = self.to_reference(own).inverse().apply(self.mean)
        relaxed: npt.NDArray[np.float64] = keep * own + (1 - keep) * placed
        return relaxed


def train_shape_model(
    shapes: npt.ArrayLike, *, n_modes: int, eye_distance: float, centre: tuple[float, float]
) -> ShapeModel:
    """Learn the shape model from landmarks (n, 68, 2); mirrored copies are added here.

    `eye_distance` and `centre` say how large the mean shape is in the reference frame and where its
    centroid lies, pixels. InputError if there are fewer shapes than modes, or they are not finite.
    """
    s = np.asarray(shapes, dtype=np.float64)
    if s.ndim != 3 or s.shape[1:] != (68, 2) or not np.isfinite(s).all():
        raise InputError(f"shapes must be finite and have shape (n, 68, 2), got {s.shape}")
    if len(s) <= n_modes:
        raise InputError(f"{n_modes} modes need more than {n_modes} shapes, got {len(s)}")
    both = np.concatenate([s, mirror(s, 1.0)])
    mean = mean_shape(both, eye_distance=eye_distance)
    mean = 0.5 * (mean + mirror(mean, 1.0))  # exact symmetry: rounding leaves about 1e-13
    residuals = (align_all(both, mean) - mean).reshape(len(both), -1)
    rigid = _rigid_basis(mean)
    residuals -= residuals @ rigid @ rigid.T
    values, vectors = np.linalg.eigh(residuals.T @ residuals / len(residuals))
    order = np.argsort(values)[::-1][:n_modes]
    return ShapeModel(
        mean=mean + np.asarray(centre),
        basis=np.concatenate([rigid, vectors[:, order]], axis=1),
        deviations=np.concatenate([np.full(N_RIGID, np.inf), np.sqrt(values[order])]),
        mean_3d=mean_head(both),
    )


def _rigid_basis(mean: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Scale, rotation and two translations as orthonormal directions; `mean` is centred."""
    turned = np.stack([-mean[:, 1], mean[:, 0]], axis=1)
    along_x, along_y = np.zeros_like(mean), np.zeros_like(mean)
    along_x[:, 0] = along_y[:, 1] = 1
    columns = np.stack([v.ravel() for v in (mean, turned, along_x, along_y)], axis=1)
    basis: npt.NDArray[np.float64] = columns / np.linalg.norm(columns, axis=0)
    return basis


def mean_head(shapes: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Recover the mean head (68, 3), `ShapeModel.mean_3d`, from two-dimensional shapes (n, 68, 2).

    Factorisation under scaled orthography (Tomasi and Kanade 1992, Weinshall and Tomasi 1995): the
    centred shapes, stacked as 2n x 68, have rank 3 up to non-rigid motion; the metric upgrade makes
    the two rows of every camera orthogonal and equally long. The jaw's points slide along the
    contour when the head turns, so the upgrade uses the inner 51 points. The shapes are seen from
    many sides, mirrored copies included.
    """
    s = np.asarray(shapes, dtype=np.float64)
    inner = s[:, 17:] - s[:, 17:].mean(axis=1, keepdims=True)
    scale = np.sqrt((inner**2).sum(axis=(1, 2), keepdims=True))
    w = (inner / scale).transpose(0, 2, 1).reshape(-1, inner.shape[1])
    u, d, _ = np.linalg.svd(w, full_matrices=False)
    cameras = u[:, :3] * d[:3]
    upgrade = _metric_upgrade(cameras)
    cameras = cameras @ upgrade
    all_points = ((s - s[:, 17:].mean(axis=1, keepdims=True)) / scale).transpose(0, 2, 1)
    head = np.linalg.lstsq(cameras, all_points.reshape(-1, 68), rcond=None)[0].T
    head = _canonical_head(head)
    head[:, 2] *= _NOSE_DEPTH * _EYE_DISTANCE / -head[30, 2]
    return head


def _metric_upgrade(cameras: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Find G so that the rows i, j of each camera times G are orthogonal and of equal length."""

    def products(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
        return np.stack(
            [a[:, p] * b[:, q] + (a[:, q] * b[:, p] if p != q else 0) for p, q in pairs], axis=1
        )

    i, j = cameras[0::2], cameras[1::2]
    equations = np.concatenate([products(i, i) - products(j, j), products(i, j)])
    q = np.linalg.svd(equations, full_matrices=False)[2][-1]
    gram = np.array([[q[0], q[1], q[2]], [q[1], q[3], q[4]], [q[2], q[4], q[5]]])
    values, vectors = np.linalg.eigh(gram * np.sign(np.trace(gram)))
    upgrade: npt.NDArray[np.float64] = vectors * np.sqrt(np.maximum(values, 1e-9))
    return upgrade


def _canonical_head(head: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Turn a head upright, towards the camera, symmetric, in millimetres."""
    x_axis = head[45] - head[36]
    down = head[[48, 54]].mean(axis=0) - head[[36, 45]].mean(axis=0)
    x_axis /= np.linalg.norm(x_axis)
    down -= x_axis * (down @ x_axis)
    y_axis = down / np.linalg.norm(down)
    z_axis = np.cross(x_axis, y_axis)
    head = (head - head[[36, 45]].mean(axis=0)) @ np.stack([x_axis, y_axis, z_axis], axis=1)
    if head[30, 2] > 0:  # the mirror ambiguity of orthography: the nose points to the camera
        head[:, 2] *= -1
    flipped = mirror(head[:, :2], 1.0)
    head = 0.5 * (head + np.column_stack([flipped, head[list(MIRROR), 2]]))
    return head * (_EYE_DISTANCE / np.linalg.norm(head[45] - head[36]))
