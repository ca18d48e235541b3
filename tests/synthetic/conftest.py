"""A shape model that needs no training data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from facetrack.landmarks.markup import mirror
from facetrack.landmarks.shape_model import ShapeModel, train_shape_model
from facetrack.synthetic.portrait import astronaut


@pytest.fixture(scope="session")
def shape_model() -> ShapeModel:
    """Give a model of smooth random deformations of one face, with a plausible head."""
    rng = np.random.default_rng(0)
    points = astronaut().points
    centred = points - points.mean(axis=0)
    bumps = np.exp(-(((centred[:, None] - centred[::6][None]) / 30) ** 2).sum(axis=-1))
    shapes = points + np.einsum("pb,nbc->npc", bumps, rng.normal(0, 1.0, (40, bumps.shape[1], 2)))
    model = train_shape_model(shapes, n_modes=10, eye_distance=60.0, centre=(64.0, 64.0))
    return replace(model, mean_3d=_head(points))


def _head(points: np.ndarray) -> np.ndarray:
    both = 0.5 * (_upright(points) + _upright(mirror(points, 512)))
    inside = 1 - (both[:, 0] / 85) ** 2 - ((both[:, 1] + 10) / 130) ** 2
    depth = 75 - 90 * np.sqrt(np.clip(inside, 0, None))
    depth[27:36] = [-22, -30, -37, -43, -18, -24, -28, -24, -18]
    depth -= depth[[36, 45]].mean() * (np.arange(68) >= 36)
    return np.column_stack([both, depth])


def _upright(points: np.ndarray) -> np.ndarray:
    right, left = points[36], points[45]
    across = (left - right) / np.linalg.norm(left - right)
    axes = np.stack([across, [-across[1], across[0]]], axis=1)
    return np.asarray((points - 0.5 * (right + left)) @ axes * 90 / np.linalg.norm(left - right))
