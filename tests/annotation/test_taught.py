"""What learns a person while a video is annotated."""

import numpy as np
import pytest

from facetrack.annotation.corrections import Correction
from facetrack.annotation.taught import taught
from facetrack.face import Source
from facetrack.synthetic.video import SyntheticVideo
from facetrack.tracking.tracker import Tracker

CHIN = 8


@pytest.fixture(scope="module")
def frames(shipped_model):
    return list(SyntheticVideo(shipped_model.shape_model, n_frames=31, size=(320, 240), seed=1))


@pytest.fixture(scope="module")
def tracked(shipped_model, frames):
    tracker = Tracker(shipped_model)
    return [np.array(tracker.update(frame)[0].points) for frame in frames]


@pytest.mark.parametrize(
    ("drags", "least", "most"),
    [
        ({8: 6.0}, 4.0, 7.0),
        ({8: 6.0, 20: 6.0}, 4.0, 7.0),
        ({8: 6.0, 20: 12.0}, 4.0, 12.0),  # they contradict each other: something in between
    ],
)
def test_a_dragged_point_stays_dragged_in_other_frames(
    shipped_model, frames, tracked, drags, least, most
) -> None:
    corrections = []
    for number, drag in drags.items():
        points = tracked[number].copy()
        points[CHIN, 1] += drag
        source = np.full(68, Source.TRACKED, np.uint8)
        source[CHIN] = Source.CORRECTED
        corrections.append((number, frames[number].grey, Correction(points, source)))
    learned = taught(shipped_model, corrections)
    for number in (9, 11, 15, 20, 30):
        image, start = frames[number].grey, tracked[number]
        moved = learned.fit(image, start).points - shipped_model.fit(image, start).points
        assert least < moved[CHIN, 1] < most
        assert np.linalg.norm(np.delete(moved, CHIN, axis=0), axis=1).mean() < 1.0
