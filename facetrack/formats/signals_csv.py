"""`NAME.signals.csv`: one row for every frame and face, the values of all chosen signals."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import nan
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError
from facetrack.formats.columns import PERSON, REST, Column
from facetrack.formats.dialect import NO_TEXT, number, table_lines
from facetrack.formats.growing import GrowingFile
from facetrack.formats.table import NO_NAMES, Names
from facetrack.formats.textfile import quoted
from facetrack.reading import Reading, Row, Spec

KEYS: Final = ("frame", "timestamp", "face_id")
_MAX_BYTES: Final = 1 << 32
_SILENT: Final = Reading(nan)
_ENDS: Final = ("_low", "_high", "_reason", "_model")

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Series:
    """One signal over all rows of a table.

    Attributes
    ----------
    value, low, high : ndarray, shape (n,), float64
        NaN where nothing is said.
    reason : tuple of str, length n
        Why nothing is said.
    model : str
        See `Spec.model`.
    """

    value: Floats
    low: Floats
    high: Floats
    reason: tuple[str, ...]
    model: str = ""


@dataclass(frozen=True, slots=True)
class SignalTable:
    """Signals of a video, one row for every frame and face.

    Attributes
    ----------
    frame : ndarray, shape (n,), int64
        Index of the frame from 0; the file counts from 1.
    timestamp : ndarray, shape (n,), float64
        Seconds.
    face_id : ndarray, shape (n,), int64
        -1 in a frame without any face.
    signals : dict of str to Series
    people : mapping of int to str
        Names of persons by `face_id`, as far as they have any.
    """

    frame: Integers
    timestamp: Floats
    face_id: Integers
    signals: dict[str, Series] = field(default_factory=dict)
    people: Names = field(default_factory=lambda: NO_NAMES)

    def __len__(self) -> int:
        return len(self.frame)


class TableBuilder:
    """Lays rows out as arrays while they come: an hour of rows as objects would fill the memory.

    Parameters
    ----------
    names : iterable of str
        The signals to keep.
    people : mapping of int to str, optional
        See `SignalTable`.
    """

    def __init__(self, names: Iterable[str], people: Names = NO_NAMES) -> None:
        self._people = people
        self._keys: dict[str, array[Any]] = {
            "frame": array("q"), "timestamp": array("d"), "face_id": array("q")
        }  # fmt: skip
        self._numbers = {name: (array("d"), array("d"), array("d")) for name in names}
        self._reasons: dict[str, list[str]] = {name: [] for name in self._numbers}

    def add(self, rows: Iterable[Row]) -> None:
        """Take rows.

        Parameters
        ----------
        rows : iterable of Row
            In the order of frames.
        """
        for row in rows:
            for key, values in self._keys.items():
                values.append(getattr(row, key))
            for name, (value, low, high) in self._numbers.items():
                said = row.values.get(name, _SILENT)
                value.append(said.value)
                low.append(said.low)
                high.append(said.high)
                self._reasons[name].append(said.reason)

    def table(self) -> SignalTable:
        """Return what was taken.

        Returns
        -------
        SignalTable
        """
        series = {
            name: Series(_floats(v), _floats(low), _floats(high), tuple(self._reasons[name]))
            for name, (v, low, high) in self._numbers.items()
        }
        return SignalTable(
            np.array(self._keys["frame"], dtype=np.int64),
            _floats(self._keys["timestamp"]),
            np.array(self._keys["face_id"], dtype=np.int64),
            series,
            self._people,
        )


def _floats(values: array[float]) -> Floats:
    return np.array(values, dtype=np.float64)


def columns(
    specs: Sequence[Spec], people: Names = NO_NAMES, rests: Names = NO_NAMES
) -> list[Column]:
    """Describe the columns of a signals file.

    Parameters
    ----------
    specs : sequence of Spec
        Values, in the order of their columns.
    people : mapping of int to str, optional
        If there are any, the last column names them.
    rests : mapping of int to str, optional
        From what the values of a face are measured, in words, by `face_id`; a column of its own if
        there is any.

    Returns
    -------
    list of Column
    """
    always = "as always"
    found = [
        Column("frame", "%d", "1", "1 .. number of decoded frames", "video", always,
               "number of the decoded frame, the first is 1"),
        Column("timestamp", "%.6f", "s", "0 ..", "zero of the file's own time", always,
               "time of the frame as the file states it"),
        Column("face_id", "%d", "1", "-1 or 0 ..", "video", "the person who is lost",
               "the person, as in the tracks; -1: a frame without any face"),
    ]  # fmt: skip
    for spec in specs:
        low, high = spec.range
        span = f"{low:g} .. {high:g}"
        found.append(Column(spec.name, "%.6g", spec.unit, span, "face", "nan", spec.meaning))
        if spec.interval:
            found += [
                Column(spec.name + end, "%.6g", spec.unit, span, "face", "nan",
                       f"{word} end of the interval of {spec.name}")
                for end, word in (("_low", "lower"), ("_high", "upper"))
            ]  # fmt: skip
        found.append(
            Column(f"{spec.name}_reason", "%s", "text", "any", "none", "why the face is lost",
                   f"why {spec.name} is not assessable; empty where it is")
        )  # fmt: skip
        if spec.model:
            found.append(
                Column(f"{spec.name}_model", "%s", "text", "any", "none", "as always",
                       f"which model says {spec.name}, and what has to be said of it")
            )  # fmt: skip
    return [*found, *([REST] if rests else []), *([PERSON] if people else [])]


class SignalWriter(GrowingFile):
    """A signals file that grows row by row.

    Parameters
    ----------
    path : path-like
    specs : sequence of Spec
        Values, in the order of their columns.
    keep : int, optional
        See `GrowingFile`.
    people, rests : mapping of int to str, optional
        See `columns`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        specs: Sequence[Spec],
        *,
        keep: int | None = None,
        people: Names = NO_NAMES,
        rests: Names = NO_NAMES,
    ) -> None:
        self._specs, self._people, self._rests = tuple(specs), people, rests
        header = ",".join(column.name for column in columns(specs, people, rests)) + "\n"
        super().__init__(path, header, keep=keep)

    def write(self, rows: Iterable[Row]) -> None:
        """Add rows.

        Parameters
        ----------
        rows : iterable of Row
            In the order of frames.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        text = "".join(self._line(row) for row in rows)
        if text:
            self.put(text)

    def _line(self, row: Row) -> str:
        cells = [f"{row.frame + 1},{row.timestamp:.6f},{row.face_id}"]
        for spec in self._specs:
            said = row.values[spec.name]
            if spec.interval:
                cells.append(f"{said.value:.6g},{said.low:.6g},{said.high:.6g}")
            else:
                cells.append(f"{said.value:.6g}")
            cells.append(quoted(said.reason) if said.reason else "")
            if spec.model:
                cells.append(quoted(spec.model))
        if self._rests:
            cells.append(quoted(self._rests.get(row.face_id, "")))
        if self._people:
            cells.append(quoted(self._people.get(row.face_id, "")))
        return ",".join(cells) + "\n"


def read_signals(path: str | os.PathLike[str]) -> SignalTable:
    """Read a signals file, of this or another version.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    SignalTable
        With every signal that the file holds, also those that no estimator knows any more.

    Raises
    ------
    FormatError
        If it is no signals file, or a cell is wrong.
    """
    (header, *lines), separator = table_lines(path, limit=_MAX_BYTES)
    if tuple(header[:3]) != KEYS or len(set(header)) != len(header):
        raise FormatError(path, f"is no signals file: its columns do not begin with {KEYS}",
                          remedy="name the file that ends in .signals.csv")  # fmt: skip
    whole = (PERSON.name, REST.name)  # of the whole row
    texts = [n for n in header if n in whole or any(_is_part(n, e, header) for e in _ENDS)]
    names = [n for n in header[3:] if n not in texts]
    cells: list[list[str]] = []
    for place_of_line, line in enumerate(lines, start=2):
        if len(line) != len(header):
            cause = f"{len(line)} cells, {len(header)} expected"
            raise FormatError(path, cause, line=place_of_line)
        cells.append(line)
    place = {name: i for i, name in enumerate(header)}

    def numbers(name: str) -> Floats:
        if name not in place:
            return np.full(len(cells), nan)
        column = [line[place[name]] for line in cells]
        try:
            return np.array(column, dtype=np.float64)
        except ValueError:
            pass
        try:
            return np.array([number(cell, separator) for cell in column])
        except ValueError as error:
            cause = f"column {name!r:.40} holds what is no number: {error!s:.80}"
            raise FormatError(path, cause) from error

    frame, timestamp, face_id = (numbers(name) for name in KEYS)
    if not (np.isfinite(frame).all() and np.isfinite(face_id).all()):
        raise FormatError(path, "a frame or face has no number")
    signals = {
        name: Series(
            numbers(name), numbers(f"{name}_low"), numbers(f"{name}_high"),
            tuple(_text(line[place[f"{name}_reason"]]) if f"{name}_reason" in place else ""
                  for line in cells),
            next((_text(line[place[f"{name}_model"]]) for line in cells), "")
            if f"{name}_model" in place
            else "",
        )
        for name in names
    }  # fmt: skip
    faces, named = face_id.astype(np.int64), place.get(PERSON.name)
    said = [_text(line[named]) for line in cells] if named is not None else [""] * len(cells)
    people = {face: name for face, name in zip(faces.tolist(), said, strict=True) if name}
    return SignalTable(frame.astype(np.int64) - 1, timestamp, faces, signals, people)


def _text(cell: str) -> str:
    return "" if cell == NO_TEXT else cell


def _is_part(name: str, end: str, header: Sequence[str]) -> bool:
    """Return whether a column belongs to another one, as `pain_low` to `pain`."""
    return name.endswith(end) and name.removesuffix(end) in header
