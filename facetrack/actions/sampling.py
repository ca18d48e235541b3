"""Which frames of a clip a network sees.

Wang et al., "Temporal segment networks", ECCV 2016 (segments); Carreira and Zisserman, "Quo vadis,
action recognition?", CVPR 2017 (stretches of neighbouring frames).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError

__all__ = ["segments", "stretches"]

Indices = npt.NDArray[np.int64]


def segments(frames: int, count: int, rng: np.random.Generator | None = None) -> Indices:
    """Choose one frame of each of equal segments.

    Parameters
    ----------
    frames : int
        Of the clip.
    count : int
        Segments.
    rng : Generator, optional
        Draws a frame of each; without it the middle ones are taken.

    Returns
    -------
    ndarray, shape (count,), int64
        Never falling; a clip with fewer frames repeats some.

    Raises
    ------
    InputError
        If the clip has no frame.
    """
    _check(frames, count)
    edges = np.arange(count) * frames / count
    part = np.full(count, 0.5) if rng is None else rng.random(count)
    return np.minimum((edges + part * frames / count).astype(np.int64), frames - 1)


def stretches(
    frames: int, count: int, every: int, clips: int = 1, rng: np.random.Generator | None = None
) -> Indices:
    """Choose stretches of frames at equal distances.

    Parameters
    ----------
    frames : int
        Of the clip.
    count : int
        Frames of each stretch.
    every : int
        Their distance.
    clips : int
        Stretches, spread evenly over the clip.
    rng : Generator, optional
        Draws where each begins; without it they are spread.

    Returns
    -------
    ndarray, shape (clips, count), int64
        A clip that is too short is begun again.

    Raises
    ------
    InputError
        If the clip has no frame.
    """
    _check(frames, count)
    room = max(frames - (count - 1) * every - 1, 0)
    if rng is None:
        starts = np.round((np.arange(clips) + 0.5) * room / clips).astype(np.int64)
    else:
        starts = rng.integers(0, room + 1, clips)
    return np.asarray((starts[:, None] + np.arange(count) * every) % frames)


def _check(frames: int, count: int) -> None:
    if frames < 1 or count < 1:
        raise InputError(f"a clip of {frames} frames cannot give {count}")
