# SPDX-License-Identifier: GPL-3.0-or-later
"""What a session shows: of a person in a frame, and of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facetrack.annotation.corrections import Correction
from facetrack_app.model.rows import Kind, Points, TrackRow


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of frames that a person named."""

    id: int
    kind: str  # "exclude" or "event"
    start: int
    stop: int
    label: str


@dataclass(frozen=True, slots=True)
class View:
    """What a frame shows of one person."""

    row: TrackRow | None  # what the tracker says
    correction: Correction | None  # what a person says, which counts more

    @property
    def points(self) -> Points | None:
        """The points that count, shape (68, 2); None where there are none."""
        if self.correction is not None:
            return self.correction.points
        return self.row.points if self.row is not None and self.row.kind != Kind.LOST else None

    @property
    def source(self) -> npt.NDArray[np.uint8] | None:
        """Where they come from."""
        if self.correction is not None:
            return self.correction.source
        return self.row.source if self.row is not None else None
