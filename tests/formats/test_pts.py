from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from facetrack.errors import FormatError, InputError, OutputError
from facetrack.face import Source
from facetrack.formats.pts import read_pts, read_pts_folder, write_pts, write_pts_folder
from facetrack.formats.table import TrackTable
from facetrack.landmarks.markup import MARKUPS

POINTS = np.arange(136, dtype=np.float64).reshape(68, 2) / 4 - 3
LINES = [f"{x + 1} {y + 1}" for x, y in POINTS]
BODY = "\n".join(LINES)


def read(path: Path, text: str | bytes, **options: Any) -> np.ndarray:
    path = path / "a.pts"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_pts(path, **options)


VARIANTS = {
    "plain": f"version: 1\nn_points:  68\n{{\n{BODY}\n}}\n",
    "no blank": f"version:1\nn_points:68\n{{\n{BODY}\n}}\n",
    "npoints": f"version: 1\nnpoints: 68\n{{\n{BODY}\n}}\n",
    "no count": f"version: 1\n{{\n{BODY}\n}}\n",
    "tabs": f"version: 1\nn_points:\t68\n{{\n{BODY}\n}}\n".replace(" ", "\t"),
    "CRLF": f"version: 1\nn_points: 68\n{{\n{BODY}\n}}\n".replace("\n", "\r\n"),
    "CR": f"version: 1\nn_points: 68\n{{\n{BODY}\n}}\n".replace("\n", "\r"),
    "BOM": f"\ufeffversion: 1\nn_points: 68\n{{\n{BODY}\n}}\n",
    "no final newline": f"version: 1\nn_points: 68\n{{\n{BODY}\n}}",
    "braces on the lines": f"version: 1\nn_points: 68 {{ {BODY} }}",
    "one line": f"version: 1\nn_points: 68 {{ {' '.join(LINES)} }}",
    "blank lines": "version: 1\n\nn_points: 68\n\n{\n\n" + "\n\n".join(LINES) + "\n\n}\n\n",
    "three columns": "version: 1\nn_points: 68\n{\n" + "\n".join(f"{x} 1" for x in LINES) + "\n}",
    "three columns, no count": "{\n" + "\n".join(f"{x} 0.5" for x in LINES) + "\n}",
    "no header, no braces": BODY + "\n",
    "no header, no braces, three columns": "\n".join(f"{x} 1" for x in LINES),
    "no header, no braces, CRLF": BODY.replace("\n", "\r\n"),
    "exponents": "{" + "\n".join(f"{x + 1:.6e} {y + 1:+E}" for x, y in POINTS) + "}",
}


@pytest.mark.parametrize("text", VARIANTS.values(), ids=VARIANTS)
def test_variants_of_the_format_are_read(tmp_path: Path, text: str) -> None:
    assert_allclose(read(tmp_path, text), POINTS, rtol=0, atol=1e-4)


@pytest.mark.parametrize("first", [0, 1])
def test_numbers_of_points_before_x_and_y_are_no_coordinates(tmp_path: Path, first: int) -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(1, 200, (68, 2)).round(2)
    lines = "\n".join(f"{i + first} {x} {y}" for i, (x, y) in enumerate(points.tolist()))
    path = tmp_path / "a.pts"
    for text in (lines, f"version: 1\nn_points: 68\n{{\n{lines}\n}}\n", lines.replace(" ", ";")):
        path.write_text(text)
        assert_allclose(read_pts(path), points - 1)
    path.write_text("\n".join(f"{x} {y} {i}" for i, (x, y) in enumerate(points.tolist())))
    assert_allclose(read_pts(path), points - 1)


def test_the_first_pixel_is_one_one_unless_stated_otherwise(tmp_path: Path) -> None:
    text = VARIANTS["plain"]
    assert_array_equal(read(tmp_path, text, origin=0) - read(tmp_path, text), 1)


@pytest.mark.parametrize("count", MARKUPS)
def test_smaller_markups_are_read_on_request(tmp_path: Path, count: int) -> None:
    text = f"n_points: {count}\n{{\n" + "\n".join(LINES[:count]) + "\n}"
    assert_array_equal(read(tmp_path, text, count=count), POINTS[:count])


def test_a_decimal_comma_is_read_on_request_only(tmp_path: Path) -> None:
    text = VARIANTS["plain"].replace(".", ",")
    assert_array_equal(read(tmp_path, text, decimal_comma=True), POINTS)
    with pytest.raises(FormatError, match=r"line 4: .* is the comma its decimal sign\?"):
        read(tmp_path, text)


def test_nan_is_a_point_without_a_label(tmp_path: Path) -> None:
    points = read(tmp_path, VARIANTS["plain"].replace(LINES[5], "nan NaN"))
    assert np.isnan(points[5]).all()
    assert np.isfinite(np.delete(points, 5, axis=0)).all()


WRONG = {
    "empty": ("", "no '{' found"),
    "only a header": ("version: 1\nn_points: 68\n", "no '{' found"),
    "no braces, one point too few": ("\n".join(LINES[1:]), "67 points, 68 expected"),
    "no braces, one point too many": (f"{BODY}\n1 2\n", "69 points, 68 expected"),
    "no braces, cut in a pair": (BODY.rsplit(" ", 1)[0], "135 numbers, which make no pairs"),
    "no braces, a word": (BODY.replace(LINES[2], "left eye"), "line 3: 'left' is no number"),
    "only the closing brace": (f"{BODY}\n}}\n", "line 69: '}' is no number"),
    "no points": ("n_points: 68\n{\n}\n", "header says 68 points, the file holds 0"),
    "cut short": (VARIANTS["plain"][:300], "cut short"),
    "one point too few": (VARIANTS["plain"].replace(LINES[3] + "\n", ""), "says 68 .* holds 67"),
    "another count": ("{\n" + "\n".join(LINES[:66]) + "\n}", "66 points, 68 expected"),
    "an odd number": ("{ 1 2 3 4 5 }", "5 numbers, which make no pairs"),
    "a word": (VARIANTS["plain"].replace(LINES[2], "left eye"), "line 6: 'left' is no number"),
    "infinite": (VARIANTS["plain"].replace(LINES[2], "1e999 2"), "line 6: .* infinite"),
    "underscore": (VARIANTS["plain"].replace(LINES[2], "1_0 2"), "'1_0' is no number"),
    "broken header": (VARIANTS["plain"].replace(": 1", " 1"), "line 1: 'key: value' expected"),
    "count in words": (VARIANTS["plain"].replace(" 68", " many"), "n_points is 'many'"),
    "two faces": (VARIANTS["plain"] * 2, "line 73: text after the closing"),
    "UTF-16": (VARIANTS["plain"].encode("utf-16"), "not UTF-8 text"),
    "Latin-1": (b"na\xefve", "byte 0xef at offset 2"),
    "too big": (b" " * (1 << 20) + b" ", "larger than"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_wrong_files_are_named(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        read(tmp_path, text)
    assert "a.pts" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["missing.pts", "with\0nul.pts", "."])
def test_files_that_are_not_there_are_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(FormatError):
        read_pts(tmp_path / name)


@given(points=arrays(np.float64, (68, 2), elements=st.floats(-1e4, 1e4)), origin=st.integers(0, 1))
def test_points_survive_writing_and_reading(
    tmp_path_factory: pytest.TempPathFactory, points: np.ndarray, origin: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "round.pts"
    write_pts(path, points, origin=origin)
    assert_allclose(read_pts(path, origin=origin), points, rtol=0, atol=0.51e-4)


@pytest.mark.parametrize("bad", [np.zeros((5, 2)), np.zeros(136), np.full((68, 2), np.inf)])
def test_wrong_points_are_not_written(tmp_path: Path, bad: np.ndarray) -> None:
    with pytest.raises(InputError, match="points must"):
        write_pts(tmp_path / "a.pts", bad)
    assert not list(tmp_path.iterdir())


def test_a_folder_keeps_the_faces_that_are_seen(tmp_path: Path, table: TrackTable) -> None:
    folder = tmp_path / "out"
    write_pts_folder(folder, table)
    assert (folder / "face_0" / "000001.pts").is_file()
    back = read_pts_folder(folder)
    seen = table.select(table.success)
    assert_array_equal(back.frame, seen.frame)
    assert_array_equal(back.face_id, seen.face_id)
    assert_allclose(back.points, seen.points, rtol=0, atol=1e-4)
    assert_allclose(back.point_confidence, seen.point_confidence, rtol=0, atol=5.1e-4)
    assert_array_equal(back.source, seen.source)
    flat = read_pts_folder(folder / "face_1")
    assert_array_equal(flat.frame, [1, 2, 4])


def test_a_folder_replaces_its_own_kind_only(tmp_path: Path, table: TrackTable) -> None:
    folder = tmp_path / "out"
    write_pts_folder(folder, table)
    write_pts_folder(folder, table.select(table.face_id == 1))
    assert [f.name for f in folder.iterdir()] == ["face_1"]
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="holds other files"):
        write_pts_folder(folder, table)
    assert (folder / "notes.txt").read_text() == "mine"
    assert [f.name for f in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("conf_3", "conf_x"), "its columns are not"),
        (lambda text: text[:-4] + ",\n", "no number"),
        (lambda text: text.rstrip()[:-2] + "\n", "too many or too few"),
        (lambda text: text.rstrip() + "7\n", "out of range"),
        (lambda text: text.replace("\n2,", "\n0,"), "out of range"),
    ],
)
def test_a_broken_file_beside_is_named(tmp_path: Path, table: TrackTable, change, message) -> None:
    write_pts_folder(tmp_path / "out", table)
    beside = tmp_path / "out" / "face_1" / "points.csv"
    beside.write_text(change(beside.read_text()))
    with pytest.raises(FormatError, match=message) as caught:
        read_pts_folder(tmp_path / "out")
    assert "points.csv" in str(caught.value)


def test_a_folder_without_a_file_beside_says_nothing_of_its_points(
    tmp_path: Path, table: TrackTable
) -> None:
    write_pts_folder(tmp_path / "out", table)
    (tmp_path / "out" / "face_1" / "points.csv").unlink()
    back = read_pts_folder(tmp_path / "out")
    one = back.select(back.face_id == 1)
    assert np.isnan(one.point_confidence).all()
    assert (one.source == Source.TRACKED).all()
    assert np.isfinite(back.select(back.face_id == 0).point_confidence).all()


@pytest.mark.parametrize("name", ["000000.pts", "left.pts", "1 2.pts"])
def test_files_without_a_frame_number_are_named(tmp_path: Path, name: str) -> None:
    write_pts(tmp_path / name, POINTS)
    with pytest.raises(FormatError, match="frame's number"):
        read_pts_folder(tmp_path)


def test_a_folder_without_points_is_named(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "no"):
        with pytest.raises(FormatError):
            read_pts_folder(folder)


def of_pictures(table: TrackTable) -> TrackTable:
    names = {0: "img (1).jpg", 1: "a.jpg", 2: "a.png", 4: "caf\u00e9, 2.jpg"}
    return replace(table, pictures=names)


def test_files_of_pictures_are_named_by_them(tmp_path: Path, table: TrackTable) -> None:
    pictures = of_pictures(table)
    write_pts_folder(tmp_path / "out", pictures)
    assert sorted(f.name for f in (tmp_path / "out").iterdir()) == [
        "a.jpg.face2.pts", "a.jpg.pts", "a.png.pts", "caf\u00e9, 2.pts", "img (1).pts",
        "points.csv",
    ]  # fmt: skip
    write_pts_folder(tmp_path / "out", pictures)  # it is ours
    names = ["img (1).jpg", "a.jpg", "a.png", "none.jpg", "caf\u00e9, 2.jpg"]
    back = read_pts_folder(tmp_path / "out", pictures=names)
    seen = table.select(table.success & (table.face_id >= 0))
    assert back.frame.tolist() == seen.frame.tolist()
    assert_allclose(back.points, seen.points, atol=1e-4)
    assert_array_equal(back.source, seen.source)
    with pytest.raises(FormatError, match="is named by none of the pictures"):
        read_pts_folder(tmp_path / "out", pictures=names[1:])


def test_labels_of_somebody_else_are_not_replaced(tmp_path: Path, table: TrackTable) -> None:
    write_pts(tmp_path / "img (1).pts", POINTS)
    with pytest.raises(OutputError, match="holds other files"):
        write_pts_folder(tmp_path, of_pictures(table))
    assert_allclose(read_pts(tmp_path / "img (1).pts"), POINTS)
