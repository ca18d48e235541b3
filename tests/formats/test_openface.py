from __future__ import annotations

import csv
import dataclasses
import errno
import io
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from facetrack.errors import FormatError, OutputError
from facetrack.face import Face, Source
from facetrack.formats.columns import NAMES
from facetrack.formats.openface import (
    OpenFaceWriter,
    read_openface,
    truncate_to_frame,
    write_dictionary,
    write_openface,
)
from facetrack.formats.table import TrackTable

Frames = list[tuple[int, float, Sequence[Face]]]

GAZE = [f"gaze_{e}_{a}" for e in (0, 1) for a in "xyz"] + ["gaze_angle_x", "gaze_angle_y"]
EYES = [f"eye_lmk_{a}_{i}" for a in "xyXYZ" for i in range(56)]
POSE = [f"pose_{k}{a}" for k in "TR" for a in "xyz"]
XY = [f"{a}_{i}" for a in "xy" for i in range(68)]
XYZ = [f"{a}_{i}" for a in "XYZ" for i in range(68)]
PDM = ["p_scale", "p_rx", "p_ry", "p_rz", "p_tx", "p_ty"] + [f"p_{i}" for i in range(34)]
ACTIONS = [1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45]
AUS = [f"AU{i:02d}_r" for i in ACTIONS] + [f"AU{i:02d}_c" for i in sorted([*ACTIONS, 28])]
HEAD = ["frame", "face_id", "timestamp", "confidence", "success"]
WHOLE = HEAD + GAZE + EYES + POSE + XY + XYZ + PDM + AUS


def rows_of(names: list[str], success: Sequence[int] = (1, 0, 1)) -> list[dict[str, str]]:
    """Three frames as OpenFace writes them: a lost one is zeros."""
    rows = []
    for number, found in enumerate(success):
        row = dict.fromkeys(names, "0.0")
        row |= {"frame": str(number + 1), "face_id": "0", "timestamp": f"{number / 30:.3f}"}
        row |= {"confidence": "0.98" if found else "0.00", "success": str(found), "face": "0"}
        if found:
            row |= {f"x_{i}": f"{100 + i + number / 10:.1f}" for i in range(68)}
            row |= {f"y_{i}": f"{200 - i:.1f}" for i in range(68)}
            row |= {"pose_Tz": "512.5", "pose_Rx": "-0.125"}
        rows.append({name: row[name] for name in names})
    return rows


def text_of(names: list[str], *, separator: str = ", ", **options: Sequence[int]) -> str:
    lines = [separator.join(names)]
    lines += [separator.join(row.values()) for row in rows_of(names, **options)]
    return "\n".join(lines) + "\n"


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str | bytes], TrackTable]:
    def read_text(text: str | bytes) -> TrackTable:
        path = tmp_path / "a.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_openface(path)

    return read_text


Read = Callable[[str | bytes], TrackTable]


def without(*names: str) -> list[str]:
    return [name for name in WHOLE if name not in names]


VARIANTS = {
    "all switches on": text_of(WHOLE),
    "rewritten without blanks": text_of(WHOLE, separator=","),
    "byte order mark": "\ufeff" + text_of(WHOLE),
    "CRLF": text_of(WHOLE).replace("\n", "\r\n"),
    "no final newline": text_of(WHOLE).rstrip("\n"),
    "no face_id": text_of(without("face_id")),
    "header bug of older versions": text_of(WHOLE).replace("gaze_1_z", "gaze_2_z"),
    "landmarks only": text_of(HEAD + XY),
    "with pose": text_of(HEAD + POSE + XY),
    "blank line at the end": text_of(WHOLE) + "\n",
    "quoted": re.sub(r"[-\w.]+", r'"\g<0>"', text_of(WHOLE)),
}


def test_the_golden_header_has_all_columns() -> None:
    assert len(WHOLE) == 714  # OpenFace 2.2 with all switches on


@pytest.mark.parametrize("text", VARIANTS.values(), ids=VARIANTS)
def test_files_of_openface_are_read(read: Read, text: str) -> None:
    table = read(text)
    assert_array_equal(table.frame, [0, 1, 2])
    assert_array_equal(table.face_id, 0)
    assert_array_equal(table.success, [True, False, True])
    assert_allclose(table.timestamp, [0, 0.033, 0.067])
    assert_allclose(table.points[2, :, 0], 100.2 + np.arange(68))
    assert_allclose(table.points[0, :, 1], 200 - np.arange(68))
    assert_array_equal(table.raw_points, table.points)
    assert_array_equal(table.source[:, 0], [Source.TRACKED, Source.ABSENT, Source.TRACKED])


def test_zeros_of_a_lost_face_are_not_points(read: Read) -> None:
    table = read(text_of(WHOLE))
    assert np.isnan(table.points[1]).all()
    assert np.isnan(table.pose[1]).all()
    assert_allclose(table.pose[0], [0, 0, 512.5, -0.125, 0, 0])


def test_several_faces_share_a_frame(read: Read) -> None:
    first, second = rows_of(HEAD + XY, success=(1, 1))
    second |= {"frame": "1", "face_id": "3"}
    lines = [",".join(row) for row in (first.keys(), first.values(), second.values())]
    table = read("\n".join(lines) + "\n")
    assert_array_equal(table.frame, [0, 0])
    assert_array_equal(table.face_id, [0, 3])


def test_single_pictures_have_no_frame_or_time(read: Read) -> None:
    table = read(text_of(["face", "confidence", *POSE, *XY], success=(1, 1)))
    assert table.success.all()
    assert np.isnan(table.timestamp).all()
    assert_array_equal(table.frame, 0)


def test_a_header_alone_is_an_empty_table(read: Read) -> None:
    assert len(read(text_of(WHOLE, success=()))) == 0


WRONG = {
    "empty": ("", "no columns x_0 to x_67"),
    "cut header": (",".join(WHOLE), "the first line is cut short"),
    "another CSV": ("a,b\n1,2\n", "line 1: no columns x_0 .*-2Dfp"),
    "98 points, of OpenFace 3's landmarks": (
        ",".join(["frame", *(f"{a}_{i}" for a in "xy" for i in range(98))]) + "\n",
        r"98 points a face \(x_0 to x_97\), another mark-up",
    ),
    "478 points, of py-feat's meshes": (
        ",".join(["FaceScore", *(f"{a}_{i}" for i in range(478) for a in "xyz")]) + "\n",
        "478 points a face",
    ),
    "OpenFace 3's action units": ("frame,AU01_r,AU02_r,gaze_yaw\n1,0,0,0\n", "no columns x_0"),
    "half a group": (text_of(without("x_40")), "column x_40 is missing"),
    "twice": (text_of([*WHOLE, "x_0"]), "column x_0 occurs twice"),
    "0-based": (
        text_of(WHOLE).replace("1, 0, 0.000", "0, 0, 0.000"),
        "line 2: frames count from 0, .* add 1",
    ),
    "one endless line": ("x," * (1 << 19), "a line of more than"),
    "a large cell": ('"' + "x\n" * 70_000, "no CSV file"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_wrong_files_are_named(read: Read, text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        read(text)
    assert "a.csv" in str(caught.value)


LEFT_OUT = {
    "short row": (("0, 0.033", "0.033"), 3, "713 cells, the header has 714"),
    "no number": (("100.2", "left"), 4, "a cell is no number"),
    "half a frame": (("1, 0, 0.000", "1.5, 0, 0"), 2, "a number out of range"),
    "infinite": (("100.2", "inf"), 4, "none is infinite"),
    "NaN frame": (("1, 0, 0.000", "nan, 0, 0"), 2, "frames count from 1"),
}


@pytest.mark.parametrize(("change", "line", "cause"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_a_broken_row_is_left_out_and_named(
    read: Read, change: tuple[str, str], line: int, cause: str
) -> None:
    whole = read(text_of(WHOLE))
    with pytest.warns(
        UserWarning, match=f"1 rows are left out, the first in line {line}: .*{cause}"
    ):
        table = read(text_of(WHOLE).replace(*change))
    assert table.frame.tolist() == [f for f in whole.frame.tolist() if f != line - 2]
    assert cause in table.notes[0]
    assert whole.notes == ()


def respelt(text: str, separator: str, comma: bool) -> str:
    """The same table as a spreadsheet of another country saves it."""
    rows = [line.split(",") for line in text.splitlines()]
    cells = [[c.strip().replace(".", ",") if comma else c.strip() for c in row] for row in rows]
    return "".join(separator.join(row) + "\r\n" for row in cells)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    ("separator", "comma"), [(",", False), (";", True), (";", False), ("\t", True)]
)
def test_tables_that_a_spreadsheet_saved_are_read(
    tmp_path: Path, read: Read, separator: str, comma: bool, encoding: str
) -> None:
    path = tmp_path / "b.csv"
    path.write_text(respelt(text_of(WHOLE), separator, comma), encoding=encoding, newline="")
    same(read_openface(path), read(text_of(WHOLE)))
    path.write_text("sep=;\n" + respelt(text_of(WHOLE), ";", True), encoding=encoding, newline="")
    same(read_openface(path), read(text_of(WHOLE)))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_names_survive_the_encodings_of_a_spreadsheet(
    tmp_path: Path, table: TrackTable, separator: str, encoding: str
) -> None:
    people = {0: "Zoë Müller", 1: "François"}
    write_openface(tmp_path / "a.csv", replace(table, people=people))
    text = respelt((tmp_path / "a.csv").read_text(encoding="utf-8"), separator, separator != ",")
    (tmp_path / "b.csv").write_text(text, encoding=encoding, newline="")
    back = read_openface(tmp_path / "b.csv")
    assert back.people == people
    assert_allclose(back.points, read_openface(tmp_path / "a.csv").points)


@pytest.mark.parametrize(
    "nothing", ["", "NA", "nan", "-nan(ind)", "1.#QNAN", "-1.#IND", "#N/A", "#NV", "NULL", "None"]
)
def test_a_missing_value_is_nan_however_it_is_spelt(read: Read, nothing: str) -> None:
    table = read(text_of(WHOLE).replace("100.2", nothing))
    whole = read(text_of(WHOLE))
    assert len(table) == len(whole)
    assert np.isnan(table.points).sum() + np.isnan(table.raw_points).sum() > (
        np.isnan(whole.points).sum() + np.isnan(whole.raw_points).sum()
    )


def test_py_feat_counts_frames_from_0(read: Read) -> None:
    points = [f"{axis}_{i}" for axis in "xy" for i in range(68)]
    header = ",".join(["FaceRectX", "FaceScore", *points, "AU01", "input", "frame"])
    row = ",".join(["1.5", "0.98", *["7.25"] * 136, "0.2", "clip.mp4", "{}"])
    lost = ",".join(["nan", "nan", *["nan"] * 136, "nan", "clip.mp4", "5"])
    table = read("\n".join([header, row.format(3), row.format(4), row.format(4), lost]) + "\n")
    assert table.frame.tolist() == [3, 4, 4, 5]
    assert table.face_id.tolist() == [0, 0, 1, 0]
    assert table.success.tolist() == [True, True, True, False]
    assert table.confidence[0] == 0.98


@pytest.mark.parametrize("name", ["missing.csv", ".", "a\0b"])
def test_files_that_are_not_there_are_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(FormatError):
        read_openface(tmp_path / name)


def same(a: TrackTable, b: TrackTable, atol: float = 0.0) -> None:
    for name in ("frame", "face_id", "success", "source", "reason"):
        assert_array_equal(getattr(a, name), getattr(b, name))
    for name in ("timestamp", "confidence", "points", "raw_points", "pose", "point_confidence"):
        assert_allclose(getattr(a, name), getattr(b, name), rtol=0, atol=atol)


def write(path: Path, frames: Frames) -> bytes:
    with OpenFaceWriter(path) as writer:
        for frame in frames:
            writer.write(*frame)
    return path.read_bytes()


def test_our_rows_survive_writing_and_reading(
    tmp_path: Path, frames: Frames, table: TrackTable
) -> None:
    write(tmp_path / "a.csv", frames)
    same(read_openface(tmp_path / "a.csv"), table, atol=1e-9)


def test_a_whole_table_gives_the_same_bytes(
    tmp_path: Path, frames: Frames, table: TrackTable
) -> None:
    write_openface(tmp_path / "b.csv", table)
    assert (tmp_path / "b.csv").read_bytes() == write(tmp_path / "a.csv", frames)


def test_openface_columns_come_first(tmp_path: Path, frames: Frames) -> None:
    content = write(tmp_path / "a.csv", frames).decode()
    header, *rows = csv.reader(io.StringIO(content))
    assert header[: len(HEAD + POSE + XY)] == HEAD + POSE + XY
    assert header == list(NAMES)
    assert {len(row) for row in rows} == {len(header)}
    assert [row[0] for row in rows] == ["1", "2", "2", "3", "3", "4", "5"]
    state = header.index("state")
    assert [row[state] for row in rows[3:6]] == ["lost", "tracked", "none"]


@pytest.mark.fuzz
def test_a_file_cut_anywhere_gives_its_whole_rows(
    tmp_path: Path, frames: Frames, table: TrackTable
) -> None:
    path = tmp_path / "cut.csv"
    content = write(path, frames)
    header = content.index(b"\n")

    @given(cut=st.integers(0, len(content)) | st.integers(header - 900, header + 3))
    def check(cut: int) -> None:
        path.write_bytes(content[:cut])
        if cut <= header:
            with pytest.raises(FormatError):
                read_openface(path)
            return
        # The last row is whole without its line end, too.
        whole = content[: cut + 1].count(b"\n") - 1
        begun = content[: cut - 1].count(b"\n")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            back = read_openface(path)
        same(back, table.select(range(whole)), atol=1e-9)
        assert len(caught) == begun - whole

    check()


def test_a_last_number_cut_short_is_not_believed(read: Read) -> None:
    text = text_of(HEAD + XY)  # y_67 ends the line: 133.0
    with pytest.warns(UserWarning, match="cut short and was dropped"):
        assert len(read(text[:-3])) == 2


@pytest.mark.parametrize("n_frames", range(6))
def test_a_cut_file_goes_on_with_the_same_bytes(
    tmp_path: Path, frames: Frames, n_frames: int
) -> None:
    path = tmp_path / "a.csv"
    content = write(path, frames)
    path.write_bytes(content + b"6,0,0.24")
    assert truncate_to_frame(path, n_frames) == [0, 1, 3, 5, 6, 7][n_frames]
    with OpenFaceWriter(path, append=True) as writer:
        for frame in frames[n_frames:]:
            writer.write(*frame)
    assert path.read_bytes() == content


def test_too_short_a_file_is_left_alone(tmp_path: Path, frames: Frames) -> None:
    path = tmp_path / "a.csv"
    content = write(path, frames)[:-5]
    path.write_bytes(content)
    with pytest.raises(FormatError, match="4 frames are complete, 5 expected"):
        truncate_to_frame(path, 5)
    assert path.read_bytes() == content


@pytest.mark.parametrize("content", [b"", b"frame, face_id\n1, 0\n", b"\xff\x00" * 9000])
def test_foreign_files_are_not_cut(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(FormatError, match="not a CSV file of this version"):
        truncate_to_frame(path, 0)
    assert path.read_bytes() == content
    with pytest.raises(FormatError, match="no such file"):
        truncate_to_frame(tmp_path / "missing.csv", 0)


def test_rows_are_in_the_file_before_it_is_closed(tmp_path: Path, frames: Frames) -> None:
    writer = OpenFaceWriter(tmp_path / "a.csv")
    for count, frame in enumerate(frames, start=1):
        writer.write(*frame)
        assert read_openface(tmp_path / "a.csv").frame.max() + 1 == count
    writer.close()
    writer.close()


ENDLESS = """
import sys
import numpy as np
from facetrack.face import Face, State, read_only_points
from facetrack.formats.openface import OpenFaceWriter
points = read_only_points(np.full((68, 2), 123.456))
face = Face(0, State.TRACKED, "", points, points, 0.5, None)
writer, number = OpenFaceWriter(sys.argv[1]), 0
while True:
    writer.write(number, number / 30, [face])
    number += 1
"""


def test_a_killed_process_leaves_a_file_that_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with subprocess.Popen([sys.executable, "-c", ENDLESS, str(path)]) as process:
        while process.poll() is None and not (path.exists() and path.stat().st_size > 500_000):
            time.sleep(0.01)
        process.kill()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the kernel may have cut the last row
        table = read_openface(path)
    assert len(table) > 100
    assert_allclose(table.points, 123.456)
    assert_array_equal(table.frame, np.arange(len(table)))
    assert truncate_to_frame(path, len(table) - 1) == len(table) - 1


class _FullDisk(io.BytesIO):
    """A file that takes a few bytes more and then no longer."""

    def write(self, content: bytes) -> int:  # type: ignore[override]
        if len(content) > 1000:
            return super().write(content[:1000])
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_leaves_whole_rows(
    tmp_path: Path, frames: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    writer = OpenFaceWriter(path)
    writer.close()
    disk = _FullDisk()
    io.BytesIO.write(disk, path.read_bytes())
    monkeypatch.setattr(writer, "_file", disk)
    with pytest.raises(OutputError, match="free some space"):
        writer.write(*frames[0])
    assert disk.getvalue() == path.read_bytes()


def test_a_file_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"a\.csv: cannot be written"):
        OpenFaceWriter(tmp_path / "no" / "a.csv")


def test_line_ends_in_a_reason_do_not_break_rows(tmp_path: Path, frames: Frames) -> None:
    lost = dataclasses.replace(frames[2][2][0], reason="a\nb\r\nc")
    write(tmp_path / "a.csv", [(0, 0.0, [lost])])
    assert read_openface(tmp_path / "a.csv").reason == ("a b c",)


def test_the_dictionary_explains_every_column(tmp_path: Path) -> None:
    write_dictionary(tmp_path / "d.csv")
    with (tmp_path / "d.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["column"] for row in rows] == list(NAMES)
    assert list(rows[0]) == [
        "column", "unit", "range", "frame of reference", "when lost", "meaning", "table"
    ]  # fmt: skip
    assert all(all(row.values()) for row in rows)
    by_name = {row["column"]: row for row in rows}
    assert by_name["x_36"]["unit"] == "px"
    assert "right eye" in by_name["x_36"]["meaning"]
    assert by_name["pose_Rx"]["unit"] == "rad"


def test_names_of_people_and_pictures_come_back(tmp_path: Path, table: TrackTable) -> None:
    pictures = {0: "a, b.jpg", 1: 'say "x".png', 2: "c.jpg", 3: "d.jpg", 4: "e.jpg"}
    named = replace(table, people={0: "Anna", 1: 'Ben "B", jr'}, pictures=pictures)
    write_openface(tmp_path / "a.csv", named)
    back = read_openface(tmp_path / "a.csv")
    assert (back.people, back.pictures) == (named.people, pictures)
    assert_array_equal(back.points, read_openface(tmp_path / "a.csv").points)
    plain = read_openface(tmp_path / "a.csv")
    assert (plain.frame.tolist(), plain.reason) == (table.frame.tolist(), table.reason)


def test_a_run_over_pictures_goes_on_in_its_file(tmp_path: Path, frames: Frames) -> None:
    path = tmp_path / "a.csv"
    with OpenFaceWriter(path, pictures=True) as writer:
        for index, time, faces in frames:
            writer.write(index, time, faces, f"{index}, x.jpg")
    whole = path.read_bytes()
    truncate_to_frame(path, 2)
    with OpenFaceWriter(path, append=True, pictures=True) as writer:
        for index, time, faces in frames[2:]:
            writer.write(index, time, faces, f"{index}, x.jpg")
    assert path.read_bytes() == whole
    assert read_openface(path).pictures == {i: f"{i}, x.jpg" for i in range(5)}
