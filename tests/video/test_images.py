from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as pillow
from PIL import ImageOps

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
    with open_source(tmp_path, rate=10) as source:
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
    assert [(f.index, f.timestamp, f.name) for f in frames] == [
        (0, 0.0, "0.png"), (2, 0.08, "2.png")
    ]  # fmt: skip
    assert (source.report.decoded, source.report.undecodable) == (2, 1)
    assert "1.png" in source.report.notes[0]
    assert [f.index for f in source.since(1)] == [2]


def test_a_single_picture_is_a_video_of_one_frame(tmp_path: Path) -> None:
    _write(tmp_path / "bild ä.png", 7, size=(1, 1))
    source = open_source(str(tmp_path / "bild ä.png"))
    assert [f.image.shape for f in source] == [(1, 1, 3)]


def test_folders_without_readable_pictures_are_named(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no pictures"):
        ImageFolder(tmp_path)
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(VideoError, match=r"no picture of 1 can be read.*empty"):
        ImageFolder(tmp_path)
    with pytest.raises(VideoError, match="no such file"):
        open_source(tmp_path / "none.jpg")


def test_stills_have_names_and_no_time(tmp_path: Path) -> None:
    _write(tmp_path / "img (10).png", 1, size=(16, 12))
    _write(tmp_path / "img (2).png", 2)
    source = ImageFolder(tmp_path, stills=True)
    frames = list(source)
    assert [f.name for f in frames] == list(source.names) == ["img (2).png", "img (10).png"]
    assert all(np.isnan(f.timestamp) for f in frames)
    assert [source.size_of(i) for i in (0, 1)] == [(8, 6), (16, 12)]
    with pytest.raises(InputError, match="frame 2 is none of 2"):
        source.read(2)


@pytest.mark.parametrize("suffix", ["jpeg", "jfif", "jpe", "png", "webp", "tiff"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_lie_as_viewers_show_them(tmp_path: Path, suffix: str, orientation: int) -> None:
    stored = np.zeros((40, 60, 3), np.uint8)
    stored[:20, :30] = 255  # white: top left as stored
    exif = pillow.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{suffix}"
    pillow.fromarray(stored).save(path, exif=exif)
    source = ImageFolder(path)
    (frame,) = source
    with pillow.open(path) as opened:
        turned = np.asarray(ImageOps.exif_transpose(opened))
    assert frame.grey.shape == turned.shape[:2]
    assert source.size == source.size_of(0) == (turned.shape[1], turned.shape[0])
    assert np.abs(frame.grey.astype(int) - turned[..., 0]).mean() < 5


def test_the_cases_from_cameras_lie_as_viewers_show_them(shared: Path) -> None:
    for name in ("o6.jpg", "o6.tif"):
        source = ImageFolder(shared / "data/cases/exif-orientation" / name)
        assert source.size == source.size_of(0) == (572, 562)


def test_a_rate_must_be_positive(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="positive"):
        ImageFolder(tmp_path, rate=0)
