# SPDX-License-Identifier: GPL-3.0-or-later
"""Which frame is shown, and playing: J, K, L shuttle as in every editing program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

FASTEST: Final = 8
PACES: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
_ROUNDING: Final = 1e-6  # seconds


@dataclass(slots=True)
class Playback:
    """The place in the video."""

    n_frames: int
    frame: int = 0  # the one that is shown, from 0
    speed: int = 0  # 0: stands still; 1: forward; -2: backward, twice as fast; up to 8
    pace: float = 1.0  # the video's seconds in one of playing, at a speed of 1; one of `PACES`

    @property
    def rate(self) -> float:
        """Seconds of the video that pass in a second; negative backwards."""
        return self.speed * self.pace

    def go(self, frame: int) -> bool:
        """Go to a frame, or as near as the video goes; returns whether that is another one."""
        wanted = min(max(frame, 0), self.n_frames - 1)
        moved = wanted != self.frame
        self.frame = wanted
        return moved

    def toggle(self) -> None:
        """Play or stand still; at the end, begin anew."""
        self.speed = 0 if self.speed else 1
        if self.speed and self.frame == self.n_frames - 1:
            self.frame = 0

    def shuttle(self, direction: int) -> None:
        """Play in a direction, or faster; against it, stand still first."""
        if self.speed * direction < 0:
            self.speed = 0
        else:
            self.speed = direction * min(max(2 * abs(self.speed), 1), FASTEST)

    def follow(self, times: npt.NDArray[np.float64], moment: float) -> bool:
        """Show the frame of a moment; stand still where the video ends."""
        if moment >= times[-1] if self.speed > 0 else moment <= times[0]:
            self.speed = 0
        return self.go(int(np.searchsorted(times, moment + _ROUNDING, side="right")) - 1)
