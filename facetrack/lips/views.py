"""What a network is shown of a mouth crop: a part of it, at a size, normalised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.landmarks.markup import GROUPS, MIRROR
from facetrack.landmarks.procrustes import Similarity
from facetrack.lips.clips import SIDE

_NOISE: Final = 4.0  # grey levels: what a flat picture is not normalised beyond
_MIDDLE: Final = (SIDE - 1) / 2
_SPREAD: Final = 24.0  # px: about half of a mouth's width
_LIPS: Final = GROUPS["mouth"]
_SWAPPED: Final = [_LIPS.index(MIRROR[i]) for i in _LIPS]

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Change:
    """How a whole clip is changed before it is shown, in training."""

    motion: Similarity  # pixels of the crop -> pixels of the crop
    mirrored: bool  # left and right change places afterwards


@dataclass(frozen=True, slots=True)
class View:
    """The middle of a mouth crop at a network's size."""

    size: tuple[int, int]  # width, height of what the network is shown, px
    width: float  # pixels of the crop that it is wide

    def pixels(self, crops: npt.NDArray[np.uint8], change: Change | None = None) -> Floats:
        """Show crops, (T, 96, 96), as (T, height, width): each of mean 0 and about deviation 1."""
        matrix = self._matrix(change)
        shown = np.empty((len(crops), self.size[1], self.size[0]), dtype=np.float32)
        for crop, out in zip(crops, shown, strict=True):
            out[:] = cv2.warpAffine(
                crop, matrix, self.size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
        return normalised(shown[..., ::-1] if change is not None and change.mirrored else shown)

    @staticmethod
    def points(points: npt.NDArray[np.float32], change: Change | None = None) -> Floats:
        """Show the mouth's landmarks, (T, 20, 2) in px of the crop, as (T, 40).

        From the crop's middle, in units of 24 px.
        """
        moved = points if change is None else change.motion.apply(points)
        shown = ((moved - _MIDDLE) / _SPREAD).astype(np.float32)
        if change is not None and change.mirrored:
            shown = shown[:, _SWAPPED] * np.array([-1.0, 1.0], dtype=np.float32)
        return shown.reshape(len(shown), -1)

    def _matrix(self, change: Change | None) -> npt.NDArray[np.float64]:
        scale = self.size[0] / self.width
        shift = (np.array(self.size) - 1) / 2 - scale * _MIDDLE
        matrix = np.array([[scale, 0.0, shift[0]], [0.0, scale, shift[1]]])
        if change is None:
            return matrix
        whole: npt.NDArray[np.float64] = matrix @ np.vstack([change.motion.matrix, [0, 0, 1]])
        return whole


def normalised(shown: Floats) -> Floats:
    """Bring each frame, shape (T, H, W), to mean 0 and about unit deviation."""
    mean = shown.mean(axis=(1, 2), keepdims=True)
    deviation = shown.std(axis=(1, 2), keepdims=True)
    out: Floats = (shown - mean) / (deviation + _NOISE)
    return out
