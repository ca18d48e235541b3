# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things lie in the timeline: rows one above the other, frames from left to right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from facetrack_app.model.judged import Judged

GUTTER: Final = 136  # px for the rows' names, and for the scales of curves
SCALE: Final = 38  # px of it for the numbers of a scale
LAYER: Final = 17
CURVE: Final = 34
LANE: Final = 15
TRUST: Final = 26
FOOT: Final = 18
LAYERS: Final = ("human", "learned", "plain", "doubtful", "marks")
LANES: Final = 3  # of events that overlap


@dataclass(frozen=True, slots=True)
class Placed:
    """A person's event, the lane in which it lies, and its frames up to but without `stop`."""

    judged: Judged
    lane: int
    first: int
    stop: int


@dataclass(frozen=True, slots=True)
class Rows:
    """How the timeline is divided."""

    lanes: int = 1  # of events
    curves: int = 0  # of signals

    @property
    def trust(self) -> int:
        """Top of the trust."""
        return LAYER * len(LAYERS)

    @property
    def events(self) -> int:
        """Top of the first lane of events."""
        return self.trust + TRUST

    def lane(self, number: int) -> int:
        """Top of a lane."""
        return self.events + 1 + LANE * number

    def curve(self, number: int) -> int:
        """Top of a signal's curve."""
        return self.lane(self.lanes) + CURVE * number

    @property
    def bottom(self) -> int:
        """Where the rows end."""
        return self.curve(self.curves)

    def lane_at(self, y: float) -> int | None:
        """Give the lane at a height; None: there is none."""
        lane = int((y - self.lane(0)) // LANE)
        return lane if 0 <= lane < self.lanes else None

    def curve_at(self, y: float) -> int | None:
        """Give the curve at a height; None: there is none."""
        curve = int((y - self.curve(0)) // CURVE)
        return curve if 0 <= curve < self.curves else None


@dataclass(frozen=True, slots=True)
class Axis:
    """Frames as columns of pixels."""

    first: int
    stop: int  # the first one that is not shown any more
    columns: int

    def x(self, frame: float) -> float:
        """Give the left edge of a frame."""
        return GUTTER + (frame - self.first) * self.columns / (self.stop - self.first)

    def frame(self, x: float) -> int:
        """Give the frame at a place, the nearest one that is shown."""
        share = (x - GUTTER) / self.columns
        frame = self.first + share * (self.stop - self.first)
        return int(min(max(frame, self.first), self.stop - 1))
