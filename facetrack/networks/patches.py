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

__all__ = ["ENOUGH", "PATCHES", "Patch", "normalised", "take"]

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
    """A region of a face as networks see it.

    Attributes
    ----------
    grey : ndarray, shape (height, width), uint8
    mask : ndarray, shape (height, width), bool
        The landmarks' parts, where the picture is.
    valid : float
        Share of the patch that comes from inside the picture.
    """

    grey: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.bool_]
    valid: float


def take(cut: Callable[[Crop], Cut], points: npt.ArrayLike) -> dict[str, Patch]:
    """Take the patches of a face.

    Parameters
    ----------
    cut : callable (crop) -> Cut
        Cuts the face's crop out of its picture, upright and by the same mean shape at all times.
    points : array_like, shape (68, 2)
        The face's landmarks in pixels of the picture.

    Returns
    -------
    dict of str to Patch
        By the name of the region, as `PATCHES`.

    Raises
    ------
    InputError
        If the points are not 68, not finite, or coincide.
    """
    patches = {}
    for name, view in PATCHES.items():
        found = cut(view.crop)
        drawn = mask(found.to_crop.apply(points), view.crop.size, *view.parts)
        patches[name] = Patch(found.pixels, drawn & found.valid, float(found.valid.mean()))
    return patches


def normalised(patch: Patch) -> npt.NDArray[np.float32]:
    """Make a network's input of a patch.

    Parameters
    ----------
    patch : Patch

    Returns
    -------
    ndarray, shape (height, width, 2), float32
        Grey levels over their standard deviation, clipped to [-3, 3], and the mask as 0 and 1.
    """
    grey = patch.grey.astype(np.float32)
    centred = grey - grey.mean()
    deviation = np.sqrt(np.square(centred).mean())  # numpy's own takes the mean again
    made = np.empty((*grey.shape, 2), dtype=np.float32)
    np.clip(centred / (deviation + _NOISE), -_LIMIT, _LIMIT, out=made[..., 0])
    made[..., 1] = patch.mask
    return made
