"""A folder of corrections: `000123.pts` for every corrected frame, counted from 1 as in 300-VW.

A point that the person marked as hidden is written with its place; one that the person marked as
absent is `nan`. Where each point comes from stands in `points.csv` beside the files, as in every
folder of .pts that we write.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.face import N_POINTS, Source, read_only_points
from facetrack.formats.atomic import atomic_folder, write_text
from facetrack.formats.pts import read_pts_folder, write_pts, write_pts_folder
from facetrack.formats.pts_sidecar import NAME as SIDECAR
from facetrack.formats.pts_sidecar import read_sidecar, sidecar_text
from facetrack.formats.table import TrackTable, make_table

_FRAME_FILE: Final = re.compile(r"\d{1,12}\.pts", re.ASCII)


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person says of one face in one frame; read-only arrays."""

    points: npt.NDArray[np.float64]  # (68, 2) pixels from 0, centres at integers; NaN where absent
    source: npt.NDArray[np.uint8]  # `CORRECTED`, `OCCLUDED`, `ABSENT`; others: not looked at

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

    def moved(
        self, move: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]
    ) -> Correction:
        """Say the same of a picture whose pixels lie elsewhere; `move` takes points there."""
        return replace(self, points=move(self.points))


def write_corrections(
    folder: str | os.PathLike[str],
    corrections: Mapping[int, Correction],
    pictures: Sequence[str] = (),
) -> None:
    """Write a folder of corrections by frame from 0, files from 1, in place of older ones."""
    # `pictures` name the files, as `write_pts_folder` does.
    if pictures:
        table = replace(table_of(corrections), pictures=dict(enumerate(pictures)))
        write_pts_folder(folder, table)
        return
    with atomic_folder(folder, _is_ours) as temporary:
        for frame, correction in sorted(corrections.items()):
            write_pts(temporary / f"{frame + 1:06d}.pts", correction.points)
        write_text(temporary / SIDECAR, sidecar_text(table_of(corrections)))


def table_of(corrections: Mapping[int, Correction]) -> TrackTable:
    """Put corrections into a table."""
    frames = sorted(corrections)
    table = make_table(frames, np.array([corrections[f].points for f in frames]))
    sources = np.array([corrections[f].source for f in frames], dtype=np.uint8)
    return replace(table, source=sources.reshape(len(frames), N_POINTS))


def read_corrections(folder: str | os.PathLike[str], *, origin: int = 1) -> dict[int, Correction]:
    """Read a folder of one .pts file a frame, by frame from 0."""
    # Frames of which no `points.csv` speaks count as corrected. `origin`: the first pixel's centre.
    table = read_pts_folder(folder, origin=origin)
    said = read_sidecar(folder)
    corrections = {}
    for i, frame in enumerate(table.frame.tolist()):
        known = np.isfinite(table.points[i]).all(axis=1)
        vouched = np.where(known, Source.CORRECTED, Source.ABSENT).astype(np.uint8)
        source = table.source[i] if frame in said else vouched
        corrections[frame] = Correction(table.points[i], source)
    return corrections


def _is_ours(folder: Path) -> bool:
    return folder.is_dir() and all(
        file.name == SIDECAR or _FRAME_FILE.fullmatch(file.name) for file in folder.iterdir()
    )
