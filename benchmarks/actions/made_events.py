"""Clips in which one small event, of a known kind, at a known place, decides about the class.

All else is the same in all classes and stronger than the event: a texture that drifts, blobs that
stay, noise. Kinds of motion can be told only by how a blob moves and changes, kinds of shape in any
frame in which the event is seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

FRAMES: Final = 6
SIDE: Final = 32  # px
SHOWN: Final = 4  # frames of an event
_BLOBS: Final = 3
_NOISE: Final = 0.15
_TEXTURE: Final = 0.5
_STEP: Final = 0.9  # of the event's size, in a frame
_DIRECTIONS: Final = ((1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0))
MOTIONS: Final = ("right", "left", "down", "up", "fade out", "fade in", "grow", "shrink")
SHAPES: Final = tuple(f"{angle} degrees, {pitch}" for pitch in ("fine", "coarse")
                      for angle in (0, 45, 90, 135))  # fmt: skip

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Made:
    """Clips with their truth.

    Attributes
    ----------
    clips : ndarray, shape (n, 1, FRAMES, SIDE, SIDE), float32
    labels : ndarray, shape (n,), int64
    boxes : ndarray, shape (n, 4), float64
        Left, top, right, bottom of all that the event reaches, px.
    """

    clips: Floats
    labels: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.float64]


def share(size: float) -> float:
    """Return how much of the frame an event fills in one frame: the disc of two deviations."""
    return min(np.pi * (2 * size) ** 2 / SIDE**2, 1.0)


def make(
    count: int, rng: np.random.Generator, *, moving: bool, size: float, strength: float
) -> Made:
    """Make clips.

    Parameters
    ----------
    count : int
    rng : Generator
    moving : bool
        Kinds of motion, or of shape.
    size : float
        Standard deviation of the event, px.
    strength : float
        Of the event, in grey levels in which the texture's deviation is 0.5.

    Returns
    -------
    Made
    """
    labels = rng.integers(0, 8, count)
    room = min(2 * size + (1.5 * _STEP * size if moving else 0), SIDE / 2 - 4)
    centres = rng.uniform(room, SIDE - 1 - room, (count, 2))
    begins = rng.integers(0, FRAMES - SHOWN + 1, count)
    clips = _background(count, rng)
    boxes = np.empty((count, 4))
    sign = rng.choice([-1.0, 1.0], count) if moving else np.ones(count)
    for i, label in enumerate(labels):
        event = _motion(label, centres[i], size) if moving else _shape(label, centres[i], size, rng)
        clips[i, begins[i] : begins[i] + SHOWN] += strength * sign[i] * event
        reach = 2 * size + (1.5 * _STEP * size * np.abs(_DIRECTIONS[label]) if moving and label < 4
                            else np.zeros(2))  # fmt: skip
        boxes[i] = [*(centres[i] - reach), *(centres[i] + reach)]
    return Made(clips[:, None], labels.astype(np.int64), boxes)


def _background(count: int, rng: np.random.Generator) -> Floats:
    """Return a drifting texture, blobs that stay, and noise."""
    textures = _textures()
    start = rng.integers(FRAMES, textures.shape[1] - SIDE - FRAMES, (count, 2))
    drift, chosen = rng.integers(-1, 2, (count, 2)), rng.integers(0, len(textures), count)
    clips = rng.standard_normal((count, FRAMES, SIDE, SIDE), dtype=np.float32) * _NOISE
    for i in range(count):
        for t in range(FRAMES):
            x, y = start[i] + t * drift[i]
            clips[i, t] += textures[chosen[i], y : y + SIDE, x : x + SIDE]
    places = rng.uniform(2, SIDE - 3, (2, count, _BLOBS, 1))
    across, down = np.exp(-((np.arange(SIDE) - places) ** 2) / (2 * 1.75**2))
    signs = rng.choice([-1.0, 1.0], (count, _BLOBS))
    clips += np.einsum("nb,nby,nbx->nyx", signs, down, across)[:, None]
    return clips


@cache
def _textures() -> Floats:
    """Return large textures of which every clip shows a part."""
    rng = np.random.default_rng(0)
    textures = gaussian_filter(rng.standard_normal((40, 256, 256)), (0, 3, 3), mode="wrap")
    return np.asarray(textures * (_TEXTURE / textures.std()), dtype=np.float32)


def _blob(centre: npt.ArrayLike, size: float) -> npt.NDArray[np.float64]:
    x, y = np.asarray(centre)
    grid = np.arange(SIDE)
    across, down = (np.exp(-((grid - c) ** 2) / (2 * size**2)) for c in (x, y))
    return np.outer(down, across)


def _motion(label: int, centre: npt.NDArray[np.float64], size: float) -> npt.NDArray[np.float64]:
    course = np.arange(SHOWN) - (SHOWN - 1) / 2
    if label < 4:
        way = np.array(_DIRECTIONS[label]) * _STEP * size
        return np.stack([_blob(centre + t * way, size) for t in course])
    rising = np.linspace(0.25, 1.0, SHOWN)
    if label < 6:
        return np.stack([a * _blob(centre, size) for a in (rising[::-1] if label == 4 else rising)])
    sizes = size * np.linspace(0.5, 1.4, SHOWN)
    return np.stack([_blob(centre, s) for s in (sizes if label == 6 else sizes[::-1])])


def _shape(
    label: int, centre: npt.NDArray[np.float64], size: float, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    angle, pitch = np.pi / 4 * (label % 4), (0.35, 0.2)[label // 4]
    x, y = np.meshgrid(np.arange(SIDE) - centre[0], np.arange(SIDE) - centre[1])
    wave = np.cos(
        2 * np.pi * pitch * (x * np.cos(angle) + y * np.sin(angle)) + rng.uniform(0, 6.28)
    )
    seen = np.sin(np.pi * (np.arange(SHOWN) + 0.5) / SHOWN)
    return np.asarray(seen[:, None, None] * wave * _blob(centre, size))
