"""A small archive in the layout of the UNBC-McMaster one, made by code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from facetrack.landmarks.markup import to_markup
from facetrack.pain.archive_folders import KINDS, frame_name
from facetrack.synthetic.portrait import astronaut

SUBJECT, SEQUENCE = "901-sy001", "sy001t1aaaff"
# Action units of its frames, and the scores that these make.
UNITS: tuple[dict[int, float], ...] = ({}, {4: 2, 7: 3}, {6: 1, 9: 2, 10: 4, 43: 1}, {12: 3})
SCORES = (0, 5, 6, 0)


def portrait_points() -> npt.NDArray[np.float64]:
    """Landmarks that fit pictures of 320 x 240."""
    points = astronaut().points
    return np.asarray((points - points.mean(axis=0)) * 0.8 + (160, 120), dtype=np.float64)


def frame_path(root: Path, kind: str, subject: str, sequence: str, number: int) -> Path:
    """Say where a frame's file lies in an archive as it was given out."""
    return root / KINDS[kind].folder / subject / sequence / frame_name(kind, sequence, number)


def write_frame(
    root: Path,
    number: int,
    units: dict[int, float],
    score: float,
    *,
    names: Sequence[str] = (SUBJECT, SEQUENCE),
) -> None:
    """Write the four files of a frame."""
    subject, sequence = names
    paths = {
        kind: frame_path(root, kind, subject, sequence, number)
        for kind in ("images", "landmarks", "pspi", "facs")
    }
    for path in paths.values():
        path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(number).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    cv2.imwrite(str(paths["images"]), noise)
    rows = to_markup(portrait_points(), 66) + number
    paths["landmarks"].write_text("".join(f"   {x:.7e}   {y:.7e}\n" for x, y in rows))
    paths["pspi"].write_text(f"   {score:.7e}\n")
    paths["facs"].write_text("".join(f"  {u:e}  {z:e}  0  0\n" for u, z in units.items()))


@pytest.fixture
def small_archive(tmp_path: Path) -> Path:
    """Give an archive of one subject with one sequence of four frames."""
    root = tmp_path / "archive"
    for number, (units, score) in enumerate(zip(UNITS, SCORES, strict=True), start=1):
        write_frame(root, number, units, score)
    return root
