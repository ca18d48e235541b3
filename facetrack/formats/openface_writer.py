"""Writing OpenFace's CSV row by row, so that a killed run leaves whole rows."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from facetrack.errors import FormatError
from facetrack.face import N_POINTS, Face, Source, State
from facetrack.formats.atomic import atomic_path, output_error
from facetrack.formats.columns import COLUMNS, NAMES, PERSON, PICTURE, Column
from facetrack.formats.growing import GrowingFile
from facetrack.formats.table import NO_FACE, TrackTable, pose_values
from facetrack.formats.textfile import quoted

HEADER: Final = ",".join(NAMES) + "\n"
_CELLS: Final = ",".join(column.pattern for column in COLUMNS)
_ROW: Final = _CELLS + "\n"


def _pattern(first: str, last: str) -> str:
    """Join the patterns of a range of columns."""
    part = COLUMNS[NAMES.index(first) : NAMES.index(last) + 1]
    return ",".join(column.pattern for column in part)


# The same row in parts, of which most frames need to format only the first two.
_HEAD: Final = _pattern("frame", "pose_Rz")
_POINTS: Final = _pattern("x_0", f"y_{N_POINTS - 1}")
_STATES: Final = _pattern("state", "reason")
_RAW_POINTS: Final = _pattern("raw_x_0", f"raw_y_{N_POINTS - 1}")
_CONFIDENCES: Final = _pattern("conf_0", f"conf_{N_POINTS - 1}")
_SOURCES: Final = _pattern("source_0", f"source_{N_POINTS - 1}")
_NO_FACE_STATE: Final = "none"
_NAN_PAIRS: Final = np.full((N_POINTS, 2), np.nan)
_ALL_NAN: Final = (np.nan,) * N_POINTS


class OpenFaceWriter(GrowingFile):
    """A CSV file that grows by the rows of one frame.

    Parameters
    ----------
    path : path-like
        The file, made anew.
    append : bool
        Whether rows are added to an existing file, as `truncate_to_frame` leaves it.
    pictures : bool
        Whether a last column, `picture`, names the file of each frame.

    Raises
    ------
    OutputError
        If the file cannot be opened; from all methods, if it cannot be written.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, append: bool = False, pictures: bool = False
    ) -> None:
        self._pictures = pictures
        keep = os.path.getsize(path) if append else None
        super().__init__(path, header((PICTURE,) if pictures else ()), keep=keep)

    def write(
        self, frame_index: int, timestamp: float, faces: Sequence[Face], picture: str = ""
    ) -> None:
        """Write the rows of one frame; a frame without faces gets one, too.

        Parameters
        ----------
        frame_index : int
            Number of the decoded frame from 0; the file counts from 1.
        timestamp : float
            Seconds from the start of the video.
        faces : sequence of Face
            The faces of this frame, those lost included.
        picture : str
            The file's name, where the file was begun with `pictures`.
        """
        if faces:
            rows = [_face_row(frame_index, timestamp, face) for face in faces]
        else:
            rows = [_EMPTY_ROW % (frame_index + 1, timestamp)]
        if self._pictures:
            rows = [f"{row[:-1]},{quoted(picture)}\n" for row in rows]
        self.put("".join(rows))


def write_openface(path: str | os.PathLike[str], table: TrackTable) -> None:
    """Write a whole table, or nothing.

    Parameters
    ----------
    path : path-like
        The file to write; an old one is replaced.
    table : TrackTable
        The rows. Where people or pictures have names, these stand in last columns, `person` and
        `picture`.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    columns = labels(table)
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.write(header(columns))
        for i in range(len(table)):
            names = {
                PERSON: table.people.get(int(table.face_id[i]), ""),
                PICTURE: table.pictures.get(int(table.frame[i]), ""),
            }
            state = State.TRACKED if table.success[i] else State.LOST
            file.write(
                _CELLS
                % (
                    table.frame[i] + 1, table.face_id[i], table.timestamp[i], table.confidence[i],
                    table.success[i], *table.pose[i].tolist(), *table.points[i].T.ravel().tolist(),
                    _NO_FACE_STATE if table.face_id[i] == NO_FACE else state,
                    quoted(table.reason[i]), *table.raw_points[i].T.ravel().tolist(),
                    *table.point_confidence[i].tolist(), *table.source[i].tolist(),
                )
                + "".join(f",{quoted(names[column])}" for column in columns) + "\n"
            )  # fmt: skip


def labels(table: TrackTable) -> tuple[Column, ...]:
    """Choose the columns that a table has besides those of every file."""
    return ((PERSON,) if table.people else ()) + ((PICTURE,) if table.pictures else ())


def header(columns: Sequence[Column] = ()) -> str:
    """Return the first line of a file with further columns."""
    return ",".join((*NAMES, *(column.name for column in columns))) + "\n"


def truncate_to_frame(path: str | os.PathLike[str], n_frames: int) -> int:
    """Cut a CSV file of ours after the rows of its first frames, so that a run can continue there.

    Parameters
    ----------
    path : path-like
        A file that `OpenFaceWriter` wrote, possibly with a last line cut short.
    n_frames : int
        Number of frames to keep; what is kept stays byte by byte.

    Returns
    -------
    int
        Number of rows kept.

    Raises
    ------
    FormatError
        If the file is missing, not ours, or holds fewer frames; it is then untouched.
    OutputError
        If the file cannot be changed.
    """
    try:
        with Path(path).open("rb+") as file:
            n_rows, end = _rows_to_keep(path, file, n_frames)
            file.truncate(end)
            os.fsync(file.fileno())
    except FileNotFoundError as error:
        raise FormatError(path, "no such file") from error
    except OSError as error:
        raise output_error(path, error) from error
    return n_rows


def _rows_to_keep(path: str | os.PathLike[str], file: BinaryIO, n_frames: int) -> tuple[int, int]:
    """Count the rows of the first frames and find the byte where they end."""
    if file.readline(2 * len(HEADER)).decode("utf-8", "replace") not in _HEADERS:
        raise FormatError(path, "not a CSV file of this version, so no run can continue from it")
    n_rows, last, end = 0, 0, file.tell()
    for number, line in enumerate(file, start=2):
        cell = line.partition(b",")[0]
        if not line.endswith(b"\n"):
            break
        if not cell.isdigit() or len(cell) > 15:
            raise FormatError(path, f"{cell!r:.40} is no frame number", line=number)
        if int(cell) > n_frames:
            break
        last, n_rows, end = int(cell), n_rows + 1, end + len(line)
    if last < n_frames:
        raise FormatError(path, f"{last} frames are complete, {n_frames} expected")
    return n_rows, end


def _face_row(frame_index: int, timestamp: float, face: Face) -> str:
    head = _HEAD % (
        frame_index + 1, face.id, timestamp, face.quality, face.tracked, *pose_values(face)
    )  # fmt: skip
    points = _POINTS % tuple(face.points.T.ravel().tolist())
    raw = points  # without smoothing they are one array, and numbers are dear to format
    if face.raw_points is not face.points:
        raw = _RAW_POINTS % tuple(face.raw_points.T.ravel().tolist())
    state = _STATES % (face.state, quoted(face.reason))
    confidence = _confidences(face.confidence.astype(np.float64, copy=False).tobytes())
    source = _sources(face.source.astype(np.uint8, copy=False).tobytes())
    return ",".join((head, points, state, raw, confidence, source)) + "\n"


# Lost faces, and most tracked ones, say the same of all their points.
@lru_cache(maxsize=4)
def _confidences(values: bytes) -> str:
    return _CONFIDENCES % tuple(np.frombuffer(values, np.float64).tolist())


@lru_cache(maxsize=4)
def _sources(values: bytes) -> str:
    return _SOURCES % tuple(np.frombuffer(values, np.uint8).tolist())


def _empty_row() -> str:
    """Give the row of a frame without a face; its number and time are to be filled in."""
    nans = _NAN_PAIRS.ravel().tolist()
    row = _ROW % (
        0, NO_FACE, 0.0, 0.0, 0, *(np.nan,) * 6, *nans, _NO_FACE_STATE, "",
        *nans, *_ALL_NAN, *(Source.ABSENT,) * N_POINTS,
    )  # fmt: skip
    return f"%d,{NO_FACE},%.6f," + row.split(",", 3)[3]


_EMPTY_ROW: Final = _empty_row()
_HEADERS: Final = (HEADER, header((PICTURE,)))
