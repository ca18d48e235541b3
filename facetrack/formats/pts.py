"""iBUG .pts files: the landmarks of one face in one picture.

The format's coordinates are 1-based: the centre of the top-left pixel is (1, 1).
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError, InputError
from facetrack.formats.atomic import atomic_folder, write_text
from facetrack.formats.pts_sidecar import NAME as SIDECAR
from facetrack.formats.pts_sidecar import Said, is_of_pictures, read_sidecar, sidecar_text
from facetrack.formats.table import NO_FACE, TrackTable, make_table
from facetrack.formats.textfile import NUMBER, read_text
from facetrack.landmarks.markup import MARKUPS

MAX_BYTES: Final = 1 << 20
_HEADER_LINE: Final = re.compile(r"\s*(\w+)\s*:\s*(\S+)\s*")
_COUNT_KEYS: Final = ("n_points", "npoints")
_FACE_FOLDER: Final = re.compile(r"face_\d{1,9}", re.ASCII)
_FACE_FILE: Final = re.compile(r"(.+)\.face([1-9]\d{0,5})", re.ASCII | re.DOTALL)
_FRAME_FILE: Final = re.compile(r"\d{1,12}\.pts", re.ASCII)

Points = npt.NDArray[np.float64]


def read_pts(
    path: str | os.PathLike[str], *, origin: int = 1, count: int = 68, decimal_comma: bool = False
) -> Points:
    """Read the landmarks of one face.

    Parameters
    ----------
    path : path-like
        The file.
    origin : int
        Coordinate of the first pixel's centre in the file: 1 for 300-W, 300-VW and their kin, 0
        for tools that skipped the format's convention. A file does not say which it has.
    count : {68, 66, 51, 49}
        Number of points that the file must hold.
    decimal_comma : bool
        Whether the file has a comma as the decimal sign.

    Returns
    -------
    ndarray, shape (count, 2), float64
        (x, y) in pixels, pixel centres at integers from 0; NaN where the file says `nan`.

    Raises
    ------
    FormatError
        If the file is missing or broken, or holds another number of points.

    Notes
    -----
    Read are `n_points` and `npoints`, any white space, semicolons, braces on lines of their own or
    not, and a third column: the points' numbers before x and y, or something behind them, which is
    ignored. Some redistributed copies hold the numbers alone, without
    header and braces; of these only the count tells whether they are whole.
    """
    text = read_text(path, limit=MAX_BYTES)
    head, body = _split(path, text)
    stated = _stated_count(path, head)
    rows = _rows(path, body, first_line=head.count("\n") + 1, decimal_comma=decimal_comma)
    points = _pair(path, rows, stated)
    if stated is not None and len(points) != stated:
        raise FormatError(path, f"the header says {stated} points, the file holds {len(points)}")
    if len(points) != count:
        raise FormatError(path, f"{len(points)} points, {count} expected")
    return points - origin


def _split(path: str | os.PathLike[str], text: str) -> tuple[str, str]:
    """Tell the header from the numbers; a file without braces is all numbers."""
    head, opened, rest = text.partition("{")
    if not opened:
        words = text.replace(";", " ").split(maxsplit=1)
        if not words or not NUMBER.fullmatch(words[0].replace(",", ".")):
            raise FormatError(path, "no '{' found and no numbers either, so not a .pts file")
        return "", text
    body, closed, tail = rest.partition("}")
    if not closed:
        raise FormatError(path, "no closing '}', the file is cut short", remedy="restore the file")
    if tail.strip():
        line = text.count("\n", 0, len(text) - len(tail.lstrip())) + 1
        raise FormatError(path, f"text after the closing '}}': {tail.split()[0]!r:.40}", line=line)
    return head, body


def _stated_count(path: str | os.PathLike[str], head: str) -> int | None:
    """Read the `key: value` lines before the opening brace."""
    stated = None
    for number, line in enumerate(head.split("\n"), start=1):
        if not line.strip():
            continue
        match = _HEADER_LINE.fullmatch(line)
        if match is None:
            found = f"{line.strip()!r:.40}"
            raise FormatError(path, f"'key: value' expected, found {found}", line=number)
        if match[1].lower() in _COUNT_KEYS:
            if not re.fullmatch(r"\d{1,6}", match[2], re.ASCII):
                raise FormatError(path, f"{match[1]} is {match[2]!r:.40}, no number", line=number)
            stated = int(match[2])
    return stated


def _rows(
    path: str | os.PathLike[str], body: str, *, first_line: int, decimal_comma: bool
) -> list[list[float]]:
    """Read the numbers of every line that has some."""
    rows = []
    for number, line in enumerate(body.split("\n"), start=first_line):
        row = []
        for word in line.replace(";", " ").split():
            value = word.replace(",", ".") if decimal_comma else word
            if not NUMBER.fullmatch(value):
                remedy = "is the comma its decimal sign?" if "," in word else ""
                raise FormatError(path, f"{word!r:.40} is no number", line=number, remedy=remedy)
            row.append(float(value))
        if np.isinf(row).any():
            raise FormatError(path, "a coordinate is infinite", line=number)
        if row:
            rows.append(row)
    return rows


def _pair(path: str | os.PathLike[str], rows: list[list[float]], stated: int | None) -> Points:
    """Turn lines of numbers into points."""
    lengths = {len(row) for row in rows}
    total = sum(len(row) for row in rows)
    if lengths == {3} and (stated is None or total != 2 * stated):
        columns = np.array(rows)
        numbers = np.arange(len(columns))
        numbered = any(np.array_equal(columns[:, 0], numbers + first) for first in (0, 1))
        return columns[:, 1:] if numbered else columns[:, :2]
    if total % 2:
        raise FormatError(path, f"{total} numbers, which make no pairs of x and y")
    return np.array([value for row in rows for value in row], dtype=np.float64).reshape(-1, 2)


def write_pts(path: str | os.PathLike[str], points: npt.ArrayLike, *, origin: int = 1) -> None:
    """Write the landmarks of one face, with four decimals.

    Parameters
    ----------
    path : path-like
        The file to write.
    points : array_like, shape (n, 2), n one of 68, 66, 51, 49
        (x, y) in pixels, pixel centres at integers from 0; NaN where unknown.
    origin : int
        Coordinate of the first pixel's centre in the file; the format's is 1.

    Raises
    ------
    InputError
        If the shape is another one or a coordinate is infinite.
    OutputError
        If the file cannot be written.
    """
    write_text(path, _text(points, origin))


def _text(points: npt.ArrayLike, origin: int) -> str:
    array = np.asarray(points, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 2 or len(array) not in MARKUPS:
        counts = ", ".join(map(str, MARKUPS))
        raise InputError(f"points must have shape (n, 2), n one of {counts}, got {array.shape}")
    if np.isinf(array).any():
        raise InputError("points must not be infinite")
    lines = [f"{x:.4f} {y:.4f}" for x, y in (array + origin).tolist()]
    body = "\n".join(lines)
    return f"version: 1\nn_points: {len(array)}\n{{\n{body}\n}}\n"


def write_pts_folder(folder: str | os.PathLike[str], table: TrackTable, *, origin: int = 1) -> None:
    """Write one .pts file for every frame and face that is seen.

    Parameters
    ----------
    folder : path-like
        The folder to make, with `face_N/000001.pts` inside: one folder a person, frames counted
        from 1, as in the `annot` folders of 300-VW. One that this function made is replaced. The
        format has no place for confidence and source of the points: `face_N/points.csv` has them.
        Of pictures, files lie beside each other and are named by the pictures: `NAME.pts`, of a
        second face `NAME.face2.pts`, and `NAME.jpg.pts` where two pictures differ in the suffix.
    table : TrackTable
        The rows; lost faces get no file.
    origin : int
        Coordinate of the first pixel's centre in the files.

    Raises
    ------
    OutputError
        If the folder cannot be written or holds other files.
    """
    with atomic_folder(folder, _is_ours) as temporary:
        seen = table.select(table.success & (table.face_id != NO_FACE))
        names = _file_names(seen)
        if table.pictures:
            (temporary / SIDECAR).write_text(
                sidecar_text(seen, names), encoding="utf-8", newline=""
            )
        else:
            for face in table.face_ids:
                (temporary / f"face_{face}").mkdir()
                beside = temporary / f"face_{face}" / SIDECAR
                beside.write_text(sidecar_text(seen.select(seen.face_id == face)), newline="")
        for i, name in enumerate(names):
            file = temporary / f"{name}.pts"
            file.write_text(_text(seen.points[i], origin), encoding="ascii", newline="")


def _file_names(table: TrackTable) -> list[str]:
    """Name the file of every row, without its suffix."""
    if not table.pictures:
        rows = zip(table.face_id.tolist(), table.frame.tolist(), strict=True)
        return [f"face_{face}/{frame + 1:06d}" for face, frame in rows]
    stems = Counter(PurePath(name).stem for name in table.pictures.values())
    met: Counter[int] = Counter()
    names = []
    for frame in table.frame.tolist():
        met[frame] += 1
        picture = PurePath(table.pictures[frame])
        name = picture.stem if stems[picture.stem] == 1 else picture.name
        names.append(name if met[frame] == 1 else f"{name}.face{met[frame]}")
    return names


def _is_ours(folder: Path) -> bool:
    """Whether a folder holds nothing but what `write_pts_folder` writes."""
    if not folder.is_dir():
        return False
    if (folder / SIDECAR).is_file() and is_of_pictures(folder):
        return all(f.suffix == ".pts" or f.name == SIDECAR for f in folder.iterdir())
    return all(
        _FACE_FOLDER.fullmatch(inside.name)
        and inside.is_dir()
        and all(_FRAME_FILE.fullmatch(f.name) or f.name == SIDECAR for f in inside.iterdir())
        for inside in folder.iterdir()
    )


def read_pts_folder(
    folder: str | os.PathLike[str], *, origin: int = 1, pictures: Sequence[str] = ()
) -> TrackTable:
    """Read one .pts file a frame.

    Parameters
    ----------
    folder : path-like
        A folder with `000001.pts` and so on, counted from 1, or with such folders `face_N` inside.
    origin : int
        Coordinate of the first pixel's centre in the files.
    pictures : sequence of str
        Names of pictures in their order: the files are named by them, as `write_pts_folder` does.

    Returns
    -------
    TrackTable
        Ordered by frame and face; timestamps are unknown, confidence and source those of a
        `points.csv` beside the files.

    Raises
    ------
    FormatError
        If there is no such folder, no such file inside, or one is broken.
    """
    numbers = {end: i for i, name in enumerate(pictures) for end in (name, PurePath(name).stem)}
    found, said = [], dict[Path, Said]()
    for face, place, files in _faces(folder):
        beside = read_sidecar(place)
        for file in files:
            frame, face_there = _whose(file, numbers) if pictures else (_numbered(file), face)
            found.append((frame, face_there, file))
            row = beside.get(file.stem, beside.get(frame))
            said |= {file: row} if row is not None else {}
    if not found:
        raise FormatError(folder, "holds no .pts files")
    found.sort()
    table = make_table(
        [frame for frame, _, _ in found],
        np.array([read_pts(file, origin=origin) for _, _, file in found]),
        face_id=[face for _, face, _ in found],
    )
    confidence, source = table.point_confidence.copy(), table.source.copy()
    for i, (_, _, file) in enumerate(found):
        if file in said:
            confidence[i], source[i] = said[file]
    return replace(table, point_confidence=confidence, source=source)


def _numbered(file: Path) -> int:
    """Read the frame's number, from 0, off a file's name."""
    if not _FRAME_FILE.fullmatch(file.name) or int(file.stem) < 1:
        raise FormatError(file, "is not named by the frame's number from 1, as 000001.pts")
    return int(file.stem) - 1


def _whose(file: Path, numbers: Mapping[str, int]) -> tuple[int, int]:
    """Find the picture, by its number, and the face that a file is named by."""
    if file.stem in numbers:
        return numbers[file.stem], 0
    match = _FACE_FILE.fullmatch(file.stem)
    if match is None or match[1] not in numbers:
        raise FormatError(file, "is named by none of the pictures")
    return numbers[match[1]], int(match[2]) - 1


def _faces(folder: str | os.PathLike[str]) -> list[tuple[int, Path, list[Path]]]:
    """List the faces of a folder: number, folder of their own, .pts files."""
    try:
        here = list(Path(folder).glob("*.pts"))
        if here:
            return [(0, Path(folder), here)]
        places = [f for f in Path(folder).iterdir() if _FACE_FOLDER.fullmatch(f.name)]
        return [(int(f.name.removeprefix("face_")), f, list(f.glob("*.pts"))) for f in places]
    except OSError as error:
        raise FormatError(folder, f"cannot be listed ({error.strerror})") from error
