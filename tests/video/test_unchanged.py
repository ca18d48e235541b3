"""A file that is replaced or gone while it is open is told by name; one that was touched is not."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from facetrack.errors import VideoError
from facetrack.video.unchanged import Unchanged


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(np.random.default_rng(0).bytes(3_000_000))
    return path


def test_a_file_that_was_only_touched_is_the_same(path: Path) -> None:
    file = Unchanged(path)
    os.utime(path, (1, 1))
    file.check()
    file.check()


@pytest.mark.parametrize("place", [0, 1_600_000, 2_999_999])
def test_contents_that_changed_make_another_file(path: Path, place: int) -> None:
    file = Unchanged(path)
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    os.utime(path, (1, 1))
    with pytest.raises(VideoError, match=r"clip\.mp4: was replaced or changed by another program"):
        file.check()
    content[place] ^= 1
    path.write_bytes(content)
    file.check()


def test_a_file_that_has_gone_is_named_with_the_remedy(path: Path) -> None:
    file = Unchanged(path)
    path.unlink()
    with pytest.raises(VideoError, match=r"clip\.mp4: is not there any more; put it back"):
        file.check()


def test_a_short_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "short.mp4"
    path.write_bytes(b"abc")
    one = Unchanged(path).identity
    path.write_bytes(b"abd")
    assert Unchanged(path).identity != one
