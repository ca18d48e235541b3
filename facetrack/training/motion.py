"""Real motion of faces between frames of a clip: starts for tracking (method.md, 4)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.training.pictures import Labelled

Shapes = npt.NDArray[np.float64]

_MOST, _SOME = (0.5, 1.3), (-0.5, 0.5)  # shares of the two motions that make a new one
_N_MODES = 12  # labels of neighbouring frames jitter: finer modes of their difference are noise


def pair_motions(images: Sequence[Labelled], shape_model: ShapeModel) -> Shapes:
    """Measure the motion between the frames NAME_a and NAME_b of each clip, and back: (2 n, 68, 2).

    In pixels of the reference frame of the first; raises InputError if there is no pair.
    """
    by_name = {image.name: image.points for image in images}
    motions = []
    for name, first in by_name.items():
        second = by_name.get(name[:-2] + "_b") if name.endswith("_a") else None
        if second is None:
            continue
        motions += [_motion(first, second, shape_model), _motion(second, first, shape_model)]
    if not motions:
        raise InputError("no pairs of frames: pictures must be named NAME_a and NAME_b")
    return np.stack(motions)


def _motion(first: Shapes, second: Shapes, shape_model: ShapeModel) -> Shapes:
    """Keep the part of a motion that the first modes of the shape model can say."""
    to_frame = shape_model.to_reference(first)
    moved = to_frame.apply(second) - to_frame.apply(first)
    basis = shape_model.basis[:, : 4 + _N_MODES]
    return (basis @ (basis.T @ moved.ravel())).reshape(68, 2)


def draw_motion(motions: Shapes, rng: np.random.Generator) -> Shapes:
    """Compose a motion (68, 2) of two measured ones: people move in more ways than those few."""
    first, second = motions[rng.integers(len(motions), size=2)]
    composed: Shapes = rng.uniform(*_MOST) * first + rng.uniform(*_SOME) * second
    return composed


def start_from_motion(points: Shapes, motion: Shapes, shape_model: ShapeModel) -> Shapes:
    """Return where a face was, in pixels of the image, before a motion that ends at the truth.

    The motion is in pixels of the reference frame. What the shape model cannot say of the truth is
    left out.
    """
    projected = shape_model.project(points, limit=np.inf)
    to_frame = shape_model.to_reference(projected)
    return to_frame.inverse().apply(to_frame.apply(projected) - motion)
