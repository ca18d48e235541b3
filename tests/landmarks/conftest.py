"""Shape models, for tests of what one must hold to: that which ships, and one just trained."""

from __future__ import annotations

import numpy as np
import pytest

from facetrack.fitting.face_model import FaceModel
from facetrack.landmarks.shape_model import ShapeModel, train_shape_model
from tests.rotations import rotation_matrix


@pytest.fixture(scope="session", params=["shipped", "trained"])
def shape_model(
    request: pytest.FixtureRequest, shipped_model: FaceModel, trained: ShapeModel
) -> ShapeModel:
    return shipped_model.shape_model if request.param == "shipped" else trained


@pytest.fixture(scope="session")
def trained(shipped_model: FaceModel) -> ShapeModel:
    """Learn a model from the shipped head seen from many sides."""
    rng = np.random.default_rng(0)
    shapes = []
    for _ in range(300):
        turned = shipped_model.shape_model.mean_3d @ rotation_matrix(*rng.normal(0, 0.25, 3)).T
        scaled = rng.uniform(0.5, 3) * turned[:, :2]
        shapes.append(scaled + rng.uniform(-100, 300, 2) + rng.normal(0, 0.3, (68, 2)))
    return train_shape_model(np.array(shapes), n_modes=8, eye_distance=55, centre=(79.5, 79.5))
