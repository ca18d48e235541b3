"""How long frames last: rows that follow each other in a table need not be neighbours in time."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

LONGEST: Final = 1.0  # seconds that a frame speaks for, unless all frames are that far apart:
_USUAL: Final = 3.0  # then that many times their usual distance
_ALONE: Final = 0.04  # seconds that the only frame of a video lasts

Floats = npt.NDArray[np.float64]


def frame_ends(frames: npt.NDArray[np.integer], times: Floats) -> Floats:
    """Return when frames of these numbers and timestamps end, in seconds.

    A frame lasts until exactly the next one's timestamp, but for 1 s at most (or three usual steps,
    where all are longer), and only for the usual step where the next number is missing and at the
    end.
    """
    steps, numbers = np.diff(times), np.diff(frames)
    usual = float(np.median(steps / numbers)) if len(steps) else _ALONE
    limits = np.where(numbers == 1, max(LONGEST, _USUAL * usual), usual)
    ends = np.where(steps > limits, times[:-1] + limits, times[1:])
    return np.append(ends, times[-1:] + usual)
