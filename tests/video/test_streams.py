"""Files of several streams or of several sizes: one video comes out, and a note says which."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition

from facetrack.errors import VideoError
from facetrack.opening import open_seekable, open_source
from facetrack.video.decoding import video_stream
from facetrack.video.file import FileSource

Originals = Callable[[int, tuple[int, int]], Iterator[np.ndarray]]


UNMARKED = Disposition(0)


@dataclass(frozen=True)
class Film:
    """One stream: its pictures and how it is marked."""

    size: tuple[int, int]
    count: int
    marked: Disposition = UNMARKED
    codec: str = "libx264"


def _write(path: Path, originals: Originals, films: list[Film]) -> Path:
    with av.open(str(path), "w") as out:
        packets = []
        for film in films:
            stream: Any = out.add_stream(film.codec, rate=25)
            stream.width, stream.height = film.size
            stream.pix_fmt = "yuvj420p" if film.codec == "mjpeg" else "yuv420p"
            stream.codec_context.max_b_frames = 0
            stream.disposition = film.marked
            for number, picture in enumerate(originals(film.count, film.size)):
                frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
                frame.pts, frame.time_base = number, Fraction(1, 25)
                packets += stream.encode(frame)
            packets += stream.encode(None)
        for packet in sorted(packets, key=lambda p: p.dts * p.time_base):
            out.mux(packet)
    return path


DEFAULT, COVER = Disposition.default, Disposition.attached_pic


@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".mp4"])
@pytest.mark.parametrize(
    ("films", "shown"),
    [
        ([Film((64, 48), 10), Film((80, 60), 10, DEFAULT)], 1),
        ([Film((64, 48), 10, DEFAULT), Film((80, 60), 20)], 0),
        ([Film((64, 48), 10), Film((64, 48), 20)], 1),
        ([Film((64, 48), 10), Film((80, 60), 10)], 1),
        ([Film((64, 48), 10), Film((64, 48), 10)], 0),
        ([Film((160, 120), 2, DEFAULT, "mjpeg"), Film((80, 60), 20)], 1),
    ],
)
def test_the_stream_that_players_show_is_read(
    tmp_path: Path, originals: Originals, suffix: str, films: list[Film], shown: int
) -> None:
    if len({film.marked for film in films}) == 1:  # else the writer would mark one of them
        films = [Film(f.size, f.count, DEFAULT, f.codec) for f in films]
    path = _write(tmp_path / f"a{suffix}", originals, films)
    source = FileSource(path)
    frames = list(source)
    assert source.size == films[shown].size
    assert len(frames) == films[shown].count
    assert any(f"video stream {shown + 1} of 2" in note for note in source.report.notes)
    assert open_seekable(path).n_frames == len(frames)


def test_covers_are_no_video(tmp_path: Path, originals: Originals) -> None:
    films = [Film((160, 120), 1, COVER, "mjpeg"), Film((64, 48), 10)]
    source = FileSource(_write(tmp_path / "a.mp4", originals, films))
    assert len(list(source)) == 10
    assert source.report.notes == []


def test_a_picture_in_tiles_is_refused(shared: Path) -> None:
    with pytest.raises(VideoError, match=r"tiles.*convert it"):
        FileSource(shared / "data/cases/heic-grid/face_grid.heic")


def test_tiles_are_told_from_layers_of_a_film() -> None:
    def stream(count: int, marked: Disposition) -> SimpleNamespace:
        context = SimpleNamespace(width=64, height=48, options={})
        return SimpleNamespace(
            disposition=marked, frames=count, codec_context=context, duration=count,
            time_base=Fraction(1, 25), start_time=0, metadata={}, average_rate=25,
        )  # fmt: skip

    def of(*streams: SimpleNamespace) -> SimpleNamespace:
        return SimpleNamespace(streams=SimpleNamespace(video=list(streams)), size=9)

    tiles = [stream(1, Disposition.dependent) for _ in range(4)]
    with pytest.raises(VideoError, match="tiles"):
        video_stream(Path("a.heic"), of(*tiles, stream(1, Disposition(0))))  # a thumbnail last
    film = stream(50, DEFAULT)
    assert video_stream(Path("a.mp4"), of(film, stream(50, Disposition.dependent))) is film


@pytest.mark.parametrize("name", ["cmd.txt", "art.xb"])
def test_texts_are_no_videos(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"XBIN\x1a\x50\0\x19\0\x10\0" + b"facetrack track clip.mp4 -o out\n" * 99)
    if name.endswith(".txt"):
        path.write_text("facetrack track clip.mp4 -o out\n" * 99)
    with pytest.raises(VideoError, match=r"is a text|cannot be opened"):
        open_source(path)


@pytest.mark.parametrize(
    ("first", "then"), [((64, 48), (128, 96)), ((128, 96), (64, 48)), ((64, 48), (96, 96))]
)
def test_pictures_of_another_size_are_scaled_to_the_first(
    tmp_path: Path, originals: Originals, first: tuple[int, int], then: tuple[int, int]
) -> None:
    parts = [
        _write(tmp_path / f"{size[0]}.ts", originals, [Film(size, 10)]) for size in (first, then)
    ]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    source = FileSource(path)
    frames = list(source)
    assert len(frames) == 20
    shape = first[1], first[0]
    assert {f.grey.shape for f in frames} == {f.image.shape[:2] for f in frames} == {shape}
    wanted = f"pictures of {then[0]} x {then[1]} were scaled"
    assert sum(wanted in note for note in source.report.notes) == 1
    # The same pattern in both: what lies somewhere in the first part lies there in the second.
    apart = np.abs(frames[0].grey.astype(int) - frames[10].grey)
    assert apart.mean() < 8
    seen = open_seekable(path).frame(15)
    np.testing.assert_array_equal(seen.grey, frames[15].grey)
