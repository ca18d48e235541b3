"""The contract that all sources keep."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from facetrack.fitting.face_model import FaceModel
from facetrack.opening import open_source
from facetrack.synthetic.video import SyntheticVideo
from facetrack.video.source import VideoSource


@pytest.fixture(params=["file", "images", "synthetic"])
def source(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    clip: Callable[..., Path],
    shipped_model: FaceModel,
) -> VideoSource:
    """Give five frames of 64 x 48 pixels, 20 ms apart."""
    if request.param == "file":
        return open_source(clip(tmp_path / "a.mp4", [i / 50 for i in range(5)], size=(64, 48)))
    if request.param == "images":
        for i in range(5):
            cv2.imwrite(str(tmp_path / f"{i}.png"), np.full((48, 64, 3), i, np.uint8))
        return open_source(tmp_path, rate=50)
    return SyntheticVideo(shipped_model.shape_model, n_frames=5, size=(64, 48), fps=50)


def test_sources_give_frames_as_agreed(source: VideoSource) -> None:
    with source:
        frames = list(source)
    assert source.name
    assert source.size == (64, 48)
    assert source.n_frames == source.report.decoded == 5
    assert source.duration == pytest.approx(0.1, abs=0.03)
    assert [f.index for f in frames] == [0, 1, 2, 3, 4]
    assert [f.timestamp for f in frames] == pytest.approx([0, 0.02, 0.04, 0.06, 0.08], abs=1e-3)
    for frame in frames:
        assert frame.image.shape == (48, 64, 3)
        assert frame.grey.shape == (48, 64)
        assert frame.grey.dtype == frame.image.dtype == np.uint8
        assert frame.grey.flags.c_contiguous
        assert frame.image.flags.c_contiguous


def test_sources_start_anew_and_end_when_closed(source: VideoSource) -> None:
    first = [f.grey.copy() for f in source]
    second = [f.grey.copy() for f in source]
    np.testing.assert_array_equal(first, second)
    frames = iter(source)
    next(frames)
    source.close()
    assert next(frames, None) is None
