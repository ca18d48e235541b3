"""Fragmented MP4 whose counts and sizes are damaged: read as far as it is whole, or refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from numpy.testing import assert_array_equal

from facetrack.errors import VideoError
from facetrack.opening import open_seekable, open_source

Clip = Callable[..., Path]

_OPEN = """
import pathlib, re, resource, sys
from facetrack.errors import VideoError
from facetrack.opening import open_source
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
try:
    open_source(sys.argv[1])
except VideoError:
    # not `ru_maxrss`, which knows the process that started this one, too
    status = pathlib.Path("/proc/self/status").read_text()
    print(int(re.search(r"VmHWM:\\s+(\\d+)", status)[1]) >> 10)
"""


def _fragments(clip: Clip, path: Path) -> tuple[Path, bytearray, list[int]]:
    """Write 30 frames in fragments of ten; give where their lists of samples (trun) begin."""
    flags = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    clip(path, [i / 30 for i in range(30)], container=flags, encoder={"g": "10"})
    content = bytearray(path.read_bytes())
    places = [i for i in range(len(content)) if content.startswith(b"trun", i)]
    assert len(places) == 3
    return path, content, places


def _break_size(path: Path, content: bytearray, place: int) -> None:
    """Let the second sample of a list claim 2 GB."""
    content[place + 24 : place + 28] = (0x7FFFFFF0).to_bytes(4, "big")
    path.write_bytes(content)


@pytest.mark.parametrize("fragment", [1, 2])
def test_what_lies_before_a_broken_size_is_read(tmp_path: Path, clip: Clip, fragment: int) -> None:
    path, content, places = _fragments(clip, tmp_path / "a.mp4")
    whole = list(open_source(path))
    _break_size(path, content, places[fragment])
    source = open_source(path)
    seen = list(source)
    assert len(seen) == source.report.decoded == 10 * fragment
    assert source.report.undecodable == 1
    video = open_seekable(path)
    assert video.n_frames == len(seen)
    for frame, expected in zip(seen, whole, strict=False):
        assert frame.timestamp == video.time(frame.index) == expected.timestamp
        assert_array_equal(frame.grey, expected.grey)
        assert_array_equal(video.frame(frame.index).grey, expected.grey)


@pytest.mark.parametrize("opens", [open_source, open_seekable])
def test_a_broken_size_at_the_start_is_named(
    tmp_path: Path, clip: Clip, opens: Callable[[Path], object]
) -> None:
    path, content, places = _fragments(clip, tmp_path / "a.mp4")
    _break_size(path, content, places[0])
    with pytest.raises(VideoError, match=r"a\.mp4: no frame can be decoded"):
        opens(path)


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")
def test_a_count_of_millions_takes_no_memory(tmp_path: Path, clip: Clip) -> None:
    path, content, places = _fragments(clip, tmp_path / "a.mp4")
    # Samples that take no byte of the list: only their number is said.
    content[places[0] + 4 : places[0] + 12] = bytes(4) + (84_000_000).to_bytes(4, "big")
    path.write_bytes(content)
    told = subprocess.run(
        [sys.executable, "-c", _OPEN, str(path)], check=True, capture_output=True, text=True
    )
    assert int(told.stdout) < 1000  # MB; 3 GB as FFmpeg reads it by itself
