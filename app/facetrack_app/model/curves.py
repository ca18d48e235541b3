# SPDX-License-Identifier: GPL-3.0-or-later
"""Curves of readings as columns of pixels: every frame counts, and what is unknown is a gap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from facetrack.reading import Spec
from facetrack_app.model.influence import influence_in_words
from facetrack_app.model.readings import Drawn, Mask, Values
from facetrack_app.model.summary import columns

_NO_PARTS: Final[Mapping[Spec, Values]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity: it holds arrays
class Curve:
    """A signal over frames, up to but without `stop`; `least` to `unassessable` are of columns."""

    spec: Spec
    first: int
    stop: int
    values: Drawn  # of each frame
    least: Values  # value of a frame, or of a column of several; NaN where nothing is known
    most: Values
    low: Values  # ends of their intervals
    high: Values
    unassessable: Mask  # where no value can be assessed, as a reason says
    parts: Mapping[Spec, Values]  # of each frame: what raises and lowers the value; of most none

    def at(self, frame: int) -> str:
        """Say the value of a frame, and what raises and lowers it; nothing where none is known."""
        place = frame - self.first
        if not self.first <= frame < self.stop or np.isnan(self.values.value[place]):
            return ""
        unit = "" if self.spec.unit == "1" else f" {self.spec.unit}"
        parts = (influence_in_words(part, values[place]) for part, values in self.parts.items())
        return "   ".join([f"{self.values.value[place]:.3g}{unit}", *parts])

    @property
    def scale(self) -> tuple[float, float] | None:
        """Lowest and highest value that occurs, so that small motions are seen; None: none."""
        drawn = np.concatenate([self.least, self.most, self.low, self.high])
        drawn = drawn[np.isfinite(drawn)]
        if not len(drawn):
            return None
        low, high = float(drawn.min()), float(drawn.max())
        spare = 0.01 * (self.spec.range[1] - self.spec.range[0])  # of a value that stays the same
        return (low, high) if high - low > spare else (low - spare, high + spare)


def curve_of(
    spec: Spec, values: Drawn, first: int, width: int, parts: Mapping[Spec, Values] = _NO_PARTS
) -> Curve:
    """Reduce the values of frames to the columns of a picture."""
    count, unassessable = len(values.value), values.unassessable
    ends = [values.value, values.value, values.low, values.high]
    if count > width:
        ways = 2 * (np.fmin.reduceat, np.fmax.reduceat)
        ends = [
            np.asarray(columns(part, 0, count, width, reduce), dtype=np.float32)
            for part, reduce in zip(ends, ways, strict=True)
        ]
        some = columns(unassessable, 0, count, width, np.logical_or.reduceat)
        unassessable = np.asarray(some, dtype=np.bool_) & np.isnan(ends[0])
    least, most, low, high = ends
    return Curve(
        spec, first, first + count, values, least, most, low, high, unassessable, parts
    )  # fmt: skip
