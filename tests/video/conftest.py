"""Videos made by code."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

MILLISECOND = Fraction(1, 1000)


def pictures(count: int, size: tuple[int, int]) -> Iterator[np.ndarray]:
    """Give a coloured pattern that moves by three pixels a frame."""
    small = np.random.default_rng(0).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    pattern = cv2.resize(small, size, interpolation=cv2.INTER_CUBIC)
    for i in range(count):
        yield np.ascontiguousarray(np.roll(pattern, 3 * i, axis=1))


def write_clip(
    path: Path,
    stamps: Sequence[float],
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    size: tuple[int, int] = (160, 120),
    b_frames: int = 0,
    tick: Fraction = MILLISECOND,
    matrix: Sequence[int] | None = None,
    rotation: float | None = None,
    container: dict[str, str] | None = None,
    encoder: dict[str, str] | None = None,
) -> Path:
    """Write a video with PyAV, a frame at each of the times in seconds."""
    with av.open(str(path), "w", options=container or {}) as out:
        stream: Any = out.add_stream(codec, rate=30, options=encoder or {})
        stream.width, stream.height = size
        stream.pix_fmt = pixels
        stream.codec_context.time_base = tick
        stream.codec_context.max_b_frames = b_frames
        if matrix is not None:
            stream.set_display_matrix(matrix)
        if rotation is not None:
            stream.set_display_rotation(rotation)
        for stamp, picture in zip(stamps, pictures(len(stamps), size), strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = round(stamp / tick), tick
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def write_cut(source: Path, path: Path, start: Fraction) -> Path:
    """Cut without encoding anew: an edit list hides what comes before `start`."""
    options = {"use_editlist": "1", "avoid_negative_ts": "disabled"}
    with av.open(str(source)) as given, av.open(str(path), "w", options=options) as out:
        stream = given.streams.video[0]
        copy = out.add_stream_from_template(stream)
        for packet in given.demux(stream):
            if packet.dts is None or packet.pts is None or packet.time_base is None:
                continue
            shift = int(start / packet.time_base)
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            packet.stream = copy
            out.mux(packet)
    return path


@pytest.fixture(scope="session")
def clip() -> Callable[..., Path]:
    """Give `write_clip`."""
    return write_clip


@pytest.fixture(scope="session")
def cut_clip() -> Callable[[Path, Path, Fraction], Path]:
    """Give `write_cut`."""
    return write_cut


@pytest.fixture(scope="session")
def originals() -> Callable[[int, tuple[int, int]], Iterator[np.ndarray]]:
    """Give `pictures`, of which `write_clip` makes its videos."""
    return pictures


@pytest.fixture(scope="session")
def count_frames() -> Callable[[Path], int]:
    """Give ffprobe's count of a file's frames, or skip."""
    if shutil.which("ffprobe") is None:
        pytest.skip("ffprobe is not installed (apt install ffmpeg)")

    command = ["ffprobe", "-v", "quiet", "-select_streams", "v:0", "-count_frames"]
    command += ["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"]

    def count(path: Path) -> int:
        answer = subprocess.run(
            [*command, str(path)],
            check=True,
            capture_output=True,
            text=True,
        )
        return int(answer.stdout.split()[0].strip(","))

    return count
