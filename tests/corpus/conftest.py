"""A model made by code that follows its start and jitters with the pixels, and clips to track."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facetrack.corpus.fingerprint import fingerprint
from facetrack.corpus.task import ModelId, Outputs, Settings, Task
from facetrack.features.maps import DEFAULT_MAPS
from facetrack.fitting.box_fit import BoxPlacement
from facetrack.fitting.face_model import FaceModel
from facetrack.fitting.quality import QualityClassifier
from facetrack.landmarks.shape_model import ShapeModel, train_shape_model
from facetrack.model import load_model, save_model
from facetrack.regression.cascade import Cascade, Level
from facetrack.synthetic.portrait import astronaut
from facetrack.synthetic.video import SyntheticVideo
from facetrack.video.sink import write_video


@pytest.fixture(scope="session")
def shape_model() -> ShapeModel:
    """Give a model of random deformations of the portrait, with a flat head."""
    points = astronaut().points
    rng = np.random.default_rng(0)
    shapes = points + rng.normal(0, 2.0, (40, 68, 2))
    model = train_shape_model(shapes, n_modes=6, eye_distance=60.0, centre=(80.0, 80.0))
    flat = (points - 0.5 * (points[36] + points[45])) * (90 / np.ptp(points[[36, 45], 0]))
    return replace(model, mean_3d=np.column_stack([flat, -0.2 * np.abs(flat[:, 0])]))


@pytest.fixture(scope="session")
def model_file(shape_model: ShapeModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a model whose fits stay near the start, depend on every pixel and are believed."""
    rng = np.random.default_rng(1)

    def level(map_index: int) -> Level:
        basis = rng.normal(0, 0.1, (68, 128, 2)).astype(np.float32)
        regressor = rng.normal(0, 0.03, (shape_model.n_parameters, 137)).astype(np.float32)
        regressor[:, -1] = 0
        spec = DEFAULT_MAPS[map_index]
        return Level(map_index, spec.shrink, 4.0, basis, np.zeros((68, 2), np.float32), regressor)

    cascade = Cascade(DEFAULT_MAPS, shape_model.basis.astype(np.float32), (level(0), level(1)))
    n_evidence = 2 * 136 + shape_model.n_parameters
    nothing = np.zeros(n_evidence, dtype=np.float32)
    model = FaceModel(
        name="toy",
        shape_model=shape_model,
        placement=BoxPlacement(np.repeat(_face_in_a_box(shape_model)[None], 5, axis=0)),
        start=cascade,
        refinement=cascade,
        tracking=cascade,
        quality=QualityClassifier(level(0), nothing, nothing, nothing, 3.0),
        card={"data": "none"},
    )
    path = tmp_path_factory.mktemp("model") / "toy.npz"
    save_model(model, path)
    return path


def _face_in_a_box(shape_model: ShapeModel) -> np.ndarray:
    mean = shape_model.mean - shape_model.mean.mean(axis=0)
    return np.asarray(mean * (0.6 / np.linalg.norm(mean[45] - mean[36])) + [0, 0.1])


@pytest.fixture(scope="session")
def model(model_file: Path) -> FaceModel:
    """Give the same model, loaded."""
    return load_model(model_file)


@pytest.fixture(scope="session")
def clip(shape_model: ShapeModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a clip of 40 frames in which the face is covered for a while."""
    return _write(shape_model, tmp_path_factory.mktemp("clips") / "clip.mp4", 40)


@pytest.fixture(scope="session")
def long_clip(shape_model: ShapeModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a clip longer than two checkpoints."""
    return _write(shape_model, tmp_path_factory.mktemp("clips") / "long.mp4", 700)


def _write(shape_model: ShapeModel, path: Path, n_frames: int) -> Path:
    source = SyntheticVideo(shape_model, n_frames=n_frames, size=(320, 240), seed=3)
    write_video(source, path)
    return path


@pytest.fixture
def task(model: FaceModel) -> Callable[..., Task]:
    """Give what makes a task."""

    def make(source: str | Path, base: Path, **settings: object) -> Task:
        chosen = Settings(**settings)  # type: ignore[arg-type]
        return Task(source, Outputs(base), chosen, ModelId(model.name, fingerprint(model)))

    return make
