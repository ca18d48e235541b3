"""The shape model that ships, for tests of what a real one must hold to."""

from __future__ import annotations

import pytest

from facetrack.landmarks.shape_model import ShapeModel
from facetrack.tracking.face_model import FaceModel


@pytest.fixture(scope="session")
def shape_model(shipped_model: FaceModel) -> ShapeModel:
    return shipped_model.shape_model
