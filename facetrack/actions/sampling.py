"""Which frames of a clip a network sees.

Wang et al., "Temporal segment networks", ECCV 2016 (segments); Carreira and Zisserman, "Quo vadis,
action recognition?", CVPR 2017 (stretches of neighbouring frames).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError

Indices = npt.NDArray[np.int64]


def segments(frames: int, count: int, rng: np.random.Generator | None = None) -> Indices:
    """Choose one frame of each of `count` equal segments: drawn by `rng`, or else the middle one.

    Never falling; a clip with fewer frames repeats some. An `InputError` refuses one without any.
    """
    _check(frames, count)
    edges = np.arange(count) * frames / count
    part = np.full(count, 0.5) if rng is None else rng.random(count)
    return np.minimum((edges + part * frames / count).astype(np.int64), frames - 1)


def stretches(
    frames: int, count: int, every: int, clips: int = 1, rng: np.random.Generator | None = None
) -> Indices:
    """Choose stretches, as many as `clips`, of `count` frames, `every` apart: (clips, count).

    They begin where `rng` draws, or are spread evenly. A clip that is too short is begun again; an
    `InputError` refuses one without any frame.
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
