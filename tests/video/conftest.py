"""Videos made by code, and a shape model that needs no training data."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from facetrack.landmarks.markup import mirror
from facetrack.landmarks.shape_model import ShapeModel, train_shape_model
from facetrack.video.portrait import astronaut

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


@pytest.fixture(scope="session")
def shape_model() -> ShapeModel:
    """Give a model of smooth random deformations of one face, with a plausible head."""
    rng = np.random.default_rng(0)
    points = astronaut().points
    centred = points - points.mean(axis=0)
    bumps = np.exp(-(((centred[:, None] - centred[::6][None]) / 30) ** 2).sum(axis=-1))
    shapes = points + np.einsum("pb,nbc->npc", bumps, rng.normal(0, 1.0, (40, bumps.shape[1], 2)))
    model = train_shape_model(shapes, n_modes=10, eye_distance=60.0, centre=(64.0, 64.0))
    return replace(model, mean_3d=_head(points))


def _head(points: np.ndarray) -> np.ndarray:
    both = 0.5 * (_upright(points) + _upright(mirror(points, 512)))
    inside = 1 - (both[:, 0] / 85) ** 2 - ((both[:, 1] + 10) / 130) ** 2
    depth = 75 - 90 * np.sqrt(np.clip(inside, 0, None))
    depth[27:36] = [-22, -30, -37, -43, -18, -24, -28, -24, -18]
    depth -= depth[[36, 45]].mean() * (np.arange(68) >= 36)
    return np.column_stack([both, depth])


def _upright(points: np.ndarray) -> np.ndarray:
    right, left = points[36], points[45]
    across = (left - right) / np.linalg.norm(left - right)
    axes = np.stack([across, [-across[1], across[0]]], axis=1)
    return np.asarray((points - 0.5 * (right + left)) @ axes * 90 / np.linalg.norm(left - right))
