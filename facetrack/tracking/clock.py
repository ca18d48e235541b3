"""The time of a frame: the one that is given, or a nominal one."""

from __future__ import annotations

import math
from typing import Final

from facetrack.errors import InputError

NOMINAL_RATE: Final = 30.0  # frames a second without timestamps


def next_time(last: float | None, timestamp: float | None) -> float:
    """Check a frame's timestamp, or make one; None for the last is before the first frame.

    InputError if it is not finite or does not increase.
    """
    if timestamp is None:
        return 0.0 if last is None else last + 1 / NOMINAL_RATE
    if not math.isfinite(timestamp):
        raise InputError(f"timestamp must be finite, got {timestamp}")
    if last is not None and timestamp <= last:
        raise InputError(
            f"timestamps must increase: {timestamp} s after {last} s; "
            "use a new tracker for another video"
        )
    return float(timestamp)
