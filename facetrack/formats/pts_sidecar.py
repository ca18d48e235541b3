"""What .pts files have no place for: confidence and source of each point, in a CSV beside them."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from facetrack.errors import FormatError
from facetrack.face import N_POINTS, Source
from facetrack.formats.columns import numbered
from facetrack.formats.table import TrackTable
from facetrack.formats.textfile import first_line, read_text

NAME: Final = "points.csv"
MAX_BYTES: Final = 1 << 30
_VALUES: Final = (*numbered("conf"), *numbered("source"))
_BY_FRAME, _BY_FILE = "frame", "file"

Said = tuple[list[float], list[int]]
Sidecar = dict[int | str, Said]


def sidecar_text(table: TrackTable, files: Sequence[str] = ()) -> str:
    """Lay out confidence and source of all points by frame, from 1, or by names of .pts files."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_BY_FILE if files else _BY_FRAME, *_VALUES])
    for i in range(len(table)):
        confidence = (f"{c:.3f}" for c in table.point_confidence[i].tolist())
        key = files[i] if files else table.frame[i] + 1
        writer.writerow([key, *confidence, *table.source[i].tolist()])
    return text.getvalue()


def is_of_pictures(folder: str | os.PathLike[str]) -> bool:
    """Return whether the CSV beside .pts files names them by pictures."""
    return first_line(Path(folder) / NAME).split(",")[0] == _BY_FILE


def read_sidecar(folder: str | os.PathLike[str]) -> Sidecar:
    """Read confidence and source of points beside .pts files, by frame, from 0, or name of file.

    Empty without such a file; raises FormatError if it is broken.
    """
    path = Path(folder) / NAME
    if not path.exists():
        return {}
    rows = csv.reader(read_text(path, limit=MAX_BYTES).splitlines())
    key, *values = next(rows, [""])
    if key not in (_BY_FRAME, _BY_FILE) or tuple(values) != _VALUES:
        raise FormatError(path, "its columns are not frame, conf_0 ... and source_0 ...", line=1)
    found: Sidecar = {}
    for cells in rows:
        name = cells.pop(0) if key == _BY_FILE and cells else ""
        frame, said = _row(path, rows.line_num, cells if key == _BY_FRAME else ["1", *cells])
        found[name or frame] = said
    return found


def _row(path: Path, line: int, cells: list[str]) -> tuple[int, Said]:
    try:
        frame, sources = int(cells[0]) - 1, [int(c) for c in cells[1 + N_POINTS :]]
        confidence = [float(c) for c in cells[1 : 1 + N_POINTS]]
    except (ValueError, IndexError) as error:
        raise FormatError(path, f"a cell is no number ({error})"[:100], line=line) from error
    values = np.array(confidence)
    if (
        len(cells) != 1 + len(_VALUES)
        or frame < 0
        or not set(sources) <= set(Source)
        or ((values < 0) | (values > 1)).any()
    ):
        raise FormatError(path, "a number out of range, or cells too many or too few", line=line)
    return frame, (confidence, sources)
