"""Labelled pictures of synthetic faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facetrack.datasets.pts_folder import LabelledImage, load_folder
from facetrack.fitting.face_model import FaceModel
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.training.pictures import Picture, read_pictures


@pytest.fixture(scope="session")
def shape_model(shipped_model: FaceModel) -> ShapeModel:
    return shipped_model.shape_model


@pytest.fixture(scope="session")
def images(synthetic_faces: Path) -> list[LabelledImage]:
    return load_folder(synthetic_faces / "pictures")


@pytest.fixture(scope="session")
def clips(synthetic_faces: Path) -> list[LabelledImage]:
    return load_folder(synthetic_faces / "clips")


@pytest.fixture(scope="session")
def pictures(images: list[LabelledImage]) -> list[Picture]:
    """Give the pictures and their mirrored copies, with detections."""
    return read_pictures(images, detect=True)


@pytest.fixture(scope="session")
def face(shape_model: ShapeModel) -> np.ndarray:
    """Give a shape that the model can say wholly, 88 px between the eyes and a little turned."""
    p = np.zeros(shape_model.n_parameters)
    p[4:] = 0.7 * shape_model.deviations[4:] * np.resize([1, -1, 0], shape_model.n_parameters - 4)
    shape = shape_model.shape(p) - 80
    turned = 1.6 * np.stack(
        [0.98 * shape[:, 0] - 0.2 * shape[:, 1], 0.2 * shape[:, 0] + 0.98 * shape[:, 1]], axis=1
    )
    return shape_model.project(turned + np.array([210, 170]), limit=np.inf)
