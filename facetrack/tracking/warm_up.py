"""Compiling everything that the tracker runs before the first frame comes."""

from __future__ import annotations

import numpy as np

from facetrack.face import N_POINTS
from facetrack.features.crops import FRAME_SIZE
from facetrack.features.maps import DEFAULT_MAPS
from facetrack.features.resize import average
from facetrack.landmarks.pose import head_pose
from facetrack.landmarks.shape_model import N_RIGID, ShapeModel
from facetrack.regression.cascade import Cascade, Level
from facetrack.tracking.box_fit import BoxPlacement
from facetrack.tracking.confidence import N_CLUES, PointConfidence
from facetrack.tracking.face_model import FaceModel
from facetrack.tracking.quality import QualityClassifier


def warm_up() -> None:
    """Run every kernel of the tracker once.

    Kernels compile at their first call, which takes seconds where no compiled copy is cached. A
    program that shows live video calls this before it opens the camera. No model is needed: a
    kernel is compiled for types of arrays, and those are the same for all models.
    """
    model = _smallest_model()
    for image in (np.zeros((64, 64), np.uint8), np.zeros((64, 64, 3), np.uint8)):
        model.fit_box(image, (8.0, 8.0, 56.0, 56.0))
    average(image[..., 0], (32, 32))
    shape_model = model.shape_model
    head_pose(shape_model.mean, shape_model.mean_3d, (FRAME_SIZE, FRAME_SIZE))


def _smallest_model() -> FaceModel:
    """Make a model of the smallest size that moves no point."""
    angle = np.linspace(0, 2 * np.pi, N_POINTS, endpoint=False)
    mean = FRAME_SIZE * (0.5 + 0.3 * np.column_stack([np.cos(angle), np.sin(angle)]))
    basis = np.eye(2 * N_POINTS, N_RIGID)
    head = np.column_stack([mean - mean.mean(axis=0), 20 * np.cos(3 * angle)])  # not flat
    shape_model = ShapeModel(mean, basis, np.ones(N_RIGID), head)
    levels = tuple(_level(index, spec.shrink) for index, spec in enumerate(DEFAULT_MAPS))
    cascade = Cascade(DEFAULT_MAPS, basis.astype(np.float32), levels)
    n_evidence = 2 * N_POINTS + N_RIGID
    nothing = np.zeros(n_evidence, dtype=np.float32)
    quality = QualityClassifier(levels[0], nothing, nothing, nothing, 0.0)
    placement = BoxPlacement((mean / FRAME_SIZE - 0.5)[None])
    confidence = PointConfidence(np.zeros((N_POINTS, N_CLUES)), np.zeros(N_POINTS))
    return FaceModel(
        "warm-up", shape_model, placement, cascade, cascade, cascade, quality, {}, confidence
    )


def _level(map_index: int, shrink: int) -> Level:
    return Level(
        map_index,
        shrink,
        spacing=4.0,
        basis=np.zeros((N_POINTS, 128, 1), dtype=np.float32),
        offset=np.zeros((N_POINTS, 1), dtype=np.float32),
        regressor=np.zeros((N_RIGID, N_POINTS + 1), dtype=np.float32),
    )
