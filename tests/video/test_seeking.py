"""Random access gives the frames of sequential decoding, number by number."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from av.codec.context import ThreadType
from numpy.testing import assert_array_equal

from facetrack.errors import InputError, VideoError
from facetrack.opening import open_seekable, open_source
from facetrack.video import decoding, seekable_file
from facetrack.video.frame import Frame, frame_of
from facetrack.video.seeking import FrameCache, SeekableVideo
from facetrack.video.source import DecodeReport

Clip = Callable[..., Path]

VARIABLE = [0, 0.033, 0.066, 0.2, 0.233, 0.5, 0.533, 0.566, 1.0, 1.033]
SHORT_GROUPS = {"g": "12", "keyint_min": "12"}
OPEN_GROUPS = {"g": "15", "x264-params": "open-gop=1"}


def _regular(count: int, rate: float) -> list[float]:
    return [i / rate for i in range(count)]


def _assert_same(video: SeekableVideo, sequence: list[Frame], order: list[int]) -> None:
    assert video.n_frames == len(sequence)
    for index in order:
        frame = video.frame(index)
        assert (frame.index, frame.timestamp) == (index, sequence[index].timestamp)
        assert video.time(index) == sequence[index].timestamp
        assert_array_equal(frame.image, sequence[index].image)


def _orders(count: int) -> list[int]:
    jumps = np.random.default_rng(0).integers(0, count, 40).tolist()
    return [*jumps, *range(count), *range(count - 1, -1, -1)]


@pytest.mark.parametrize(
    ("name", "stamps", "options"),
    [
        ("variable.mp4", VARIABLE, {}),
        ("b_frames.mp4", _regular(90, 30), {"b_frames": 3, "encoder": SHORT_GROUPS}),
        ("b_frames.mkv", _regular(90, 30), {"b_frames": 3, "encoder": SHORT_GROUPS}),
        ("open.mp4", _regular(90, 30), {"b_frames": 3, "encoder": OPEN_GROUPS}),
        ("rotated.mp4", _regular(40, 30), {"rotation": -90, "encoder": SHORT_GROUPS}),
        ("old.avi", _regular(45, 30), {"codec": "mpeg4", "tick": Fraction(1, 30), "b_frames": 2}),
        ("stream.ts", _regular(60, 25), {"b_frames": 2, "encoder": SHORT_GROUPS}),
        ("raw.h264", _regular(30, 30), {"b_frames": 2, "tick": Fraction(1, 30)}),
        ("one.mp4", [0.0], {}),
    ],
)  # fmt: skip
def test_every_frame_is_that_of_sequential_decoding(
    tmp_path: Path, clip: Clip, name: str, stamps: list[float], options: dict[str, object]
) -> None:
    path = clip(tmp_path / name, stamps, **options)
    sequence = list(open_source(path))
    video = open_seekable(path)
    _assert_same(video, sequence, _orders(len(sequence)))
    video.close()


def test_a_cut_hides_what_sequential_decoding_hides(
    tmp_path: Path, clip: Clip, cut_clip: Callable[[Path, Path, Fraction], Path]
) -> None:
    whole = clip(tmp_path / "whole.mp4", _regular(90, 30), b_frames=3)
    part = cut_clip(whole, tmp_path / "part.mp4", Fraction(1))
    sequence = list(open_source(part))
    video = open_seekable(part)
    _assert_same(video, sequence, _orders(len(sequence)))


def test_damaged_packets_leave_the_numbers_of_sequential_decoding(
    tmp_path: Path, clip: Clip
) -> None:
    path = clip(tmp_path / "clip.mkv", _regular(90, 30), codec="mpeg4", encoder={"g": "10"})
    content = bytearray(path.read_bytes())
    third = len(content) // 3
    content[third : third + 400] = bytes(400)
    path.write_bytes(content)
    sequence = list(open_source(path))
    video = open_seekable(path)
    for index in range(len(sequence)):  # until the damage is met, and then again
        if index < video.n_frames:
            video.frame(index)
    _assert_same(video, sequence, [0, len(sequence) - 1, len(sequence) // 2])


def test_a_frame_that_only_some_threads_decode_is_named(
    tmp_path: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen of damaged WebM: what threads of frames show, threads of slices do not."""
    path = clip(tmp_path / "clip.mp4", VARIABLE)

    def decode(file: Path, container: Any, stream: Any, report: DecodeReport) -> Iterator[Any]:
        frames = decoding.decode(file, container, stream, report)
        yield from islice(frames, 3 if stream.thread_type == ThreadType.SLICE else 0, None)

    monkeypatch.setattr(seekable_file, "decode", decode)
    with pytest.raises(VideoError, match=r"clip\.mp4: frame 1 cannot be decoded alone"):
        open_seekable(path).frame(0)


def test_broken_pictures_of_a_folder_keep_their_numbers(tmp_path: Path) -> None:
    for number in range(8):
        picture = np.full((20, 30, 3), 30 * number, dtype=np.uint8)
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture)
    (tmp_path / "3.png").write_bytes(b"no picture")
    sequence = list(open_source(tmp_path))
    video = open_seekable(tmp_path)
    assert [frame.index for frame in sequence] == [0, 1, 2, 4, 5, 6, 7]
    for frame in reversed(sequence):
        assert_array_equal(video.frame(frame.index).image, frame.image)
        assert video.time(frame.index) == frame.timestamp
    with pytest.raises(VideoError, match=r"3\.png"):
        video.frame(3)
    with pytest.raises(InputError, match="frame 8 is none of 8"):
        video.frame(8)


@pytest.mark.parametrize("index", [-1, 10])
def test_frames_that_are_not_there_are_named(tmp_path: Path, clip: Clip, index: int) -> None:
    video = open_seekable(clip(tmp_path / "clip.mp4", VARIABLE))
    with pytest.raises(InputError, match=rf"clip.mp4: frame {index} is none of 10"):
        video.frame(index)


def test_a_file_that_is_no_video_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(VideoError, match=r"text\.mp4"):
        open_seekable(tmp_path / "text.mp4")


def test_the_cache_keeps_what_was_used_last_within_its_bytes() -> None:
    frames = [frame_of(np.zeros((4, 4, 3), np.uint8), index=i) for i in range(3)]
    cache = FrameCache(limit=2 * 48)
    cache.put(frames[0])
    cache.put(frames[1])
    cache.put(frames[1])
    again = cache.get(0)
    assert again is not None
    assert again.picture is frames[0].picture
    assert cache.nbytes == 2 * 48
    cache.put(frames[2])
    assert [cache.get(i) is not None for i in range(3)] == [True, False, True]
    assert cache.nbytes == 2 * 48


def test_the_cache_keeps_no_conversion_and_the_last_frame_whatever_its_size() -> None:
    frame = frame_of(np.zeros((4, 4, 3), np.uint8))
    cache = FrameCache(limit=1)
    cache.put(frame)
    kept = cache.get(0)
    assert kept is not None
    assert kept.grey is not frame.grey
    cache.clear()
    assert (cache.get(0), cache.nbytes) == (None, 0)


def test_readers_of_one_video_share_what_was_decoded(tmp_path: Path, clip: Clip) -> None:
    path = clip(tmp_path / "clip.mp4", _regular(30, 30))
    cache = FrameCache()
    one, other = open_seekable(path, cache=cache), open_seekable(path, cache=cache)
    one.frame(20)
    assert other.frame(12).picture is one.frame(12).picture


def test_stepping_back_opens_the_file_no_more(
    tmp_path: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = open_seekable(clip(tmp_path / "clip.mp4", _regular(60, 30), encoder=SHORT_GROUPS),
                          cache=FrameCache(limit=1))  # fmt: skip
    video.frame(59)
    opened: list[Path] = []
    monkeypatch.setattr(seekable_file, "open_container", opened.append)
    for index in range(59, -1, -1):
        video.frame(index)
    assert not opened


_SCRUB = """
import gc, os, resource, sys
from facetrack.opening import open_seekable, open_source
from facetrack.video.seeking import FrameCache

gc.disable()  # what only the collector frees grows in the application, which rarely lets it run

def size():
    pages = int(open("/proc/self/statm").read().split()[1])
    return pages * resource.getpagesize() / 1e6, len(os.listdir("/proc/self/task"))

def scrub():
    for index in [*range(90), *range(89, -1, -1), 5, 80, 40]:
        frame = video.frame(index)
        frame.image, frame.grey
    for frame in open_source(sys.argv[1]):
        frame.image, frame.grey

video = open_seekable(sys.argv[1], cache=FrameCache(10_000_000))
video.frame(0)
threads = size()[1]
scrub()
before, _ = size()
for _ in range(3):
    scrub()
after, more = size()
print(after - before, more - threads)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_and_threads_are_bounded_whatever_is_looked_at(tmp_path: Path, clip: Clip) -> None:
    path = clip(tmp_path / "clip.mp4", _regular(90, 30), size=(640, 480), b_frames=3)
    told = subprocess.run(
        [sys.executable, "-c", _SCRUB, str(path)], check=True, capture_output=True, text=True
    )
    megabytes, threads = (float(word) for word in told.stdout.split())
    assert megabytes < 60  # 800 frames: 370 MB as they are decoded
    assert threads == 0


def test_frames_that_are_kept_leave_the_decoders_pool(tmp_path: Path, clip: Clip) -> None:
    video = open_seekable(clip(tmp_path / "clip.mp4", _regular(30, 30), b_frames=2))
    for index in (0, 12, 20):
        kept = video.frame(index).picture.frame  # type: ignore[attr-defined]
        mine = kept.planes[0].buffer_ptr
        kept.make_writable()  # takes another buffer where the decoder still holds this one
        assert kept.planes[0].buffer_ptr == mine
    video.close()
