"""Opening by what the user typed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from numpy.testing import assert_array_equal

from facetrack.errors import CameraError, InputError, VideoError
from facetrack.opening import open_seekable, open_source
from facetrack.tracking.face_model import FaceModel
from facetrack.video.seeking import SeekableVideo
from facetrack.video.source import VideoSource


def test_the_demo_needs_a_shape_model(shipped_model: FaceModel) -> None:
    for open_ in (open_source, open_seekable):
        with pytest.raises(InputError, match="shape_model"):
            open_("demo")
    demo = open_source("demo", shape_model=shipped_model.shape_model)
    assert (demo.name, demo.size, demo.n_frames) == ("demo", (640, 480), 300)


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux's /dev")
@pytest.mark.parametrize("spec", [97, "97", "/dev/video97"])
def test_missing_cameras_are_named(spec: int | str) -> None:
    with pytest.raises(CameraError, match="/dev/video97: there is no such camera"):
        open_source(spec)


@pytest.mark.parametrize("open_", [open_source, open_seekable])
def test_missing_files_are_named(
    tmp_path: Path, open_: Callable[[str], VideoSource | SeekableVideo]
) -> None:
    with pytest.raises(VideoError, match=r"gone\.mp4: there is no such file; check the name"):
        open_(str(tmp_path / "gone.mp4"))


def test_the_demo_clip_can_be_looked_at_anywhere(shipped_model: FaceModel) -> None:
    video = open_seekable("demo", shape_model=shipped_model.shape_model)
    sequence = list(open_source("demo", shape_model=shipped_model.shape_model))
    assert video.n_frames == len(sequence)
    for index in (250, 3, 299, 0):
        assert video.time(index) == video.frame(index).timestamp == sequence[index].timestamp
        assert_array_equal(video.frame(index).image, sequence[index].image)


def test_what_is_not_opened_is_not_loaded() -> None:
    code = "import sys, facetrack.opening; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()
    assert "facetrack.video.images" in loaded
    assert not {"av", "facetrack.synthetic.video"} & set(loaded)
