"""Faces and parts of them, cut out of a picture at one place, size and roll (method.md, 2.1).

`Crop` says what is cut, and everything here samples with `warp`, apart from two older pictures of
a face that stored data or speed bind to their own sampling: `aligned_patch` and `take_patch`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.features.pixels import Image, box_of, grey, shrink
from facetrack.features.resize import average
from facetrack.features.warp import inside, warp
from facetrack.landmarks.markup import GROUPS, OUTER_EYE_CORNERS, REGIONS, STABLE
from facetrack.landmarks.procrustes import Similarity, fit_similarity

FRAME_SIZE = 160  # px, width and height
EYE_DISTANCE = 55.0  # px between the outer eye corners of the mean shape
FRAME_CENTRE = (79.5, 79.5)  # the mean shape's centroid: in the middle, so that mirroring keeps it

TRACK_PATCH: Final = 24  # px: side of what `take_patch` returns
_INNER: Final = slice(17, 68)  # brows to mouth, which `aligned_patch` shows
_INNER_HALF: Final = 0.85  # of its width, in outer-eye distances

Points = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a region lies in the mean shape, in outer-eye distances d."""

    points: tuple[int, ...]  # its own landmarks
    # from the middle of the outer eye corners, x right, y down; None: mean's centroid
    centre: tuple[float, float] | None
    width: float
    fitted: tuple[int, ...] = STABLE  # the landmarks that bring a face to the mean shape


_ALL: Final = tuple(range(68))
PLACES: Final[dict[str, Place]] = {
    "face": Place(_ALL, (0.0, 0.277), 2.0),  # in 112 px: eye corners 56 px apart, in row 40
    "eyes": Place(GROUPS["eyes"], (0.0, -0.10), 1.60),
    "right_eye": Place(REGIONS["right_eye"], (-0.36, 0.0), 0.50),
    "left_eye": Place(REGIONS["left_eye"], (0.36, 0.0), 0.50),
    "mouth": Place(GROUPS["mouth"], (0.0, 0.87), 1.20),
    "frame": Place(_ALL, None, FRAME_SIZE / EYE_DISTANCE, _ALL),  # the reference frame
}


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A region that was cut out of a picture."""

    pixels: Image  # (height, width[, 3]), uint8
    to_crop: Similarity  # pixels of the picture -> pixels of the crop
    # (height, width), pixels from inside the picture; elsewhere its border repeats
    valid: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Crop:
    """What to cut out of a picture; equal ones are equal keys of a cache.

    InputError if there is no such region, or a size or the margin is too small.
    """

    region: str  # one of `PLACES`
    # (width, height) in pixels; the height shows what it shows at the width's scale
    size: tuple[int, int]
    margin: float = 0.0  # added to the region's width, as a fraction of it
    upright: bool = True  # the face's roll is taken out
    # centred on the region's landmarks in the picture, so that a moving mouth stays put
    follow: bool = False
    colour: bool = False  # BGR, or else grey

    def __post_init__(self) -> None:
        if self.region not in PLACES:
            raise InputError(f"regions are {', '.join(PLACES)}, got {self.region!r}")
        if min(self.size) < 1 or not -1 < self.margin < math.inf:
            raise InputError(f"nothing to cut with size {self.size} and margin {self.margin}")

    def transform(self, points: npt.ArrayLike, mean: npt.ArrayLike) -> Similarity:
        """Find where the crop lies: pixels of the picture -> pixels of the crop.

        By landmarks (68, 2), which shake less if smoothed over time, and the mean shape (68, 2) in
        any frame, its outer eye corners level. InputError if they are not 68, not finite, or
        coincide.
        """
        p, m = np.asarray(points, dtype=np.float64), np.asarray(mean, dtype=np.float64)
        if p.shape != (68, 2) or m.shape != (68, 2):
            raise InputError(f"points and mean must be (68, 2), got {p.shape} and {m.shape}")
        place = PLACES[self.region]
        found = fit_similarity(p[list(place.fitted)], _fitted_in(self, m.tobytes()))
        if self.upright and not self.follow:
            return found
        middle = _middle(self.size)
        seen = p[list(place.points)].mean(axis=0) if self.follow else found.inverse().apply(middle)
        turned = found if self.upright else Similarity(found.scale, 0.0, 0.0, 0.0)
        shift = middle - Similarity(turned.a, turned.b, 0.0, 0.0).apply(seen)
        return Similarity(turned.a, turned.b, *shift.tolist())

    def cut(self, image: Image, points: npt.ArrayLike, mean: npt.ArrayLike) -> Cut:
        """Cut the region out of a picture, (H, W) or (H, W, 3), uint8; see `transform`."""
        to_crop = self.transform(points, mean)
        pixels = warp(image, to_crop, self.size, colour=self.colour)
        return Cut(pixels, to_crop, inside(image.shape, to_crop, self.size))


@lru_cache(maxsize=64)  # few crops of few mean shapes, for every frame
def _fitted_in(crop: Crop, mean: bytes) -> Points:
    """Place the landmarks of the mean shape that a face is fitted to in a crop."""
    m, place = np.frombuffer(mean).reshape(68, 2), PLACES[crop.region]
    right, left = m[list(OUTER_EYE_CORNERS)]
    unit = math.hypot(*(left - right).tolist())
    centre = m.mean(axis=0)
    if place.centre is not None:
        centre = (right + left) / 2 + unit * np.array(place.centre)
    scale = crop.size[0] / (place.width * (1 + crop.margin) * unit)
    return np.asarray((m[list(place.fitted)] - centre) * scale + _middle(crop.size))


def _middle(size: tuple[int, int]) -> Points:
    return (np.array(size) - 1) / 2


def warp_to_frame(image: Image, to_frame: Similarity, *, size: int = FRAME_SIZE) -> Image:
    """Warp the face's part of an image into the reference frame as grey levels, (size, size).

    `to_frame` leads from pixels of the image to the frame's. Only the part under the frame is
    converted; outside the image the border is replicated. InputError if the image is not uint8.
    """
    return warp(image, to_frame, (size, size))


def aligned_patch(image: Image, points: Points, mean: Points, side: int) -> npt.NDArray[np.float32]:
    """Cut the middle of the face out, upright and at one size, without aliasing, (side, side).

    Not `warp`: signatures in profiles and the shipped whitening are of just this sampling, from a
    picture that is shrunk to one and a half times the patch's resolution.
    """
    eye_distance = float(np.linalg.norm(mean[45] - mean[36]))
    half = _INNER_HALF * eye_distance
    target = (mean[_INNER] - mean[_INNER].mean(axis=0) + half) * ((side - 1) / (2 * half))
    to_patch = fit_similarity(points[_INNER], target)
    # Only the face's surroundings are converted to grey and shrunk.
    reach = 0.75 * side / to_patch.scale
    centre = points[_INNER].mean(axis=0)
    height, width = image.shape[:2]
    left, top = np.clip(np.floor(centre - reach), 0, [width - 1, height - 1]).astype(int).tolist()
    right, bottom = np.clip(np.ceil(centre + reach), 1, [width, height]).astype(int).tolist()
    region = grey(image[top : max(bottom, top + 1), left : max(right, left + 1)])
    local = points[_INNER] - [left, top]
    factor = 1.5 * to_patch.scale
    if factor < 1:
        region = shrink(region, factor)
        local = (local + 0.5) * factor - 0.5
    matrix = fit_similarity(local, target).matrix
    patch = cv2.warpAffine(
        region, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return patch.astype(np.float32)


def take_patch(image: Image, points: Points) -> npt.NDArray[np.uint8]:
    """Return the square around the points as (24, 24) grey values, to remember a face by.

    Not `warp`: it is looked for by shifting it over a picture that is shrunk and not turned, so it
    must not be turned either.
    """
    x0, y0, x1, y1 = box_of(points)
    half = 0.5 * max(x1 - x0, y1 - y0)
    region, _ = around(image, np.array([x0 + x1, y0 + y1]) / 2, half)
    if region.ndim == 2 and min(region.shape) >= TRACK_PATCH:
        return average(region, (TRACK_PATCH, TRACK_PATCH))
    small = cv2.resize(
        np.ascontiguousarray(region), (TRACK_PATCH, TRACK_PATCH), interpolation=cv2.INTER_AREA
    )
    return grey(small.astype(np.uint8, copy=False))


def around(
    image: Image, centre: npt.NDArray[np.float64], half: float
) -> tuple[Image, npt.NDArray[np.float64]]:
    """Cut a square of 2 half pixels out as a view, clipped to the image but never empty.

    Returns it with the place (2,) of its first pixel in the image.
    """
    height, width = image.shape[:2]
    left, top = np.clip(np.floor(centre - half), 0, [width - 1, height - 1]).astype(int).tolist()
    right, bottom = np.clip(np.ceil(centre + half) + 1, 1, [width, height]).astype(int).tolist()
    region = image[top : max(bottom, top + 1), left : max(right, left + 1)]
    return region, np.array([left, top], dtype=np.float64)
