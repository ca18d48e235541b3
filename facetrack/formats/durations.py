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
    """Return when frames end.

    Parameters
    ----------
    frames : ndarray, shape (n,), int
        Their numbers, growing; numbers are missing where frames are excluded or unreadable.
    times : ndarray, shape (n,), float64
        Their timestamps in seconds, not falling.

    Returns
    -------
    ndarray, shape (n,), float64
        Seconds. A frame lasts until the next one, but for 1 s at most (or three usual steps, where
        all are longer), and only for the usual step where the next number is missing and at the
        end. The same number as the next frame's timestamp exactly where there is no gap.
    """
    steps, numbers = np.diff(times), np.diff(frames)
    usual = float(np.median(steps / numbers)) if len(steps) else _ALONE
    limits = np.where(numbers == 1, max(LONGEST, _USUAL * usual), usual)
    ends = np.where(steps > limits, times[:-1] + limits, times[1:])
    return np.append(ends, times[-1:] + usual)
