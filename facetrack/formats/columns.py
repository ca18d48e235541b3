"""The columns of our CSV files: OpenFace's names first, ours after; and what each one means."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

from facetrack.face import N_POINTS
from facetrack.formats.atomic import write_text
from facetrack.landmarks.markup import REGIONS

_NO_TABLES: Final[Mapping[str, Sequence[Column]]] = MappingProxyType({})
POSE: Final = ("pose_Tx", "pose_Ty", "pose_Tz", "pose_Rx", "pose_Ry", "pose_Rz")


def numbered(prefix: str) -> tuple[str, ...]:
    """Give the names of a group of columns with one for every point, as `x_0` to `x_67`."""
    return tuple(f"{prefix}_{i}" for i in range(N_POINTS))


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the CSV, as the data dictionary describes it."""

    name: str
    pattern: str  # how a value is written, for the % operator
    unit: str
    range: str
    reference: str  # frame of reference
    lost: str  # the value while the face is lost or absent
    meaning: str


_PIXELS = "frame after rotation for display, x right, y down, centre of the top-left pixel (0, 0)"
_CAMERA = "camera, x right, y down, z away from the camera"
_AXES = "camera's axes, R = Rx Ry Rz"


def _point_columns(
    prefix: str, pattern: str, unit: str, span: str, reference: str, lost: str, meaning: str
) -> list[Column]:
    region = {i: name.replace("_", " ") for name, points in REGIONS.items() for i in points}
    return [
        Column(name, pattern, unit, span, reference, lost, meaning.format(i=i, region=region[i]))
        for i, name in enumerate(numbered(prefix))
    ]


COLUMNS: Final[tuple[Column, ...]] = (
    Column("frame", "%d", "1", "1 .. number of decoded frames", "video", "as always",
           "number of the decoded frame, the first is 1"),
    Column("face_id", "%d", "1", "-1 or 0 ..", "video", "the person who is lost",
           "the person, the same for the whole video; -1: the row of a frame without any face"),
    Column("timestamp", "%.6f", "s", "0 ..", "zero of the file's own time", "as always",
           "time of the frame as the file states it; its sound counts from the same zero, and the "
           "first frame may come later"),
    Column("confidence", "%.4f", "1", "0 .. 1", "none", "0",
           "probability of a well-fitted face"),
    Column("success", "%d", "1", "0 or 1", "none", "0", "1 if the face is tracked"),
    *(Column(f"pose_T{a}", "%.2f", "mm", "any", _CAMERA, "nan",
             f"position of the head's origin along {a}") for a in "xyz"),
    Column("pose_Rx", "%.5f", "rad", "-pi .. pi", _AXES, "nan",
           "pitch of the head, negative when it looks up"),
    Column("pose_Ry", "%.5f", "rad", "-pi .. pi", _AXES, "nan",
           "yaw of the head, positive for a turn to the person's right"),
    Column("pose_Rz", "%.5f", "rad", "-pi .. pi", _AXES, "nan", "roll of the head"),
    *_point_columns("x", "%.3f", "px", "any, outside of the frame too", _PIXELS, "nan",
                    "x of point {i} ({region}), smoothed if smoothing is on"),
    *_point_columns("y", "%.3f", "px", "any, outside of the frame too", _PIXELS, "nan",
                    "y of point {i} ({region}), smoothed if smoothing is on"),
    Column("state", "%s", "text", "tracked, lost, none", "none", "lost or none",
           "tracked; lost: was there before; none: the row of a frame without any face"),
    Column("reason", "%s", "text", "any", "none", "why the face is lost",
           "empty while the face is tracked"),
    *_point_columns("raw_x", "%.3f", "px", "any, outside of the frame too", _PIXELS, "nan",
                    "x of point {i} ({region}) before smoothing"),
    *_point_columns("raw_y", "%.3f", "px", "any, outside of the frame too", _PIXELS, "nan",
                    "y of point {i} ({region}) before smoothing"),
    *_point_columns("conf", "%.3f", "1", "0 .. 1", "none", "nan",
                    "calibrated probability that point {i} ({region}), before smoothing, is within "
                    "5 % of the outer-eye distance; nan where nothing is said"),
    *_point_columns("source", "%d", "1", "0 .. 5", "none", "0 or as before",
                    "where point {i} ({region}) comes from: 0 absent, 1 tracked, 2 learned, "
                    "3 corrected, 4 interpolated, 5 occluded (placed though hidden)"),
)  # fmt: skip

NAMES: Final = tuple(column.name for column in COLUMNS)
PERSON: Final = Column(
    "person", "%s", "text", "any", "none", "as always",
    "the person's name, as a person gave it; the column is there only where people have names",
)  # fmt: skip
REST: Final = Column(
    "rest", "%s", "text", "any", "none", "as always",
    "the person's face at rest, from which values are measured that can be; the column is there "
    "only where faces have a rest",
)  # fmt: skip
PICTURE: Final = Column(
    "picture", "%s", "text", "any", "none", "as always",
    "name of the picture's file; the column is there only for pictures",
)  # fmt: skip


def write_dictionary(
    path: str | os.PathLike[str],
    tables: Mapping[str, Sequence[Column]] = _NO_TABLES,
    labels: Sequence[Column] = (),
) -> None:
    """Write the data dictionary that lies beside a CSV file.

    Parameters
    ----------
    path : path-like
        The file to write: a CSV with one row for every column of the data.
    tables : mapping of str to sequence of Column, optional
        The columns of further tables that lie there, by the end of their names, such as "signals".
    labels : sequence of Column
        The columns that the tracks have besides those of every file, such as `PERSON`.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    write_text(path, _dictionary() + _described({"tracks": labels, **tables}))


@cache
def _dictionary() -> str:
    """Lay the dictionary of the tracks out once: short clips would wait for it."""
    header = "column,unit,range,frame of reference,when lost,meaning,table\n"
    return header + _described({"tracks": COLUMNS})


def _described(tables: Mapping[str, Sequence[Column]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for name, columns in tables.items():
        for c in columns:
            writer.writerow([c.name, c.unit, c.range, c.reference, c.lost, c.meaning, name])
    return text.getvalue()
