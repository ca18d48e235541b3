"""EXIF inside video frames, HEIC and AVIF: pictures stand as viewers show them, mirrored or not."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image as pillow
from PIL import ImageOps

from facetrack.opening import open_seekable, open_source
from facetrack.video import planes
from facetrack.video.file import FileSource

ORIENTATION, MAKER = 0x0112, 0x010F
STORED = np.zeros((64, 96, 3), np.uint8)
STORED[:32, :48] = 255  # white: top left as stored
STORED[32:, :48] = 90
# Quarter turns counter-clockwise, then mirrored about an axis (0: top to bottom, 1: left to right).
TURNS = [(0, None), (0, 1), (2, None), (0, 0), (1, 0), (3, None), (3, 0), (1, None)]


def _exif(orientation: int) -> pillow.Exif:
    exif = pillow.Exif()
    exif[ORIENTATION], exif[MAKER] = orientation, "Maker"  # what is left besides the turn
    return exif


def _shown(orientation: int) -> np.ndarray:
    picture = pillow.fromarray(STORED)
    picture.getexif()[ORIENTATION] = orientation
    return np.asarray(ImageOps.exif_transpose(picture))[..., 0].astype(int)


def _matches(path: Path, orientation: int, frames: int) -> None:
    expected = _shown(orientation)
    source = open_source(path)
    seen = list(source)
    assert source.size == (expected.shape[1], expected.shape[0])
    assert len(seen) == frames
    for frame in (*seen, open_seekable(path).frame(frames - 1)):
        assert np.abs(frame.grey - expected).mean() < 5
        assert np.abs(frame.image[..., 1] - expected).mean() < 5


def _motion_jpeg(path: Path, orientation: int) -> None:
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("mjpeg", rate=25)
        (stream.height, stream.width), stream.pix_fmt = STORED.shape[:2], "yuvj420p"
        for number in range(3):
            content = io.BytesIO()
            pillow.fromarray(STORED).save(content, "jpeg", quality=95, exif=_exif(orientation))
            packet = av.Packet(content.getvalue())
            packet.stream, packet.pts, packet.dts = stream, number, number
            packet.time_base = Fraction(1, 25)
            packet.is_keyframe = True
            out.mux(packet)


@pytest.mark.parametrize("name", ["a.avi", "a.mkv", "a.mjpeg"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_in_frames_is_obeyed(tmp_path: Path, name: str, orientation: int) -> None:
    _motion_jpeg(tmp_path / name, orientation)
    _matches(tmp_path / name, orientation, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_avif_stands_as_viewers_show_it(tmp_path: Path, orientation: int) -> None:
    exif = _exif(orientation)
    pillow.fromarray(STORED).save(tmp_path / "a.avif", quality=90, exif=exif)
    _matches(tmp_path / "a.avif", orientation, 1)


def _box(kind: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I4s", 8 + len(content), kind) + content


def _full(kind: bytes, version: int, *parts: bytes) -> bytes:
    return _box(kind, struct.pack(">I", version << 24), *parts)


def _coded() -> tuple[bytes, bytes]:
    """Give the picture's configuration (hvcC, ISO 14496-15, 8.3.3) and its coded bytes."""
    coder: Any = av.CodecContext.create("libx265", "w")
    (coder.height, coder.width), coder.pix_fmt = STORED.shape[:2], "yuv420p"
    coder.time_base, coder.options = Fraction(1), {"x265-params": "log-level=0"}
    frame = av.VideoFrame.from_ndarray(STORED, format="bgr24")
    frame.pts = 0
    stream = b"".join(map(bytes, [*coder.encode(frame), *coder.encode(None)]))
    units = [(unit[0] >> 1 & 63, unit) for unit in re.split(rb"\x00\x00\x00?\x01", stream)[1:]]
    sets = [(kind, unit) for kind, unit in units if kind in (32, 33, 34)]  # VPS, SPS, PPS
    arrays = [struct.pack(">BHH", 0x80 | kind, 1, len(unit)) + unit for kind, unit in sets]
    slices = [struct.pack(">I", len(unit)) + unit for kind, unit in units if kind < 32]
    return b"".join([b"\1", bytes(20), b"\xff", bytes([len(sets)]), *arrays]), b"".join(slices)


def _heic(path: Path, turn: int, mirror: int | None) -> None:
    """Write a picture of one item, ISO 23008-12: its configuration, size, turn and mirror."""
    height, width = STORED.shape[:2]
    configuration, coded = _coded()
    properties = [
        _box(b"hvcC", configuration),
        _full(b"ispe", 0, struct.pack(">II", width, height)),
        _box(b"irot", bytes([turn])),
        *([] if mirror is None else [_box(b"imir", bytes([mirror]))]),
    ]
    associated = bytes([len(properties), *(0x80 | i + 1 for i in range(len(properties)))])
    head = _box(b"ftyp", b"heic", bytes(4), b"mif1heic")

    def meta(offset: int) -> bytes:
        return _full(
            b"meta", 0,
            _full(b"hdlr", 0, bytes(4), b"pict", bytes(13)),
            _full(b"pitm", 0, b"\0\1"),
            _full(b"iloc", 0, b"\x44\0\0\1\0\1\0\0\0\1", struct.pack(">II", offset, len(coded))),
            _full(b"iinf", 0, b"\0\1", _full(b"infe", 2, b"\0\1\0\0hvc1\0")),
            _box(
                b"iprp", _box(b"ipco", *properties),
                _full(b"ipma", 0, struct.pack(">IH", 1, 1), associated),
            ),
        )  # fmt: skip

    start = len(head) + len(meta(0)) + 8
    path.write_bytes(head + meta(start) + _box(b"mdat", coded))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_heic_stands_as_viewers_show_it(tmp_path: Path, orientation: int) -> None:
    _heic(tmp_path / "a.heic", *TURNS[orientation - 1])
    _matches(tmp_path / "a.heic", orientation, 1)


@pytest.mark.parametrize("degrees", [0, 90, 180, -90])
def test_frames_whose_data_cannot_be_listed_stand_right(
    tmp_path: Path, clip: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, degrees: int
) -> None:
    path = clip(tmp_path / "turned.mp4", [0, 0.1], rotation=degrees)
    expected = next(iter(FileSource(path))).image

    class Unnamed(dict[str, object]):
        def __init__(self, frame: object) -> None:
            raise ValueError("31 is not a valid Type")

    monkeypatch.setattr(planes, "SideDataContainer", Unnamed)
    np.testing.assert_array_equal(next(iter(FileSource(path))).image, expected)
