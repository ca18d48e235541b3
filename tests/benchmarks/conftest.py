"""Clips with tracks beside them, and what tests of evaluation use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facetrack.fitting.face_model import FaceModel
from facetrack.formats.pts import write_pts
from facetrack.synthetic.video import SyntheticVideo
from facetrack.video.sink import write_video
from tests.evaluation.conftest import grey_video, make_faces, scripted_tracker, shape_model

__all__ = ["clips", "grey_video", "make_faces", "scripted_tracker", "shape_model"]


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory, shipped_model: FaceModel) -> Path:
    """Give a folder with a clip of 24 frames, a track beside it, and .pts files apart."""
    folder = tmp_path_factory.mktemp("clips")
    video = SyntheticVideo(shipped_model.shape_model, n_frames=24, size=(240, 180), seed=2)
    write_video(video, folder / "v.mp4")
    truth = np.stack([video.truth(k) for k in range(24)])
    np.savez(
        folder / "v_consensus.npz",
        points=truth + 0.5,
        points_pfld=truth,
        agreement=np.full(24, 0.01),
        fps=30.0,
    )
    (folder / "pts").mkdir()
    for k, points in enumerate(truth):
        write_pts(folder / "pts" / f"{k + 1:06}.pts", points)
    return folder
