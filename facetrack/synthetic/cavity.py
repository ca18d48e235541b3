"""An opening mouth: lips part along a seam, and between them is the dark of the cavity.

A single warp that moves the lower lip would stretch lips and teeth like rubber. Two warps are used,
one that knows nothing of the lower lip's inner edge and one that knows nothing of the upper lip's;
each is shown on its own side of the seam.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.synthetic.portrait import Points

Image = npt.NDArray[np.uint8]

UPPER: Final = (61, 62, 63)
LOWER: Final = (67, 66, 65)
_INNER: Final = tuple(range(60, 68))
REACH: Final = 0.75  # outer-eye distances from the mouth: farther away both warps are one
_SHARP: Final = 0.004  # width of the seam between the corners
_SPREAD: Final = 0.8  # how it widens beyond them
_DARK: Final = (20, 14, 30)  # BGR behind the upper lip
_TONGUE: Final = (44, 34, 84)  # and above the lower one
_FULL: Final = 0.03  # outer-eye distances that the lips part until the cavity is opaque


def below_seam(points: Points, places: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Return the weight of the warp that moves the lower lip, 0 to 1, at places (h, w, 2).

    `points` are the landmarks where they have moved to; both are in the head's frame.
    """
    middle = [0.5 * (points[u] + points[v]) for u, v in zip(UPPER, LOWER, strict=True)]
    seam = np.array([points[60], *middle, points[64]])
    x, y = places[..., 0], places[..., 1]
    height = np.interp(x, np.maximum.accumulate(seam[:, 0]), seam[:, 1])
    beyond = np.maximum(np.maximum(seam[0, 0] - x, x - seam[-1, 0]), 0)
    side = 0.5 + 0.5 * np.clip((y - height) / (_SHARP + _SPREAD * beyond), -1, 1)
    distance = np.hypot(x - seam[2, 0], y - seam[2, 1])
    near = np.clip((REACH - distance) / (0.3 * REACH), 0, 1)
    return np.asarray(side * near, dtype=np.float32)


def fill(frame: Image, points: Points, parted: float, scale: float) -> None:
    """Darken what is between the lips of a frame, (H, W, 3) BGR, in place.

    `points` are landmarks in its pixels, `parted` is how much farther the lips are apart than in
    the portrait, outer-eye distances, and `scale` the pixels of one.
    """
    opacity = float(np.clip(parted / _FULL, 0, 1))
    outline = points[list(_INNER)]
    x0, y0 = np.maximum(np.floor(outline.min(axis=0)).astype(int) - 3, 0).tolist()
    x1, y1 = (np.ceil(outline.max(axis=0)).astype(int) + 4).tolist()
    window = frame[y0 : max(y1, 0), x0 : max(x1, 0)]
    if opacity == 0 or not window.size:
        return
    soft = soft_polygon(window.shape[:2], outline - (x0, y0), max(scale / 130, 0.4))
    part = opacity * soft.astype(np.float64)[..., None] / 255
    top, bottom = points[62, 1] - y0, points[66, 1] - y0
    down = np.clip((np.arange(len(window)) - top) / max(bottom - top, 1.0), 0, 1)
    tongue = np.clip((down - 0.45) / 0.4, 0, 1) * np.clip(parted / 0.12, 0, 1)
    colour = np.outer(1 - tongue, _DARK) + np.outer(tongue, _TONGUE)
    window[:] = np.rint(window * (1 - part) + colour[:, None] * part)


def soft_polygon(shape: tuple[int, ...], outline: Points, blur: float, value: int = 255) -> Image:
    """Draw a polygon of pixels (n, 2) with a soft edge into a picture of this shape (h, w)."""
    mask = np.zeros(shape, dtype=np.uint8)
    cv2.fillPoly(mask, [np.rint(outline * 16).astype(np.int32)], value, cv2.LINE_AA, 4)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), blur), dtype=np.uint8)
