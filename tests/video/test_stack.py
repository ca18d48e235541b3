"""Files of several pictures: every page and every frame, at their times."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as pillow
from PIL import ImageOps

from facetrack.corpus.task import ModelId, Outputs, Settings, Task
from facetrack.errors import InputError, VideoError
from facetrack.opening import open_seekable, open_source
from facetrack.video.images import ImageFolder
from facetrack.video.stack import PictureStack

LEVELS = [10, 60, 110, 160, 210]


def _pictures(size: tuple[int, int] = (48, 32)) -> list[pillow.Image]:
    return [pillow.fromarray(np.full((size[1], size[0], 3), level, np.uint8)) for level in LEVELS]


def _animation(path: Path, **options: Any) -> Path:
    first, *others = _pictures()
    first.save(path, save_all=True, append_images=others, **options)
    return path


@pytest.mark.parametrize("name", ["a.png", "a.webp"])
def test_animations_are_videos_at_their_own_times(tmp_path: Path, name: str) -> None:
    lossless = {"lossless": True} if name == "a.webp" else {}
    path = _animation(tmp_path / name, duration=[100, 50, 100, 200, 50], **lossless)
    source = open_source(path, rate=10)
    frames = list(source)
    assert [int(f.grey[5, 5]) for f in frames] == LEVELS
    assert [f.timestamp for f in frames] == pytest.approx([0, 0.1, 0.15, 0.25, 0.45])
    assert source.duration == pytest.approx(0.5)
    assert (source.n_frames, source.size, source.report.notes) == (5, (48, 32), [])
    video = open_seekable(path)
    for index in (3, 0, 4):
        assert video.time(index) == frames[index].timestamp
        np.testing.assert_array_equal(video.frame(index).grey, frames[index].grey)
    assert [int(f.grey[5, 5]) for f in source] == LEVELS  # a second time


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_pages_are_frames_at_the_rate(tmp_path: Path, kind: type) -> None:
    scale = 257 if kind is np.uint16 else 1
    pages: list[np.ndarray] = [np.full((32, 48), level * scale, kind) for level in LEVELS]
    pages = [np.where(np.arange(48) < 2, 255 * scale, page).astype(kind) for page in pages]
    cv2.imwritemulti(str(tmp_path / "a.tif"), pages)
    frames = list(open_source(tmp_path / "a.tif", rate=10))
    assert [int(f.grey[5, 5]) for f in frames] == LEVELS
    assert [f.timestamp for f in frames] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert next(iter(open_source(tmp_path / "a.tif"))).timestamp == 0
    assert open_seekable(tmp_path / "a.tif").time(1) == 0.04


def test_pages_of_another_size_are_scaled_and_thumbnails_left_out(tmp_path: Path) -> None:
    first, second, thumbnail, *_ = _pictures()
    second, thumbnail = second.resize((96, 64)), thumbnail.resize((6, 4))
    thumbnail.encoderinfo = {"tiffinfo": {254: 1}}  # a reduced copy
    path = tmp_path / "a.tiff"
    first.save(path, save_all=True, append_images=[second, thumbnail])
    source = open_source(path)
    assert [f.image.shape for f in source] == [(32, 48, 3)] * 2
    assert any("another size" in note for note in source.report.notes)


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_picture_lies_as_viewers_show_it(tmp_path: Path, name: str, orientation: int) -> None:
    stored = np.zeros((32, 48, 3), np.uint8)
    stored[:16, :24] = 200  # bright: top left as stored
    exif = pillow.Exif()
    exif[0x0112] = orientation
    first, second = pillow.fromarray(stored), pillow.fromarray(stored // 2)
    for picture in (first, second):
        picture.encoderinfo = {"tiffinfo": {0x0112: orientation}}
    said = {"tiffinfo": {0x0112: orientation}} if name == "a.tif" else {"exif": exif}
    first.save(tmp_path / name, save_all=True, append_images=[second], **said)
    with pillow.open(tmp_path / name) as opened:
        shown = np.asarray(ImageOps.exif_transpose(opened).convert("L"))
    source = open_source(tmp_path / name)
    frames = [frame.grey.astype(int) for frame in source]
    assert [f.shape for f in frames] == [shown.shape] * 2
    assert source.size == (shown.shape[1], shown.shape[0])
    assert np.abs(frames[0] - shown).mean() < 5
    assert np.abs(2 * frames[1] - shown).mean() < 5


def test_a_stack_is_tracked_as_a_video_unless_stills_are_asked_for(tmp_path: Path) -> None:
    path = _animation(tmp_path / "a.png")
    single = tmp_path / "b.png"
    _pictures()[0].save(single)
    model = ModelId("m", "0")
    for source, asked, stills in ((path, False, False), (path, True, True), (single, False, True)):
        task = Task(source, Outputs(tmp_path / "o"), Settings(stills=asked), model)
        assert task.stills is stills
    assert all(np.isnan(f.timestamp) for f in open_source(path, stills=True))


def test_in_a_folder_the_further_pages_are_noted(tmp_path: Path) -> None:
    _animation(tmp_path / "1.png")
    _pictures()[0].save(tmp_path / "2.tif", save_all=True, append_images=_pictures()[:2])
    _pictures()[0].save(tmp_path / "3.webp")
    source = ImageFolder(tmp_path)
    assert len(list(source)) == 3
    notes = ["1.png: 4 further pages left out", "2.tif: 2 further pages left out"]
    assert source.report.notes == notes


def test_broken_stacks_are_named(tmp_path: Path) -> None:
    whole = _animation(tmp_path / "a.webp", lossless=True).read_bytes()
    (tmp_path / "b.webp").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(VideoError, match=r"b\.webp"):
        list(open_source(tmp_path / "b.webp"))
    content = _animation(tmp_path / "a.png").read_bytes()
    third = content.index(b"fdAT", content.index(b"fdAT") + 1)
    (tmp_path / "b.png").write_bytes(content[: third + 20])
    cut = open_source(tmp_path / "b.png")
    whole_ones = len(list(cut))
    assert 0 < whole_ones < 5
    assert cut.n_frames == whole_ones
    assert "cut short" in cut.report.notes[0]
    assert cut.report.undecodable == 1
    stack = PictureStack(tmp_path / "a.webp")
    with pytest.raises(InputError, match="frame 5 is none of 5"):
        stack.frame(5)
    frames = iter(stack)
    next(frames)
    stack.close()
    assert next(frames, None) is None


@pytest.mark.fuzz
@pytest.mark.filterwarnings("ignore")  # Pillow warns of what is damaged
@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif"])
def test_broken_bytes_never_crash(tmp_path: Path, name: str, fuzz_seeds: list[int]) -> None:
    first, *others = _pictures()
    first.save(tmp_path / name, save_all=True, append_images=others)
    whole = np.frombuffer((tmp_path / name).read_bytes(), np.uint8)
    for seed in fuzz_seeds:
        rng = np.random.default_rng(seed)
        for _ in range(60):
            content = whole.copy()
            n_hits = int(rng.integers(1, 20))
            content[rng.integers(0, len(content), n_hits)] = rng.integers(0, 256, n_hits)
            cut = int(rng.integers(len(content) // 2, len(content) + 1))
            (tmp_path / name).write_bytes(content.tobytes()[:cut])
            with contextlib.suppress(VideoError):
                source = open_source(tmp_path / name)
                assert all(frame.grey.size for frame in source)
