"""Video files: ffprobe's counts, true times, displayed orientation, damage without a crash."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.errors import VideoError
from facetrack.opening import open_source
from facetrack.video.file import FileSource

Clip = Callable[..., Path]
Count = Callable[[Path], int]

VARIABLE = [0, 0.033, 0.066, 0.2, 0.233, 0.5, 0.533, 0.566, 1.0, 1.033]


def _regular(count: int, rate: float) -> list[float]:
    return [i / rate for i in range(count)]


@pytest.mark.parametrize(
    ("name", "stamps", "options"),
    [
        ("variable.mp4", VARIABLE, {}),
        ("variable.mkv", VARIABLE, {}),
        ("b_frames.mp4", _regular(60, 30), {"b_frames": 3}),
        ("b_frames.mkv", _regular(60, 30), {"b_frames": 3}),
        ("rotated.mp4", _regular(20, 30), {"rotation": -90}),
        ("fast.mp4", _regular(240, 120), {"b_frames": 2}),
        ("old.avi", _regular(45, 30), {"codec": "mpeg4", "tick": Fraction(1, 30)}),
        ("stream.ts", _regular(30, 25), {"b_frames": 2}),
        ("one.mp4", [0.0], {}),
    ],
)
def test_frames_and_times_are_those_of_the_file(
    tmp_path: Path,
    clip: Clip,
    count_frames: Count,
    name: str,
    stamps: list[float],
    options: dict[str, object],
) -> None:
    path = clip(tmp_path / name, stamps, **options)
    source = open_source(path)
    frames = list(source)
    assert source.report.decoded == len(frames) == count_frames(path) == len(stamps)
    assert (source.report.repeated, source.report.undecodable) == (0, 0)
    assert [f.index for f in frames] == list(range(len(stamps)))
    assert_allclose([f.timestamp for f in frames], stamps, atol=6e-4)  # the file counts in ms


def test_a_cut_starts_at_zero_and_hides_what_ffprobe_hides(
    tmp_path: Path,
    clip: Clip,
    cut_clip: Callable[[Path, Path, Fraction], Path],
    count_frames: Count,
) -> None:
    whole = clip(tmp_path / "whole.mp4", _regular(90, 30), b_frames=3)
    part = cut_clip(whole, tmp_path / "part.mp4", Fraction(1))
    frames = list(FileSource(part))
    assert len(frames) == count_frames(part) == 60
    assert frames[0].timestamp == 0
    for short, long in zip(frames, list(FileSource(whole))[30:], strict=True):
        assert_allclose(short.grey, long.grey)


def test_raw_streams_without_times_are_spaced_by_their_rate(
    tmp_path: Path, clip: Clip, count_frames: Count
) -> None:
    path = clip(tmp_path / "raw.h264", _regular(30, 30), b_frames=2, tick=Fraction(1, 30))
    source = FileSource(path)
    stamps = [f.timestamp for f in source]
    assert source.report.decoded == count_frames(path) == 30
    assert stamps[0] == 0
    assert_allclose(np.diff(stamps), stamps[1])
    assert any("without a time" in note for note in source.report.notes)


def test_one_time_out_of_order_is_a_repeat_one_frame_on(tmp_path: Path, clip: Clip) -> None:
    path = clip(tmp_path / "a.mkv", [0, 0.1, 0.2, 0.3, 0.4], codec="ffv1", pixels="gray")
    content = path.read_bytes()
    block = b"\x81" + (300).to_bytes(2, "big")  # track 1, milliseconds
    assert content.count(block) == 1
    path.write_bytes(content.replace(block, b"\x81" + (150).to_bytes(2, "big")))
    source = FileSource(path)
    stamps = [f.timestamp for f in source]
    assert_allclose(stamps, [0, 0.1, 0.2, 0.2 + 1 / 30, 0.4], atol=1e-9)
    assert source.report.repeated == 1


def test_a_source_can_be_read_twice_and_closed_in_the_middle(tmp_path: Path, clip: Clip) -> None:
    source = FileSource(clip(tmp_path / "clip.mp4", _regular(30, 30)))
    assert len(list(source)) == len(list(source)) == source.report.decoded == 30
    frames = iter(source)
    next(frames)
    source.close()
    assert next(frames, None) is None


@pytest.mark.parametrize(
    "matrix",
    [
        [1, 0, 0, 1],
        [0, 1, -1, 0],
        [-1, 0, 0, -1],
        [0, -1, 1, 0],
        [-1, 0, 0, 1],
        [1, 0, 0, -1],
        [0, 1, 1, 0],
        [0, -1, -1, 0],
    ],
)
def test_pictures_stand_as_they_are_displayed(
    tmp_path: Path, clip: Clip, matrix: list[int]
) -> None:
    a, b, c, d = (65536 * v for v in matrix)
    display = [a, b, 0, c, d, 0, 0, 0, 1 << 30]
    plain = next(iter(FileSource(clip(tmp_path / "plain.mp4", [0, 0.1], size=(64, 32)))))
    source = FileSource(clip(tmp_path / "turned.mp4", [0, 0.1], size=(64, 32), matrix=display))
    turned = next(iter(source))
    # Where ISO 14496-12 shows each stored pixel, shifted into the picture.
    y, x = np.mgrid[:32, :64]
    there_x, there_y = matrix[0] * x + matrix[2] * y, matrix[1] * x + matrix[3] * y
    expected = np.empty_like(turned.image)
    expected[there_y - there_y.min(), there_x - there_x.min()] = plain.image
    assert source.size == (turned.image.shape[1], turned.image.shape[0])
    np.testing.assert_array_equal(turned.image, expected)
    assert turned.grey.shape == turned.image.shape[:2]


def test_rotation_agrees_with_opencv(tmp_path: Path, clip: Clip) -> None:
    path = clip(tmp_path / "turned.mp4", [0, 0.1], rotation=-90)
    ours = next(iter(FileSource(path))).image
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    theirs = capture.read()[1]
    capture.release()
    assert ours.shape == theirs.shape == (160, 120, 3)
    # Both convert by swscale, of different versions.
    assert np.abs(ours.astype(int) - theirs).mean() < 2


def test_exif_in_frames_is_no_obstacle(shared: Path) -> None:
    frames = list(FileSource(shared / "data/cases/exif-in-frames/mjpeg_exif.avi"))
    assert len(frames) == 12


@pytest.mark.parametrize(
    ("codec", "pixels", "name"),
    [
        ("libx264", "yuv420p", "a.mp4"),
        ("libx264", "yuv444p", "a.mkv"),
        ("libx264", "nv12", "a.mp4"),
        ("mjpeg", "yuvj420p", "a.avi"),
        ("libx264", "yuv420p10le", "a.mp4"),
        ("ffv1", "gray", "a.mkv"),
        ("ffv1", "gray16le", "a.mkv"),
        ("ffv1", "bgr0", "a.mkv"),
        ("ffv1", "yuva420p", "a.mkv"),
        ("rawvideo", "yuyv422", "a.avi"),
    ],
)
def test_grey_is_that_of_swscale(
    tmp_path: Path, clip: Clip, codec: str, pixels: str, name: str
) -> None:
    # A width that no decoder keeps without padding its lines.
    path = clip(tmp_path / name, [0, 0.04], codec=codec, pixels=pixels, size=(130, 98))
    grey = next(iter(FileSource(path))).grey
    with av.open(str(path)) as container:
        scaled = next(container.decode(video=0)).to_ndarray(format="gray")
    assert grey.shape == (98, 130)
    assert grey.flags.c_contiguous
    assert not grey.flags.writeable
    assert np.abs(grey.astype(int) - scaled).max() <= 1


@pytest.mark.parametrize("bits", range(9, 17))
@pytest.mark.parametrize("pixels", ["gray16le", "gray16be"])
def test_videos_of_few_bits_are_as_bright_as_those_of_8(
    tmp_path: Path, bits: int, pixels: str
) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (48, 64)).astype(np.uint16)
    grey[0, 0] = 255
    codec, name = ("ffv1", "a.mkv") if pixels == "gray16le" else ("png", "a.mov")
    with av.open(str(tmp_path / name), "w") as out:
        stream: Any = out.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
        wide = np.rint(grey * (((1 << bits) - 1) / 255)).astype(np.uint16)
        out.mux(stream.encode(av.VideoFrame.from_ndarray(wide, format=pixels)))
        out.mux(stream.encode(None))
    (frame,) = FileSource(tmp_path / name)
    assert np.abs(frame.grey.astype(int) - grey).max() <= 1
    assert np.abs(frame.image.astype(int) - grey[..., None]).max() <= 1


def test_grey_and_colour_are_converted_once(tmp_path: Path, clip: Clip) -> None:
    frame = next(iter(FileSource(clip(tmp_path / "a.mp4", [0.0]))))
    assert frame.grey is frame.grey
    assert frame.image is frame.image


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"this is no video\n" * 50, "cannot be opened as a video"),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n", "video"),
        (b"ffconcat version 1.0\nfile other.mp4\n", "video"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(500), "cannot be opened as a video"),
    ],
)
def test_what_is_no_video_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(VideoError, match=message) as caught:
        open_source(path)
    assert str(path) in str(caught.value)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no such file"):
        open_source(tmp_path / "nothing.mp4")


def test_a_file_of_sound_only_is_named(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=8000, layout="mono")
        silence = np.zeros((1, 4000), np.float32)
        frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
        frame.rate, frame.pts = 8000, 0
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    with pytest.raises(VideoError, match="no stream of pictures"):
        open_source(path)


@pytest.mark.parametrize("part", [0.5, 0.7, 0.9])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mkv", {"b_frames": 3}),
        ("a.mp4", {"b_frames": 3, "container": {"movflags": "faststart"}}),
        ("a.ts", {"b_frames": 2}),
        ("a.avi", {"codec": "mpeg4", "tick": Fraction(1, 30)}),
    ],
)
def test_truncated_files_yield_all_good_frames(
    tmp_path: Path,
    clip: Clip,
    count_frames: Count,
    name: str,
    options: dict[str, object],
    part: float,
) -> None:
    whole = clip(tmp_path / f"whole{Path(name).suffix}", _regular(90, 30), **options)
    content = whole.read_bytes()
    path = tmp_path / name
    path.write_bytes(content[: int(part * len(content))])
    source = open_source(path)
    stamps = [f.timestamp for f in source]
    assert len(stamps) == source.report.decoded == count_frames(path) < 90
    assert (np.diff(stamps) > 0).all()


def test_an_early_end_is_noted(tmp_path: Path, clip: Clip) -> None:
    content = clip(tmp_path / "whole.mkv", _regular(90, 30)).read_bytes()
    path = tmp_path / "cut.mkv"
    path.write_bytes(content[: int(0.4 * len(content))])
    source = FileSource(path)
    list(source)
    assert any("cut short" in note for note in source.report.notes)


_FUZZ = """
import logging, sys
from facetrack.errors import VideoError
from facetrack.opening import open_source
logging.disable()
if sys.platform == "linux":
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
for path in sys.argv[1:]:
    try:
        source = open_source(path)
        stamps = [f.timestamp for f in source if f.grey.size]
    except VideoError:
        continue
    assert source.report.decoded == len(stamps)
    assert all(a < b for a, b in zip(stamps, stamps[1:]))
"""


@pytest.mark.fuzz
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_broken_bytes_never_crash_or_hang(
    tmp_path: Path, clip: Clip, suffix: str, fuzz_seeds: list[int]
) -> None:
    codec = "mpeg4" if suffix == ".avi" else "libx264"
    whole = clip(
        tmp_path / f"whole{suffix}", _regular(30, 30), codec=codec, tick=Fraction(1, 30), b_frames=1
    ).read_bytes()
    for seed in fuzz_seeds:
        paths = _damaged(whole, np.random.default_rng(seed), tmp_path / f"broken{suffix}")
        # A process of its own: a crash of the decoder would take the test run along.
        done = subprocess.run(
            [sys.executable, "-c", _FUZZ, *paths], timeout=120, capture_output=True, text=True
        )
        assert done.returncode == 0, f"seed {seed}: {done.stderr[-2000:]}"


def _damaged(whole: bytes, rng: np.random.Generator, path: Path) -> list[str]:
    """Write 30 damaged copies of a file beside `path`."""
    paths = []
    for number in range(30):
        content = np.frombuffer(whole, np.uint8).copy()
        n_hits = int(rng.integers(1, 40))
        # Half of the files are hit in the headers only, at the start or (MP4) at the end.
        span = len(content) if number % 2 else 800
        hits = rng.integers(0, span, n_hits)
        content[len(content) - 1 - hits if number % 4 == 0 else hits] = rng.integers(0, 256, n_hits)
        copy = path.with_stem(f"{path.stem}{number}")
        copy.write_bytes(content.tobytes()[: int(rng.integers(len(content) // 2, len(content)))])
        paths.append(str(copy))
    return paths
