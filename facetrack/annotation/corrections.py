"""A folder of corrections: `000123.pts` for every corrected frame, counted from 1 as in 300-VW.

A point that the person marked as hidden is written with its place; one that the person marked as
absent is `nan`. Where each point comes from stands in `sources.csv` beside the files, which other
readers of .pts folders never look at.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError, OutputError
from facetrack.face import N_POINTS, Source, read_only_points
from facetrack.formats.atomic import output_error, write_text
from facetrack.formats.columns import numbered
from facetrack.formats.pts import read_pts, write_pts
from facetrack.formats.textfile import read_text

SOURCES: Final = "sources.csv"
MAX_BYTES: Final = 1 << 28
_FRAME_FILE: Final = re.compile(r"\d{1,12}\.pts", re.ASCII)


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person says of one face in one frame.

    Attributes
    ----------
    points : ndarray, shape (68, 2), float64, read-only
        Landmarks in pixels of the frame, pixel centres at integers from 0; NaN where absent.
    source : ndarray, shape (68,), uint8, read-only
        `Source` of each point: `CORRECTED` where the person vouches for it, `OCCLUDED` where it is
        hidden and guessed, `ABSENT`, or what it was before where the person did not look.
    """

    points: npt.NDArray[np.float64]
    source: npt.NDArray[np.uint8]

    def __post_init__(self) -> None:
        source = np.array(self.source, dtype=np.uint8).reshape(N_POINTS)
        source.setflags(write=False)
        object.__setattr__(self, "points", read_only_points(self.points))
        object.__setattr__(self, "source", source)

    @property
    def vouched(self) -> npt.NDArray[np.bool_]:
        """Which points the person vouches for, shape (68,)."""
        known = np.isfinite(self.points).all(axis=1)
        return np.asarray((self.source == Source.CORRECTED) & known)


def write_corrections(
    folder: str | os.PathLike[str], corrections: Mapping[int, Correction]
) -> None:
    """Write a folder of corrections.

    Parameters
    ----------
    folder : path-like
        The folder to make; one that holds corrections is replaced.
    corrections : mapping of int to Correction
        By the frame's number from 0; the files count from 1.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds other files.
    """
    target = Path(folder)
    temporary = target.with_name(f"{target.name}.tmp-{os.getpid()}")
    try:
        if target.exists() and not _is_ours(target):
            raise OutputError(f"{target}: holds other files; choose a new folder")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        for frame, correction in sorted(corrections.items()):
            write_pts(temporary / f"{frame + 1:06d}.pts", correction.points)
        write_text(temporary / SOURCES, _sources_text(corrections))
        shutil.rmtree(target, ignore_errors=True)
        temporary.replace(target)
    except OSError as error:
        raise error if isinstance(error, OutputError) else output_error(target, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def read_corrections(folder: str | os.PathLike[str], *, origin: int = 1) -> dict[int, Correction]:
    """Read a folder of corrections, or any folder of one .pts file a frame.

    Parameters
    ----------
    folder : path-like
        The folder.
    origin : int
        Coordinate of the first pixel's centre in the files.

    Returns
    -------
    dict of int to Correction
        By the frame's number from 0. Without `sources.csv` every known point counts as corrected.

    Raises
    ------
    FormatError
        If there is no such folder, no .pts file inside, or a file is broken.
    """
    try:
        files = sorted(Path(folder).glob("*.pts"))
    except OSError as error:
        raise FormatError(folder, f"cannot be listed ({error.strerror})") from error
    if not files:
        raise FormatError(folder, "holds no .pts files", remedy="name them 000001.pts and so on")
    sources = _read_sources(Path(folder) / SOURCES)
    corrections = {}
    for file in files:
        if not _FRAME_FILE.fullmatch(file.name) or int(file.stem) < 1:
            raise FormatError(file, "is not named by the frame's number from 1, as 000001.pts")
        frame = int(file.stem) - 1
        points = read_pts(file, origin=origin)
        known = np.isfinite(points).all(axis=1)
        default = np.where(known, Source.CORRECTED, Source.ABSENT).astype(np.uint8)
        corrections[frame] = Correction(points, sources.get(frame, default))
    return corrections


def _is_ours(folder: Path) -> bool:
    return folder.is_dir() and all(
        file.name == SOURCES or _FRAME_FILE.fullmatch(file.name) for file in folder.iterdir()
    )


def _sources_text(corrections: Mapping[int, Correction]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["frame", *numbered("source")])
    for frame, correction in sorted(corrections.items()):
        writer.writerow([frame + 1, *correction.source.tolist()])
    return text.getvalue()


def _read_sources(path: Path) -> dict[int, npt.NDArray[np.uint8]]:
    if not path.exists():
        return {}
    rows = list(csv.reader(io.StringIO(read_text(path, limit=MAX_BYTES))))
    if not rows or rows[0] != ["frame", *numbered("source")]:
        raise FormatError(path, "its header is another one", line=1, remedy="remove the file")
    known = {int(source) for source in Source}
    sources = {}
    for number, row in enumerate(rows[1:], start=2):
        cells = [int(cell) if cell.isascii() and cell.isdigit() else -1 for cell in row]
        if len(cells) != 1 + N_POINTS or cells[0] < 1 or not known.issuperset(cells[1:]):
            raise FormatError(path, "a frame's number and 68 sources are expected", line=number)
        sources[cells[0] - 1] = np.array(cells[1:], dtype=np.uint8)
    return sources
