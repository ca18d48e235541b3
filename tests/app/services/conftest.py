"""A short clip, and an annotator that has tracked it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from facetrack.fitting.face_model import FaceModel
from facetrack.synthetic.video import SyntheticVideo
from facetrack.video.sink import write_video
from tests.app.services.desk import Desk, N


@pytest.fixture(scope="session")
def clip(shipped_model: FaceModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a short clip of the moving head."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    write_video(
        SyntheticVideo(shipped_model.shape_model, n_frames=N, size=(320, 240), seed=1), path
    )
    return path


@pytest.fixture
def desk(clip: Path, shipped_model: FaceModel, tmp_path: Path) -> Iterator[Desk]:
    """Give an annotator whose background tracking is done."""
    made = Desk(clip, shipped_model, tmp_path / "session")
    made.until(made.tracked)
    yield made
    made.annotator.close()
