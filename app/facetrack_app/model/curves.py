# SPDX-License-Identifier: GPL-3.0-or-later
"""Curves of readings as columns of pixels: every frame counts, and what is unknown is a gap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facetrack.reading import Spec
from facetrack_app.model.readings import Values
from facetrack_app.model.summary import columns


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity: it holds arrays
class Curve:
    """A signal over a stretch of frames.

    Attributes
    ----------
    spec : Spec
    first, stop : int
        The frames, up to but without the second.
    values : ndarray, shape (stop - first,), float32
        Of each frame; NaN where nothing is known.
    least, most : ndarray, shape (n,), float32
        Of each frame, or of each column of pixels that stands for several; NaN where nothing is
        known.
    """

    spec: Spec
    first: int
    stop: int
    values: Values
    least: Values
    most: Values

    def at(self, frame: int) -> str:
        """Say the value of a frame; nothing where none is known."""
        if not self.first <= frame < self.stop or np.isnan(self.values[frame - self.first]):
            return ""
        unit = "" if self.spec.unit == "1" else f" {self.spec.unit}"
        return f"{self.values[frame - self.first]:.3g}{unit}"

    @property
    def scale(self) -> tuple[float, float] | None:
        """Lowest and highest value that occurs, so that small motions are seen; None: none."""
        known = np.isfinite(self.least)
        if not known.any():
            return None
        low, high = float(self.least[known].min()), float(self.most[known].max())
        spare = 0.01 * (self.spec.range[1] - self.spec.range[0])  # of a value that stays the same
        return (low, high) if high - low > spare else (low - spare, high + spare)


def curve_of(spec: Spec, values: Values, first: int, width: int) -> Curve:
    """Reduce the values of frames to the columns of a picture.

    Parameters
    ----------
    spec : Spec
    values : ndarray, shape (n,), float32
        One for each frame.
    first : int
        The first frame.
    width : int
        Columns of pixels.

    Returns
    -------
    Curve
    """
    stop, least, most = first + len(values), values, values
    if len(values) > width:
        least, most = (
            np.asarray(columns(values, 0, len(values), width, reduce), dtype=np.float32)
            for reduce in (np.fmin.reduceat, np.fmax.reduceat)
        )
    return Curve(spec, first, stop, values, least, most)
