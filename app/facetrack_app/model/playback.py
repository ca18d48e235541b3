# SPDX-License-Identifier: GPL-3.0-or-later
"""Which frame is shown, and playing: J, K, L shuttle as in every editing program."""

from __future__ import annotations

from dataclasses import dataclass

FASTEST = 8


@dataclass(slots=True)
class Playback:
    """The place in the video.

    Attributes
    ----------
    n_frames : int
    frame : int
        The one that is shown, from 0.
    speed : int
        0: stands still; 1: forward; -2: backward, twice as fast; up to 8.
    """

    n_frames: int
    frame: int = 0
    speed: int = 0

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

    def advance(self, frames: int) -> bool:
        """Go on by some frames in the direction of playing; returns whether it still plays."""
        moved = self.go(self.frame + frames)
        if not moved:
            self.speed = 0
        return self.speed != 0
