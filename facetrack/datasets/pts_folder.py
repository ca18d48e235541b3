"""Folders of pictures with a .pts file each, as 300-W, LFPW, HELEN, AFW and IBUG come."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError
from facetrack.face import read_only_points
from facetrack.formats.picture import SUFFIXES, read_bgr, read_grey
from facetrack.formats.pts import read_pts


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """A picture with the landmarks of one face."""

    name: str  # the stem that both files share
    path: Path
    points: npt.NDArray[np.float64]  # (68, 2) pixels from 0; may lie outside of the picture

    def read_bgr(self) -> npt.NDArray[np.uint8]:
        """Read the picture as colour: (H, W, 3) uint8 BGR; see `picture.read_bgr`."""
        return read_bgr(self.path)

    def read_grey(self) -> npt.NDArray[np.uint8]:
        """Read the picture as grey values: (H, W) uint8; see `picture.read_grey`."""
        return read_grey(self.path)


def load_folder(
    path: str | os.PathLike[str], *, origin: int = 1, skip_bad: bool = True
) -> list[LabelledImage]:
    """List the labelled pictures NAME.pts and NAME.jpg (.png, ...) of a folder, by name."""
    # With `skip_bad`, a broken pair is left out with one warning. The pictures are not opened yet.
    folder = Path(path)
    labels, pictures = _list_files(folder)
    good, bad = [], []
    for label in labels:
        try:
            good.append(_load_pair(label, pictures, origin=origin))
        except FormatError as error:
            if not skip_bad:
                raise
            bad.append(error)
    if bad and good:
        warnings.warn(
            f"{folder}: {len(bad)} of {len(labels)} labelled pictures left out, the first because "
            f"of {bad[0]}",
            stacklevel=2,
        )
    if not good:
        cause = f"none of its {len(labels)} .pts files can be used" if labels else "no .pts files"
        raise FormatError(folder, cause, remedy=f"the first: {bad[0]}" if bad else "")
    return good


def _list_files(folder: Path) -> tuple[list[Path], dict[str, Path]]:
    """Find the .pts files in the order of their names, and the pictures by stem."""
    try:
        files = sorted((f for f in folder.iterdir() if f.is_file()), key=lambda f: (f.stem, f.name))
    except OSError as error:
        raise FormatError(folder, f"cannot be listed ({error.strerror})") from error
    files = [f for f in files if ".tmp-" not in f.name]  # left by a writer that was killed
    order = {suffix: number for number, suffix in enumerate(SUFFIXES)}
    pictures: dict[str, Path] = {}
    for file in sorted(files, key=lambda f: order.get(f.suffix.lower(), len(order))):
        if file.suffix.lower() in order:
            pictures.setdefault(file.stem, file)
    return [f for f in files if f.suffix.lower() == ".pts"], pictures


def _load_pair(label: Path, pictures: dict[str, Path], *, origin: int) -> LabelledImage:
    picture = pictures.get(label.stem)
    if picture is None:
        raise FormatError(label, "no picture of the same name beside it")
    points = read_pts(label, origin=origin)
    if not np.isfinite(points).all():
        raise FormatError(label, "some points are nan", remedy="a training face needs all points")
    return LabelledImage(label.stem, picture, read_only_points(points))
