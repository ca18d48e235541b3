"""OpenFace's CSV: read from OpenFace and from us, written row by row while a video is tracked."""

from __future__ import annotations

import csv
import os
import warnings
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, compress
from typing import Any, Final, TextIO

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError
from facetrack.face import N_POINTS, Source
from facetrack.formats.columns import POSE, numbered, write_dictionary
from facetrack.formats.dialect import NO_TEXT, number, open_table, separator_of
from facetrack.formats.openface_writer import (
    OpenFaceWriter,
    labels,
    truncate_to_frame,
    write_openface,
)
from facetrack.formats.table import TrackTable

__all__ = [
    "OpenFaceWriter",
    "labels",
    "read_openface",
    "truncate_to_frame",
    "write_dictionary",
    "write_openface",
]

MAX_LINE: Final = 1 << 20
MAX_COLUMNS: Final = 10_000
_TEXTS: Final = ("reason", "person", "picture")
_PY_FEAT: Final = "FaceScore"  # a column that py-feat alone writes, whose frames count from 0
_SINGLE_IMAGE_ID: Final = "face"  # FaceLandmarkImg numbers the faces of its one picture


def read_openface(path: str | os.PathLike[str]) -> TrackTable:
    """Read a CSV file that OpenFace or we wrote.

    Parameters
    ----------
    path : path-like
        The file: with or without blanks after the commas and a byte order mark; of versions
        without `face_id`; with any groups of columns switched off but the landmarks; of single
        pictures, which have neither frame nor timestamp. Also of py-feat, and what R, pandas or a
        spreadsheet saved again: semicolons, tabs, decimal commas, UTF-16, their spellings of NaN.

    Returns
    -------
    TrackTable
        Frames from 0 (the file counts from 1, that of py-feat from 0). Rows with `success` 0, or
        without it and without any point, have NaN instead of the zeros that OpenFace writes.
        Without raw points these are the points. Rows that cannot be read are left out.

    Raises
    ------
    FormatError
        If the file is missing, has no landmarks, or no row of it can be read.

    Warns
    -----
    UserWarning
        If the last line is cut short, as an interrupted run leaves it, and dropped; or if rows are
        left out: how many, the first of them, and why.

    Notes
    -----
    OpenFace writes one decimal in x and y, an error of up to 0.05 px.
    """
    try:
        with open_table(path) as stream:
            rows = _Rows(path, stream)
            for cells in rows:
                rows.take(cells)
    except FileNotFoundError as error:
        raise FormatError(path, "no such file") from error
    except OSError as error:
        raise FormatError(path, f"cannot be read ({error.strerror})") from error
    except csv.Error as error:
        raise FormatError(path, f"no CSV file ({error})") from error
    except ValueError as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(path, f"cannot be read ({error})") from error  # a path with a NUL
    return rows.table()


class _Rows:
    """The rows of one file on their way into columns."""

    def __init__(self, path: str | os.PathLike[str], stream: TextIO) -> None:
        self._path = path
        self._ended = True  # whether the last line had a line end
        lines = self._lines(stream)
        first = next(lines, "")
        if first.lower().startswith("sep="):  # Excel's own word on the separator
            first = next(lines, "")
        self._separator = separator_of(first)
        self._reader = csv.reader(
            chain([first], lines), delimiter=self._separator, skipinitialspace=True
        )
        header = [name.strip() for name in next(self._reader, [])]
        if header and not self._ended:
            raise FormatError(path, "the first line is cut short, so there are no rows", line=1)
        self._n_cells = len(header)
        self._groups = _find_columns(path, header)
        self._numeric = [i for group in self._groups.values() for i in group]
        self._texts = {name: header.index(name) for name in _TEXTS if name in header}
        self._values = array("d")
        self._lines_of_rows = array("q")
        self._words: dict[str, list[str]] = {name: [] for name in _TEXTS}
        self._last_cell = ""
        self._broken: list[FormatError] = []
        self._notes: list[str] = []
        self._counts_from = 0 if _PY_FEAT in header else 1

    def _lines(self, stream: TextIO) -> Iterator[str]:
        while line := stream.readline(MAX_LINE):
            self._ended = line.endswith(("\n", "\r"))
            if not self._ended and len(line) == MAX_LINE:
                raise FormatError(self._path, f"a line of more than {MAX_LINE} characters")
            yield line

    def __iter__(self) -> Iterator[list[str]]:
        return self._reader

    def take(self, cells: list[str]) -> None:
        """Store one row; drop a last one that is cut short."""
        if not any(cells):
            return
        try:
            row = self._parse(cells)
        except FormatError as error:
            if self._ended:
                self._broken.append(error)
                return
            row = None
        if row is None or (not self._ended and self._shorter_than_before(cells[-1])):
            self._warn("the last line is cut short and was dropped")
            return
        self._values.extend(row)
        self._lines_of_rows.append(self._reader.line_num)
        for name, column in self._words.items():
            text = cells[self._texts[name]].strip() if name in self._texts else ""
            column.append("" if text == NO_TEXT else text)
        self._last_cell = cells[-1]

    def _parse(self, cells: list[str]) -> list[float]:
        """Read the numbers of one row."""
        cause = f"{len(cells)} cells, the header has {self._n_cells}"
        if len(cells) == self._n_cells:
            try:
                return [float(cells[i]) for i in self._numeric]
            except ValueError:
                pass
            try:
                return [number(cells[i], self._separator) for i in self._numeric]
            except ValueError as error:
                cause = f"a cell is no number ({error})"[:100]
        raise FormatError(self._path, cause, line=self._reader.line_num)

    def _shorter_than_before(self, cell: str) -> bool:
        """Whether a number has fewer decimals than that of the row before, so that it was cut."""
        return len(cell.partition(".")[2]) < len(self._last_cell.partition(".")[2])

    def table(self) -> TrackTable:
        """Give all rows that can be read as a table."""
        n = len(self._words["reason"])
        values = np.frombuffer(self._values, dtype=np.float64).reshape(n, len(self._numeric))
        good = self._in_range(values)
        if self._broken:
            first = min(self._broken, key=lambda error: error.line or 0)
            if not good.any():
                raise first
            what = f"{len(self._broken)} rows are left out, the first in line {first.line}"
            self._warn(f"{what}: {first.cause}")
        ends = np.cumsum([len(group) for group in self._groups.values()])
        split = np.split(values[good], ends[:-1], axis=1)
        columns = dict(zip(self._groups, split, strict=True))
        words = {name: list(compress(column, good)) for name, column in self._words.items()}
        table = _to_table(columns, int(good.sum()), tuple(words["reason"]), self._counts_from)
        people = zip(table.face_id.tolist(), words["person"], strict=True)
        pictures = zip(table.frame.tolist(), words["picture"], strict=True)
        return replace(
            table,
            people={face: name for face, name in people if name},
            pictures={frame: name for frame, name in pictures if name},
            notes=tuple(self._notes),
        )

    def _warn(self, text: str) -> None:
        self._notes.append(f"{self._path}: {text}")
        warnings.warn(self._notes[-1], stacklevel=4)

    def _in_range(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Mark the rows without infinite numbers, with whole frames and faces in range."""
        wrong: npt.NDArray[np.bool_] = np.asarray(np.isinf(values).any(axis=1))
        position = 0
        for name, group in self._groups.items():
            if name in ("frame", "face_id"):
                column = values[:, position]
                if name == "frame" and self._counts_from and (column == 0).any():
                    line = self._lines_of_rows[int(np.argmax(column == 0))]
                    cause = "frames count from 0, those of OpenFace count from 1"
                    remedy = "add 1 to the column frame"
                    raise FormatError(self._path, cause, remedy=remedy, line=line)
                lowest = self._counts_from if name == "frame" else -1
                wrong |= ~((column == np.rint(column)) & (column >= lowest) & (column < 2**53))
            elif name == "source":
                block = values[:, position : position + len(group)]
                wrong |= ~np.isin(block, list(Source)).all(axis=1)
            position += len(group)
        cause = (
            f"a number out of range (frames count from {self._counts_from}, faces from 0, none is "
            "infinite)"
        )
        lines = compress(self._lines_of_rows, wrong)
        self._broken += [FormatError(self._path, cause, line=line) for line in lines]
        return ~wrong


def _find_columns(path: str | os.PathLike[str], header: Sequence[str]) -> dict[str, list[int]]:
    """Find the columns that we read, by group."""
    if len(header) > MAX_COLUMNS:
        raise FormatError(path, f"{len(header)} columns, at most {MAX_COLUMNS} are expected")
    positions = {name: i for i, name in enumerate(header)}
    if f"x_{N_POINTS}" in positions:
        count = sum(name.startswith("x_") and name[2:].isdecimal() for name in header)
        cause = f"{count} points a face (x_0 to x_{count - 1}), another mark-up than the 68 points"
        raise FormatError(path, cause, remedy="have it written with 68 landmarks", line=1)
    groups = {name: [name] for name in ("frame", "timestamp", "confidence", "success")}
    if _PY_FEAT in positions:
        groups["confidence"] = [_PY_FEAT]
    groups["face_id"] = ["face_id" if "face_id" in positions else _SINGLE_IMAGE_ID]
    groups["pose"] = list(POSE)
    for name in ("x", "y", "raw_x", "raw_y", "conf", "source"):
        groups[name] = list(numbered(name))
    found = {}
    for group, names in groups.items():
        present = [name for name in names if name in positions]
        if present and len(present) < len(names):
            missing = next(name for name in names if name not in positions)
            raise FormatError(path, f"column {missing} is missing", line=1)
        if any(header.count(name) > 1 for name in present[:1]):
            raise FormatError(path, f"column {present[0]} occurs twice", line=1)
        if present:
            found[group] = [positions[name] for name in present]
    for group in ("x", "y"):
        if group not in found:
            cause = f"no columns {group}_0 to {group}_67, so no OpenFace CSV with landmarks"
            raise FormatError(path, cause, remedy="OpenFace writes them with -2Dfp", line=1)
    return found


def _to_table(
    columns: dict[str, Any], n: int, reasons: tuple[str, ...], counts_from: int
) -> TrackTable:
    def one(name: str, default: float) -> npt.NDArray[np.float64]:
        return columns[name][:, 0] if name in columns else np.full(n, default)

    points = np.stack([columns["x"], columns["y"]], axis=-1)
    there = np.isfinite(points).any(axis=(1, 2)).astype(np.float64)
    success = np.nan_to_num(columns["success"][:, 0] if "success" in columns else there) != 0
    raw_points = points
    if "raw_x" in columns and "raw_y" in columns:
        raw_points = np.stack([columns["raw_x"], columns["raw_y"]], axis=-1)
    frames = one("frame", counts_from).astype(np.int64) - counts_from
    pose = columns.get("pose", np.full((n, 6), np.nan))
    seen = success[:, None]
    implied = np.where(seen, Source.TRACKED, Source.ABSENT) + np.zeros(N_POINTS)
    return TrackTable(
        frame=frames,
        face_id=(
            columns["face_id"][:, 0].astype(np.int64) if "face_id" in columns else _counted(frames)
        ),
        timestamp=one("timestamp", np.nan),
        success=success,
        confidence=one("confidence", np.nan),
        points=np.where(seen[..., None], points, np.nan),
        raw_points=np.where(seen[..., None], raw_points, np.nan),
        pose=np.where(seen, pose, np.nan),
        point_confidence=columns.get("conf", np.full((n, N_POINTS), np.nan)),
        source=columns.get("source", implied).astype(np.uint8),
        reason=reasons,
    )


def _counted(frames: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Count the faces of each frame in the order of their rows."""
    seen: dict[int, int] = {}
    faces = []
    for frame in frames.tolist():
        faces.append(seen.get(frame, 0))
        seen[frame] = faces[-1] + 1
    return np.array(faces, dtype=np.int64)
