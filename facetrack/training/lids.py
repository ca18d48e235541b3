"""Pictures of closed eyes, made of pictures of open ones: photographs hardly show any."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.synthetic.lids import close_lids
from facetrack.training.pictures import Picture

Array = npt.NDArray[np.float64]

# Share of what cascades see that has closed eyes. With a tenth eyes close to 0.31 of the open
# value in blinks of GRID and with none to 0.66, but all points lose 0.04 of 2.7 %.
_CLOSED: Final = 0.08
_HALF: Final = 0.4  # share of pictures in which the lids stop on their way
_LASHES: Final = (0.3, 1.0)


def blinking(picture: Picture, rng: np.random.Generator) -> tuple[Picture, Array]:
    """Show a picture to a cascade, some of them with closed eyes."""
    kind = rng.random() / _CLOSED
    if kind > 1.5:
        return picture, picture.points
    closed = close_eyes(picture, rng)
    if kind > 1:
        return picture, closed.points
    return closed, closed.points if kind > 0.5 else picture.points


def close_eyes(picture: Picture, rng: np.random.Generator) -> Picture:
    """Close both eyes of a picture, most often wholly."""
    shut = rng.uniform(0.2, 0.9) if rng.random() < _HALF else 1.0
    right, left = rng.uniform(*_LASHES, size=2).tolist()
    grey, points = close_lids(picture.grey, picture.points, (shut, shut), (right, left))
    return replace(picture, grey=grey, points=points, box=None, five=None)
