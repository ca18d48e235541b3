# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands-on time: the seconds in which a person worked, without breaks."""

from __future__ import annotations

from typing import Final

PAUSE: Final = 5.0  # seconds without a gesture after which the person counts as away


class Effort:
    """Adds up the time between gestures."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self._last: float | None = None

    def gesture(self, now: float) -> None:
        """Take note of a key, a click or a drag."""
        if self._last is not None and now - self._last <= PAUSE:
            self.seconds += now - self._last
        self._last = now

    def per_minute(self, video_seconds: float) -> float:
        """Give hands-on seconds per minute of video."""
        return 60 * self.seconds / video_seconds if video_seconds > 0 else 0.0
