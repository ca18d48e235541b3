"""Square pixels: what faces are fitted in where a video's pixels are wider than high, or higher."""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]

EVEN: Final = 0.01  # aspects closer to 1 are rounding of file formats
WILDEST: Final = 4.0  # what claims more is a broken header


class Stretch(NamedTuple):
    """Factors by which stored pixels become square ones: one is 1, the other at least 1."""

    x: float = 1.0
    y: float = 1.0

    def square(self, points: npt.ArrayLike) -> Points:
        """Move points (..., 2) from stored to square pixels; pixel centres are at integers."""
        points = np.asarray(points, np.float64)
        return points if self == AS_STORED else (points + 0.5) * np.array(self) - 0.5

    def stored(self, points: npt.ArrayLike) -> Points:
        """Move points (..., 2) from square pixels back to stored ones."""
        points = np.asarray(points, np.float64)
        return points if self == AS_STORED else (points + 0.5) / np.array(self) - 0.5

    def size(self, stored: tuple[int, int]) -> tuple[int, int]:
        """Give width and height of a picture once it is stretched."""
        return round(stored[0] * self.x), round(stored[1] * self.y)

    def picture(self, image: Image) -> Image:
        """Stretch a picture, shape (H, W[, 3])."""
        # By factors, not to a size, which would be rounded: pictures move as their points do.
        how = cv2.INTER_LINEAR
        stretched = cv2.resize(image, None, fx=self.x, fy=self.y, interpolation=how)
        return np.asarray(stretched, dtype=np.uint8)


AS_STORED: Final = Stretch()


def checked_aspect(aspect: float) -> float:
    """Return a pixel's width by its height; 1 where it is nearly 1 or cannot be true."""
    likely = 1 / WILDEST <= aspect <= WILDEST
    return aspect if likely and abs(aspect - 1) > EVEN else 1.0


def stretch_of(aspect: float) -> Stretch:
    """Say how pixels become square."""
    return Stretch(max(aspect, 1.0), max(1 / aspect, 1.0))
