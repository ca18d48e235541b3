"""The shape model that ships, for tests of what a real one must hold to."""

from __future__ import annotations

import pytest

from facetrack.landmarks.shape_model import ShapeModel
from facetrack.model import load_model


@pytest.fixture(scope="session")
def shape_model() -> ShapeModel:
    return load_model().shape_model
