"""Whatever a file holds, every reader reads it or names it, in one line."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facetrack.errors import FormatError
from facetrack.formats.annotation import track_annotations
from facetrack.formats.coco import read_coco, write_coco
from facetrack.formats.elan import read_elan, write_elan_annotations
from facetrack.formats.npz import read_npz
from facetrack.formats.openface import read_openface, truncate_to_frame, write_openface
from facetrack.formats.picture import read_bgr
from facetrack.formats.pts import read_pts, write_pts
from facetrack.formats.table import TrackTable
from facetrack.formats.webvtt import read_webvtt, write_webvtt_annotations

pytestmark = pytest.mark.fuzz


def _write_picture(path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    path.write_bytes(cv2.imencode(".jpg", image)[1].tobytes())


Reader = Callable[[Path], Any]
Writer = Callable[[Path, TrackTable], None]

FORMATS: dict[str, tuple[Reader, Writer]] = {
    "openface": (read_openface, write_openface),
    "resume": (lambda path: truncate_to_frame(path, 3), write_openface),
    "pts": (read_pts, lambda path, table: write_pts(path, table.points[0])),
    "coco": (read_coco, lambda path, table: write_coco(path, table, size=(640, 480))),
    "elan": (read_elan, lambda path, table: write_elan_annotations(path, track_annotations(table))),
    "webvtt": (
        read_webvtt,
        lambda path, table: write_webvtt_annotations(path, track_annotations(table)),
    ),
    "npz": (
        lambda path: read_npz(path, required=["x"]),
        lambda path, table: np.savez_compressed(path, x=table.points[0]),
    ),
    "picture": (read_bgr, lambda path, table: _write_picture(path)),
}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
damages = st.lists(
    st.tuples(
        st.sampled_from(["cut", "put", "insert", "remove", "double"]),
        st.floats(0, 1),
        st.binary(min_size=1, max_size=4)
        | st.sampled_from([b"\n", b",", b"{", b"<", b"-->", b"\0", b"nan", b"9" * 400, b"1e999"]),
    ),
    min_size=1,
    max_size=4,
)


def damage(content: bytes, damages: list[tuple[str, float, bytes]]) -> bytes:
    for kind, share, piece in damages:
        place = int(share * len(content))
        before, after = content[:place], content[place:]
        content = {
            "cut": before,
            "put": before + piece + after[len(piece) :],
            "insert": before + piece + after,
            "remove": before + after[len(piece) :],
            "double": before + content,
        }[kind]
    return content


def check(reader: Reader, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    message = path.name
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader(path)
    except FormatError as error:
        message = str(error)
    assert path.name in message
    assert "\n" not in message
    assert len(message) < 500


@pytest.fixture(params=FORMATS)
def case(
    request: pytest.FixtureRequest, tmp_path: Path, table: TrackTable
) -> tuple[Reader, Path, bytes]:
    reader, write = FORMATS[request.param]
    suffix = {"npz": ".npz", "picture": ".jpg"}.get(request.param, ".txt")
    path = tmp_path / f"a{suffix}"
    write(path, table)
    reader(path)  # undamaged it is read
    write(path, table)
    return reader, path, path.read_bytes()


def test_damaged_files_are_read_or_named(case: tuple[Reader, Path, bytes]) -> None:
    reader, path, content = case

    @settings(suppress_health_check=[HealthCheck.too_slow])
    @given(damages=damages)
    def run(damages: list[tuple[str, float, bytes]]) -> None:
        check(reader, path, damage(content, damages))

    run()


def test_any_bytes_are_read_or_named(case: tuple[Reader, Path, bytes]) -> None:
    reader, path, _ = case

    @given(content=st.binary(max_size=300) | texts.map(str.encode))
    def run(content: bytes) -> None:
        check(reader, path, content)

    run()
