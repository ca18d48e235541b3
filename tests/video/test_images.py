from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from facetrack.errors import InputError, VideoError
from facetrack.opening import open_source
from facetrack.video.images import ImageFolder


def _write(path: Path, value: int, size: tuple[int, int] = (8, 6)) -> None:
    path.write_bytes(
        cv2.imencode(".png", np.full((size[1], size[0]), value, np.uint8))[1].tobytes()
    )


def test_pictures_come_in_natural_order_at_their_rate(tmp_path: Path) -> None:
    for number in (10, 9, 1, 100):
        _write(tmp_path / f"frame_{number}.png", number)
    (tmp_path / "notes.txt").write_text("no picture")
    with open_source(tmp_path, image_rate=10) as source:
        frames = list(source)
    assert [f.grey[0, 0] for f in frames] == [1, 9, 10, 100]
    assert [f.timestamp for f in frames] == [0, 0.1, 0.2, 0.3]
    assert (source.size, source.n_frames, source.duration) == ((8, 6), 4, 0.4)


def test_a_broken_picture_is_counted_and_the_others_keep_their_times(tmp_path: Path) -> None:
    for number in range(3):
        _write(tmp_path / f"{number}.png", number)
    (tmp_path / "1.png").write_bytes(b"no picture")
    source = ImageFolder(tmp_path, rate=25)
    frames = list(source)
    assert [(f.index, f.timestamp) for f in frames] == [(0, 0.0), (1, 0.08)]
    assert (source.report.decoded, source.report.undecodable) == (2, 1)
    assert "1.png" in source.report.notes[0]


def test_a_single_picture_is_a_video_of_one_frame(tmp_path: Path) -> None:
    _write(tmp_path / "bild ä.png", 7, size=(1, 1))
    source = open_source(str(tmp_path / "bild ä.png"))
    assert [f.image.shape for f in source] == [(1, 1, 3)]


def test_folders_without_readable_pictures_are_named(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no pictures"):
        ImageFolder(tmp_path)
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(VideoError, match=r"none of its 1 pictures can be read.*empty"):
        ImageFolder(tmp_path)
    with pytest.raises(VideoError, match="no such file"):
        open_source(tmp_path / "none.jpg")


def test_a_rate_must_be_positive(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="positive"):
        ImageFolder(tmp_path, rate=0)
