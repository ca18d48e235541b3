"""Tracks of landmarks that lie beside a video as .npz files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError
from facetrack.face import N_POINTS
from facetrack.formats.npz import read_npz

Floats = npt.NDArray[np.float64]

_SHAPES: Final[dict[str, tuple[int, ...]]] = {
    "points": (N_POINTS, 2),
    "points_pfld": (N_POINTS, 2),
    "agreement": (),
    "box": (4,),
    "score": (),
    "timestamps": (),
}


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """Landmarks of one face in each of n decoded frames of a video."""

    points: Floats  # (n, 68, 2) pixels from 0, centres at integers; NaN: no face
    points_pfld: Floats | None  # a second opinion
    agreement: Floats | None  # (n,), mean distance of both / outer-eye distance of `points`
    box: Floats | None  # (n, 4), of the face detector, x0, y0, x1, y1 in pixels
    score: Floats | None  # (n,), the detector's, in [0, 1]; 0: nothing found
    timestamps: Floats  # (n,), seconds from the start, growing
    fps: float  # from the median distance of timestamps if the file does not say

    def __len__(self) -> int:
        return len(self.points)


def load_track(path: str | os.PathLike[str]) -> VideoTrack:
    """Read an .npz track with `points`, `timestamps` or `fps`, and others of `VideoTrack`."""
    optional = [name for name in (*_SHAPES, "fps") if name != "points"]
    arrays = read_npz(path, required=["points"], optional=optional)
    n = len(arrays["points"]) if arrays["points"].ndim else 0
    columns: dict[str, Floats | None] = {name: None for name in _SHAPES}
    for name, shape in _SHAPES.items():
        if name in arrays:
            columns[name] = _column(path, name, arrays[name], (n, *shape))
    fps = _rate(path, arrays)
    timestamps = columns.pop("timestamps")
    if timestamps is None:
        if fps is None:
            raise FormatError(path, "neither 'timestamps' nor 'fps' is there")
        timestamps = np.arange(n) / fps
    if not np.isfinite(timestamps).all() or (np.diff(timestamps) <= 0).any():
        raise FormatError(path, "timestamps must be finite and grow")
    if fps is None:
        fps = float(1 / np.median(np.diff(timestamps))) if n > 1 else 1.0
    points = columns.pop("points")
    assert points is not None  # a required array
    return VideoTrack(points=points, timestamps=timestamps, fps=fps, **columns)


def _column(
    path: str | os.PathLike[str], name: str, values: npt.NDArray[Any], shape: tuple[int, ...]
) -> Floats:
    if values.shape != shape:
        raise FormatError(path, f"array {name!r} must have shape {shape}, has {values.shape}")
    if values.dtype.kind not in "fiu":
        raise FormatError(path, f"array {name!r} must hold numbers, is of type {values.dtype}")
    column = values.astype(np.float64)
    if np.isinf(column).any():
        raise FormatError(path, f"array {name!r} holds infinite numbers")
    return column


def _rate(path: str | os.PathLike[str], arrays: dict[str, npt.NDArray[Any]]) -> float | None:
    if "fps" not in arrays:
        return None
    value = arrays["fps"]
    if value.size != 1 or value.dtype.kind not in "fiu":
        raise FormatError(path, f"array 'fps' must be one number, has shape {value.shape}")
    fps = float(value.reshape(()))
    if not 0 < fps < 1e6:
        raise FormatError(path, f"fps is {fps}, a positive number is expected")
    return fps
