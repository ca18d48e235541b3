"""What networks see of a face: patches of the eyes and the mouth with masks of their landmarks.

The patches move with points that the face does not move, so what moves in them is the expression.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.features.crops import Crop, Cut
from facetrack.features.masks import mask

ENOUGH: Final = 0.9  # share of a patch that must come from inside the picture
_NOISE: Final = 4.0  # grey levels: what is flatter is not blown up
_LIMIT: Final = 3.0  # standard deviations


@dataclass(frozen=True, slots=True)
class View:
    """One patch: its crop, and the parts of the face that its mask shows."""

    crop: Crop
    parts: tuple[str, ...]


PATCHES: Final[dict[str, View]] = {
    "eyes": View(Crop("eyes", (96, 48)), ("eyes", "brows")),
    "mouth": View(Crop("mouth", (64, 48)), ("lips", "nostrils")),
}


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A region of a face as networks see it."""

    grey: npt.NDArray[np.uint8]  # (height, width)
    mask: npt.NDArray[np.bool_]  # (height, width), the landmarks' parts, where the picture is
    valid: float  # share of the patch that comes from inside the picture


def take(cut: Callable[[Crop], Cut], points: npt.ArrayLike) -> dict[str, Patch]:
    """Take the patches of a face, named as in `PATCHES`; `points` are (68, 2), px of the picture.

    `cut` cuts the face's crop out of its picture, upright and by the same mean shape at all times.
    An `InputError` says that the points are not 68, not finite, or coincide.
    """
    patches = {}
    for name, view in PATCHES.items():
        found = cut(view.crop)
        drawn = mask(found.to_crop.apply(points), view.crop.size, *view.parts)
        patches[name] = Patch(found.pixels, drawn & found.valid, float(found.valid.mean()))
    return patches


def normalised(patch: Patch) -> npt.NDArray[np.float32]:
    """Make a network's input of a patch, (height, width, 2).

    Grey levels over their standard deviation, clipped to [-3, 3], and the mask as 0 and 1.
    """
    grey = patch.grey.astype(np.float32)
    centred = grey - grey.mean()
    deviation = np.sqrt(np.square(centred).mean())  # numpy's own takes the mean again
    made = np.empty((*grey.shape, 2), dtype=np.float32)
    np.clip(centred / (deviation + _NOISE), -_LIMIT, _LIMIT, out=made[..., 0])
    made[..., 1] = patch.mask
    return made
