"""OpenFace's CSV: read from OpenFace and from us, written row by row while a video is tracked."""

from __future__ import annotations

import csv
import os
import warnings
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TextIO

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError
from facetrack.face import N_POINTS, Source
from facetrack.formats.columns import POSE, numbered, write_dictionary
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
_SINGLE_IMAGE_ID: Final = "face"  # FaceLandmarkImg numbers the faces of its one picture


def read_openface(path: str | os.PathLike[str]) -> TrackTable:
    """Read a CSV file that OpenFace or we wrote.

    Parameters
    ----------
    path : path-like
        The file: with or without blanks after the commas and a byte order mark; of versions
        without `face_id`; with any groups of columns switched off but the landmarks; of single
        pictures, which have neither frame nor timestamp.

    Returns
    -------
    TrackTable
        Frames from 0 (the file counts from 1). Rows with `success` 0 have NaN instead of the zeros
        that OpenFace writes. Without raw points these are the points.

    Raises
    ------
    FormatError
        If the file is missing or broken, or has no landmarks.

    Warns
    -----
    UserWarning
        If the last line is cut short, as an interrupted run leaves it; it is dropped.

    Notes
    -----
    OpenFace writes one decimal in x and y, an error of up to 0.05 px.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", errors="replace", newline="") as stream:
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
        self._reader = csv.reader(self._lines(stream), skipinitialspace=True)
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
        except FormatError:
            if self._ended:
                raise
            row = None
        if row is None or (not self._ended and self._shorter_than_before(cells[-1])):
            warnings.warn(f"{self._path}: the last line is cut short and was dropped", stacklevel=3)
            return
        self._values.extend(row)
        self._lines_of_rows.append(self._reader.line_num)
        for name, column in self._words.items():
            column.append(cells[self._texts[name]].strip() if name in self._texts else "")
        self._last_cell = cells[-1]

    def _parse(self, cells: list[str]) -> list[float]:
        """Read the numbers of one row."""
        cause = f"{len(cells)} cells, the header has {self._n_cells}"
        if len(cells) == self._n_cells:
            try:
                return [float(cells[i]) for i in self._numeric]
            except ValueError as error:
                cause = f"a cell is no number ({error})"[:100]
        raise FormatError(self._path, cause, line=self._reader.line_num)

    def _shorter_than_before(self, cell: str) -> bool:
        """Whether a number has fewer decimals than that of the row before, so that it was cut."""
        return len(cell.partition(".")[2]) < len(self._last_cell.partition(".")[2])

    def table(self) -> TrackTable:
        """Give all rows as a table."""
        n = len(self._words["reason"])
        values = np.frombuffer(self._values, dtype=np.float64).reshape(n, len(self._numeric))
        self._check(values)
        ends = np.cumsum([len(group) for group in self._groups.values()])
        split = np.split(values, ends[:-1], axis=1)
        columns = dict(zip(self._groups, split, strict=True))
        table = _to_table(columns, n, tuple(self._words["reason"]))
        people = zip(table.face_id.tolist(), self._words["person"], strict=True)
        pictures = zip(table.frame.tolist(), self._words["picture"], strict=True)
        return replace(
            table,
            people={face: name for face, name in people if name},
            pictures={frame: name for frame, name in pictures if name},
        )

    def _check(self, values: npt.NDArray[np.float64]) -> None:
        """Refuse infinite numbers, and frames and faces that are no whole numbers in range."""
        wrong = np.isinf(values).any(axis=1)
        position = 0
        for name, group in self._groups.items():
            if name in ("frame", "face_id"):
                column = values[:, position]
                lowest = 1 if name == "frame" else -1
                wrong |= ~((column == np.rint(column)) & (column >= lowest) & (column < 2**53))
            elif name == "source":
                block = values[:, position : position + len(group)]
                wrong |= ~np.isin(block, list(Source)).all(axis=1)
            position += len(group)
        if wrong.any():
            line = self._lines_of_rows[int(np.argmax(wrong))]
            cause = "a number out of range (frames count from 1, faces from 0, none is infinite)"
            raise FormatError(self._path, cause, line=line)


def _find_columns(path: str | os.PathLike[str], header: Sequence[str]) -> dict[str, list[int]]:
    """Find the columns that we read, by group."""
    if len(header) > MAX_COLUMNS:
        raise FormatError(path, f"{len(header)} columns, at most {MAX_COLUMNS} are expected")
    positions = {name: i for i, name in enumerate(header)}
    groups = {name: [name] for name in ("frame", "timestamp", "confidence", "success")}
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


def _to_table(columns: dict[str, Any], n: int, reasons: tuple[str, ...]) -> TrackTable:
    def one(name: str, default: float) -> npt.NDArray[np.float64]:
        return columns[name][:, 0] if name in columns else np.full(n, default)

    success = np.nan_to_num(one("success", 1.0)) != 0
    points = np.stack([columns["x"], columns["y"]], axis=-1)
    raw_points = points
    if "raw_x" in columns and "raw_y" in columns:
        raw_points = np.stack([columns["raw_x"], columns["raw_y"]], axis=-1)
    pose = columns.get("pose", np.full((n, 6), np.nan))
    seen = success[:, None]
    implied = np.where(seen, Source.TRACKED, Source.ABSENT) + np.zeros(N_POINTS)
    return TrackTable(
        frame=one("frame", 1.0).astype(np.int64) - 1,
        face_id=one("face_id", 0.0).astype(np.int64),
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
