"""Opening by what the user typed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from facetrack.errors import CameraError, InputError, VideoError
from facetrack.fitting.face_model import FaceModel
from facetrack.opening import open_seekable, open_source, unstated_rate
from facetrack.video.seeking import SeekableVideo
from facetrack.video.sink import VideoWriter
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


def test_only_what_states_no_times_has_a_rate_to_ask(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    cv2.imwrite(str(tmp_path / "pictures" / "a.png"), np.zeros((48, 64, 3), np.uint8))
    with av.open(str(tmp_path / "raw.mjpeg"), "w", format="mjpeg") as out:
        stream: Any = out.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for _ in range(3):
            picture = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="bgr24")
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    with VideoWriter(tmp_path / "a.mp4", (64, 48)) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8), 0.0)
    assert unstated_rate(tmp_path / "pictures") == 25
    assert unstated_rate(tmp_path / "pictures", stills=True) is None
    assert unstated_rate(tmp_path / "pictures" / "a.png") is None
    assert unstated_rate(tmp_path / "raw.mjpeg") == 25
    assert unstated_rate(tmp_path / "a.mp4") is None
    assert unstated_rate(tmp_path / "missing.mp4") is None
