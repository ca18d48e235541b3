"""Windows of 29 frames, which the temporal part reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.lips.clips import RATE
from facetrack.lips.words import Word

LENGTH: Final = 29  # frames
_TIGHT: Final = 2  # frames kept on both sides of a word where context is tight
_SHORTEST: Final = 9  # frames


@dataclass(frozen=True, slots=True)
class Window:
    """Frames of a clip; those that are looked at are counted as the clip's.

    What of them the clip has not is left out as well.
    """

    clip: int  # which of several
    first: int  # may lie before the clip
    start: int  # first of those that are looked at
    stop: int  # after the last of them


def wide(clip: int, centre: int) -> Window:
    """Return the whole window around a frame, of the clip of that number in the batch."""
    first = centre - LENGTH // 2
    return Window(clip, first, first, first + LENGTH)


def own(clip: int, word: Word) -> Window:
    """Return a window that shows a word alone, of the clip of that number in the batch."""
    first, stop = word.frames(RATE)
    return Window(clip, word.centre(RATE) - LENGTH // 2, first, stop)


def tight(clip: int, word: Word) -> Window:
    """Return a window that shows a word and two frames on both sides, nine at least."""
    whole = wide(clip, word.centre(RATE))
    first, end = word.frames(RATE)
    more = max(_SHORTEST - (end - first + 2 * _TIGHT), 0)
    start, stop = first - _TIGHT - more // 2, end + _TIGHT + (more + 1) // 2
    return Window(clip, whole.first, max(start, whole.first), min(stop, whole.stop))


def indices(
    windows: Sequence[Window], known: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Find where the frames of N windows lie; `known` is 1 where a clip has a frame, (B, T).

    Returns clips (N, 1) and frames (N, 29) within [0, T), to index features (B, T, ...) with, and a
    mask (N, 29): 1 where the frame is looked at, and the clip has it.
    """
    clips = np.array([[w.clip] for w in windows], dtype=np.int64).reshape(-1, 1)
    wanted = np.array([w.first for w in windows], dtype=np.int64)[:, None] + np.arange(LENGTH)
    start = np.array([[w.start] for w in windows]).reshape(-1, 1)
    stop = np.array([[w.stop] for w in windows]).reshape(-1, 1)
    frames = np.clip(wanted, 0, known.shape[1] - 1)
    seen = (wanted == frames) & (wanted >= start) & (wanted < stop)
    return clips, frames, (seen * known[clips, frames]).astype(np.float32)
