"""A synthetic head, and a person who has an opinion of their own on where its landmarks are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from facetrack.fitting.face_model import FaceModel
from facetrack.landmarks.markup import outer_eye_distance
from facetrack.learning.example import Example, make_example
from facetrack.synthetic.video import SyntheticVideo


@pytest.fixture(scope="session")
def video(shipped_model: FaceModel) -> SyntheticVideo:
    return SyntheticVideo(shipped_model.shape_model, n_frames=60, size=(320, 240))


@pytest.fixture(scope="session")
def opinion(video: SyntheticVideo) -> Callable[[int], np.ndarray]:
    """Give the person's landmarks in a frame: brows higher and a mouth lower than the truth."""

    def points(frame: int) -> np.ndarray:
        truth = video.truth(frame)
        upright = truth[[27, 8]] - truth[27]  # from the nose's root to the chin
        down = upright[1] / np.linalg.norm(upright[1]) * outer_eye_distance(truth)
        truth[17:27] -= 0.06 * down
        truth[48:] += 0.04 * down
        return truth

    return points


@pytest.fixture(scope="session")
def example(video, opinion, shipped_model) -> Callable[..., Example]:
    def make(frame: int, mask: np.ndarray | None = None) -> Example:
        mask = np.ones(68, bool) if mask is None else mask
        points = opinion(frame)
        return make_example(
            video.frame(frame).image, points, mask, shipped_model.shape_model, key=frame
        )

    return make
