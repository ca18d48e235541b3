"""What .pts files have no place for: confidence and source of each point, in a CSV beside them."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Final

import numpy as np

from facetrack.errors import FormatError
from facetrack.face import N_POINTS, Source
from facetrack.formats.columns import numbered
from facetrack.formats.table import TrackTable
from facetrack.formats.textfile import read_text

NAME: Final = "points.csv"
MAX_BYTES: Final = 1 << 30
_HEADER: Final = ("frame", *numbered("conf"), *numbered("source"))

Sidecar = dict[int, tuple[list[float], list[int]]]


def sidecar_text(table: TrackTable) -> str:
    """Lay out confidence and source of all points.

    Parameters
    ----------
    table : TrackTable
        Rows of one face.

    Returns
    -------
    str
        CSV: `frame` (from 1), `conf_0` to `conf_67`, `source_0` to `source_67`; see
        `columns.write_dictionary`.
    """
    lines = [",".join(_HEADER)]
    for i in range(len(table)):
        confidence = (f"{c:.3f}" for c in table.point_confidence[i].tolist())
        sources = map(str, table.source[i].tolist())
        lines.append(",".join([str(table.frame[i] + 1), *confidence, *sources]))
    return "\n".join(lines) + "\n"


def read_sidecar(folder: str | os.PathLike[str]) -> Sidecar:
    """Read the CSV beside the .pts files of one face.

    Parameters
    ----------
    folder : path-like

    Returns
    -------
    dict of int to (list of float, list of int)
        By frame, from 0: confidence and `face.Source` of the 68 points. Empty without such a file.

    Raises
    ------
    FormatError
        If the file is broken.
    """
    path = Path(folder) / NAME
    if not path.exists():
        return {}
    rows = csv.reader(read_text(path, limit=MAX_BYTES).splitlines())
    if tuple(next(rows, ())) != _HEADER:
        raise FormatError(path, "its columns are not frame, conf_0 ... and source_0 ...", line=1)
    found: Sidecar = {}
    for cells in rows:
        frame, confidence, sources = _row(path, rows.line_num, cells)
        found[frame] = confidence, sources
    return found


def _row(path: Path, line: int, cells: list[str]) -> tuple[int, list[float], list[int]]:
    try:
        frame, sources = int(cells[0]) - 1, [int(c) for c in cells[1 + N_POINTS :]]
        confidence = [float(c) for c in cells[1 : 1 + N_POINTS]]
    except (ValueError, IndexError) as error:
        raise FormatError(path, f"a cell is no number ({error})"[:100], line=line) from error
    values = np.array(confidence)
    if (
        len(cells) != len(_HEADER)
        or frame < 0
        or not set(sources) <= set(Source)
        or ((values < 0) | (values > 1)).any()
    ):
        raise FormatError(path, "a number out of range, or cells too many or too few", line=line)
    return frame, confidence, sources
