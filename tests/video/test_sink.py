from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.errors import InputError, OutputError
from facetrack.opening import open_source
from facetrack.video.sink import VideoWriter

STAMPS = [0, 0.033, 0.066, 0.2, 0.233, 0.5, 1.0]


def _pictures(count: int, size: tuple[int, int]) -> list[np.ndarray]:
    x = np.arange(size[0])
    row = np.stack([x * 2 % 256, 255 - x * 2 % 256, x % 256], axis=1).astype(np.uint8)
    return [np.roll(np.tile(row, (size[1], 1, 1)), i, axis=1) for i in range(count)]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize(("size", "begin"), [((64, 48), 0.0), ((65, 47), 2.5)])
def test_frames_and_times_come_back(
    tmp_path: Path, suffix: str, size: tuple[int, int], begin: float
) -> None:
    path = tmp_path / f"a{suffix}"
    pictures = _pictures(len(STAMPS), size)
    with VideoWriter(path, size) as writer:
        for picture, stamp in zip(pictures, STAMPS, strict=True):
            writer.write(picture, begin + stamp)
        assert not path.exists()
    frames = list(open_source(path))
    stamps = [f.timestamp - begin for f in frames]
    assert_allclose(stamps, STAMPS, atol=6e-4)  # MKV counts in ms
    for frame, picture in zip(frames, pictures, strict=True):
        assert frame.image.shape == (size[1] + size[1] % 2, size[0] + size[0] % 2, 3)
        inside = frame.image[: size[1], : size[0]].astype(float)
        assert np.abs(inside - picture).mean() < 12
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_equal_times_are_moved_one_tick_on(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", (64, 48)) as writer:
        for picture, stamp in zip(_pictures(4, (64, 48)), [0, 0.1, 0.1, 0.2], strict=True):
            writer.write(picture, stamp)
    stamps = [f.timestamp for f in open_source(tmp_path / "a.mp4")]
    assert_allclose(stamps, [0, 0.1, 0.1, 0.2], atol=1e-4)


_WRITES_FOREVER = """
import sys
import numpy as np
from facetrack.video.sink import VideoWriter
writer = VideoWriter(sys.argv[1], (64, 48))
rng = np.random.default_rng(0)
index = 0
while True:
    writer.write(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8), index / 30)
    index += 1
    if index == 100:
        print("ready", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_what_a_killed_writer_leaves_can_be_read(tmp_path: Path, suffix: str) -> None:
    command = [sys.executable, "-c", _WRITES_FOREVER, str(tmp_path / f"a{suffix}")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        os.kill(process.pid, signal.SIGKILL)
    (part,) = tmp_path.iterdir()
    assert ".part-" in part.name
    source = open_source(part)
    stamps = [f.timestamp for f in source]
    # Up to a fragment and what the encoder looks ahead are lost.
    assert len(stamps) >= 30
    assert_allclose(stamps, np.arange(len(stamps)) / 30, atol=1e-3)


def test_an_exception_leaves_a_readable_part_and_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"old")

    def interrupted() -> None:
        with VideoWriter(path, (64, 48)) as writer:
            for index, picture in enumerate(_pictures(10, (64, 48))):
                writer.write(picture, index / 30)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"old"
    (part,) = tmp_path.glob("a.part-*")
    assert len(list(open_source(part))) == 10


def test_without_frames_there_is_no_file(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", (64, 48)):
        pass
    assert not list(tmp_path.iterdir())


def test_places_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="create the folder first"):
        VideoWriter(tmp_path / "missing" / "a.mp4", (64, 48))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 1)
    (tmp_path / "a.part-1.mp4").symlink_to("/dev/full")
    rng = np.random.default_rng(0)

    def fill() -> None:
        with VideoWriter(tmp_path / "a.mp4", (640, 480)) as writer:
            for index in range(100):
                writer.write(rng.integers(0, 256, (480, 640, 3), dtype=np.uint8), index / 30)

    with pytest.raises(OutputError, match="free some space"):
        fill()
    assert not (tmp_path / "a.mp4").exists()


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [("a.avi", (64, 48), "written as"), ("a.mp4", (0, 48), "at least one pixel")],
)
def test_wrong_requests_are_named(
    tmp_path: Path, name: str, size: tuple[int, int], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        VideoWriter(tmp_path / name, size)


def test_wrong_frames_are_named(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", (64, 48)) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8), 0)
        with pytest.raises(InputError, match="frame of size"):
            writer.write(np.zeros((48, 66, 3), np.uint8), 0.1)
        with pytest.raises(InputError, match="nan"):
            writer.write(np.zeros((48, 64, 3), np.uint8), float("nan"))
    with pytest.raises(OutputError, match="closed"):
        writer.write(np.zeros((48, 64, 3), np.uint8), 0.2)
