"""Gaze in degrees, after a person has looked at known places.

`gaze_x` and `gaze_y` have no unit: how far the network's channels reach differs between people. The
person looks at three places or more, at known angles, with the head still; an affine map from
gaze to angles is fitted to those looks.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import nan
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError, InputError
from facetrack.formats.signals_csv import SignalTable
from facetrack.formats.textfile import read_text
from facetrack.reading import Reading, Row, Spec

Floats = npt.NDArray[np.float64]

GAZE: Final = ("gaze_x", "gaze_y")
_ENOUGH: Final = 10  # frames of a look in which gaze was assessed
_COLUMNS: Final = ("start", "stop", "x", "y")
_MAX_BYTES: Final = 1 << 20
_FLAT: Final = 1e-3  # of the larger spread of gaze over the looks: they lie on a line


@dataclass(frozen=True, slots=True)
class Look:
    """A stretch of time, in seconds, in which the eyes stayed at a place, in degrees."""

    start: float
    stop: float
    x: float  # to the person's left
    y: float  # up

    def __str__(self) -> str:
        return f"the look from {self.start:g} to {self.stop:g} s"


@dataclass(frozen=True, slots=True, eq=False)
class GazeCalibration:
    """How a face's gaze maps to degrees."""

    face: int
    weights: Floats  # (3, 2), of (gaze_x, gaze_y, 1)
    looks: int
    error: float  # degrees, mean distance of each look from what the others say; NaN of three

    @property
    def model(self) -> str:
        """What has to be said wherever the angles are shown."""
        missed = "" if np.isnan(self.error) else f", each missed by {self.error:.1f} deg without it"
        return f"calibrated by {self.looks} looks of the person{missed}"

    @property
    def specs(self) -> tuple[Spec, ...]:
        """The columns of the table that `rows` makes."""
        return tuple(
            Spec(f"{name}_degrees", f"where the eyes look in the head's frame, {way}", "deg",
                 range=(-60.0, 60.0), model=self.model)
            for name, way in zip(GAZE, ("to the person's left", "up"), strict=True)
        )  # fmt: skip

    def rows(self, table: SignalTable) -> Iterator[Row]:
        """Return the angles in every frame of every face; those of others are not calibrated."""
        gaze = np.column_stack([table.signals[name].value for name in GAZE])
        degrees = _raised(gaze) @ self.weights
        reasons = [table.signals[name].reason for name in GAZE]
        names = [spec.name for spec in self.specs]
        for i, (frame, time, face) in enumerate(
            zip(table.frame.tolist(), table.timestamp.tolist(), table.face_id.tolist(), strict=True)
        ):
            why = next((r[i] for r in reasons if r[i]), "")
            if face != self.face and not why:
                why = "this face is not calibrated"
            values = [Reading(nan if why else float(d), reason=why) for d in degrees[i]]
            yield Row(frame, time, face, dict(zip(names, values, strict=True)))


def calibrate(
    table: SignalTable, looks: Sequence[Look], face: int | None = None
) -> GazeCalibration:
    """Fit the map of a face, without a number that of the only one."""
    if lacking := [name for name in GAZE if name not in table.signals]:
        raise InputError(f"the table has no {lacking[0]}; track with --signals expression")
    faces = sorted({int(f) for f in table.face_id if f >= 0})
    if face is None and len(faces) != 1:
        raise InputError(f"the table has {len(faces)} faces; say whose looks these are (--face)")
    face = faces[0] if face is None else face
    gaze = _raised(np.array([_gaze_in(table, look, face) for look in looks]).reshape(-1, 2))
    angles = np.array([(look.x, look.y) for look in looks]).reshape(-1, 2)
    spreads = np.linalg.svd(gaze[:, :2] - gaze[:, :2].mean(axis=0), compute_uv=False)
    if len(looks) < 3 or spreads[1] < _FLAT * spreads[0] or np.linalg.matrix_rank(gaze) < 3:
        raise InputError("a calibration takes looks at three places or more, not on one line")
    errors = [
        np.linalg.norm(gaze[i] @ _fit(gaze, angles, i) - angles[i]) for i in range(len(looks))
    ]
    error = float(np.mean(errors)) if len(looks) > 3 else nan
    return GazeCalibration(face, _fit(gaze, angles), len(looks), error)


def _gaze_in(table: SignalTable, look: Look, face: int) -> Floats:
    within = (table.face_id == face) & (table.timestamp >= look.start)
    within &= table.timestamp < look.stop
    gaze = np.column_stack([table.signals[name].value[within] for name in GAZE])
    seen = gaze[np.isfinite(gaze).all(axis=1)]
    if len(seen) < _ENOUGH:
        raise InputError(
            f"{look}: gaze was assessed in {len(seen)} frames of face {face}, {_ENOUGH} are needed"
        )
    found: Floats = np.median(seen, axis=0)
    return found


def _raised(gaze: Floats) -> Floats:
    return np.column_stack([gaze, np.ones(len(gaze))])


def _fit(gaze: Floats, angles: Floats, without: int | None = None) -> Floats:
    kept = np.arange(len(gaze)) != (-1 if without is None else without)
    found: Floats = np.linalg.lstsq(gaze[kept], angles[kept], rcond=None)[0]
    return found


def read_looks(path: str | os.PathLike[str]) -> list[Look]:
    """Read a table of looks: start and stop in seconds, x and y in degrees."""
    reader = csv.DictReader(read_text(path, limit=_MAX_BYTES).splitlines())
    if missing := set(_COLUMNS) - set(reader.fieldnames or ()):
        raise FormatError(path, f"the column {min(missing)!r} is missing",
                          remedy=f"name columns {', '.join(_COLUMNS)}")  # fmt: skip
    looks = []
    for row in reader:
        try:
            look = Look(*(float(row[name]) for name in _COLUMNS))
        except (ValueError, TypeError) as error:
            raise FormatError(path, f"a row is wrong: {error}", line=reader.line_num) from error
        if not (np.isfinite([look.x, look.y]).all() and look.start < look.stop):
            raise FormatError(path, f"{look} is empty or has no angle", line=reader.line_num)
        looks.append(look)
    return looks
