"""Good photographs made as bad as video can be: small, blurred, noisy, dark, covered, cut off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.landmarks.markup import outer_eye_distance
from facetrack.training.pictures import Picture

Grey = npt.NDArray[np.uint8]
Way = Callable[[Picture, np.random.Generator], Picture]

_SMALLEST_EYES: Final = 16.0  # px between the outer eye corners: a face just large enough to track
_LARGEST_EYES: Final = 45.0


def augment(picture: Picture, rng: np.random.Generator) -> Picture:
    """Make a picture worse in one or two ways."""
    for number in rng.choice(len(_WAYS), size=rng.integers(1, 3), replace=False).tolist():
        picture = _WAYS[number](picture, rng)
    return replace(picture, box=None, five=None)


def _smaller(picture: Picture, rng: np.random.Generator) -> Picture:
    """Shrink, as if the face were farther away."""
    eyes = np.exp(rng.uniform(np.log(_SMALLEST_EYES), np.log(_LARGEST_EYES)))
    factor = float(eyes / outer_eye_distance(picture.points))
    if factor >= 1:
        return picture
    height, width = picture.grey.shape
    size = max(2, round(width * factor)), max(2, round(height * factor))
    grey = _grey(cv2.resize(picture.grey, size, interpolation=cv2.INTER_AREA))
    scale = np.array(size) / (width, height)  # pixel centres at integers
    return replace(picture, grey=grey, points=(picture.points + 0.5) * scale - 0.5)


def _blurred(picture: Picture, rng: np.random.Generator) -> Picture:
    """Put the face out of focus, or move it during the exposure."""
    eyes = float(outer_eye_distance(picture.points))
    if rng.random() < 0.5:
        sigma = eyes * rng.uniform(0.01, 0.06)
        return replace(picture, grey=_grey(cv2.GaussianBlur(picture.grey, (0, 0), sigma)))
    length, angle = eyes * rng.uniform(0.03, 0.2), rng.uniform(0, np.pi)
    half = max(1, round(length / 2))
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    along = half * np.array([np.cos(angle), np.sin(angle)])
    ends = [tuple(np.rint(half + sign * along).astype(int).tolist()) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return replace(picture, grey=_grey(cv2.filter2D(picture.grey, -1, kernel / kernel.sum())))


def _noisy(picture: Picture, rng: np.random.Generator) -> Picture:
    return replace(picture, grey=_with_noise(picture.grey, np.exp(rng.uniform(1.0, 3.3)), rng))


def _dark(picture: Picture, rng: np.random.Generator) -> Picture:
    """Take the light away, from one side more than from the other, and add a sensor's noise."""
    height, width = picture.grey.shape
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    light = rng.uniform(0.08, 0.5) * np.exp(
        rng.uniform(0, 1.5) * (x * np.cos(angle) + y * np.sin(angle))
    )
    return replace(picture, grey=_with_noise(picture.grey * light, rng.uniform(1, 6), rng))


def _covered(picture: Picture, rng: np.random.Generator) -> Picture:
    """Lay another part of the picture over a part of the face, as a hand or a cup would."""
    height, width = picture.grey.shape
    eyes = float(outer_eye_distance(picture.points))
    size = np.minimum(eyes * rng.uniform(0.3, 1.2, 2), (width, height)).astype(int)
    if size.min() < 2:
        return picture
    x, y = (rng.uniform(0, 1, 2) * ((width, height) - size)).astype(int).tolist()
    piece = picture.grey[y : y + size[1], x : x + size[0]][::-1].copy()
    corner = picture.points[rng.integers(68)] - size / 2
    left, top = np.clip(corner, 0, np.array([width, height]) - size).astype(int).tolist()
    grey = picture.grey.copy()
    grey[top : top + size[1], left : left + size[0]] = piece
    return replace(picture, grey=grey)


def _cut_off(picture: Picture, rng: np.random.Generator) -> Picture:
    """Let the picture's border run through the face."""
    height, width = picture.grey.shape
    low, high = picture.points.min(axis=0), picture.points.max(axis=0)
    share = rng.uniform(0, 0.3)
    (x0, y0), (x1, y1) = low + share * (high - low), high - share * (high - low)
    left, top, right, bottom = [
        (max(0, int(x0)), 0, width, height),
        (0, max(0, int(y0)), width, height),
        (0, 0, min(width, int(x1)), height),
        (0, 0, width, min(height, int(y1))),
    ][rng.integers(4)]
    if right - left < 2 or bottom - top < 2:
        return picture
    grey = np.ascontiguousarray(picture.grey[top:bottom, left:right])
    return replace(picture, grey=grey, points=picture.points - (left, top))


_WAYS: Final[tuple[Way, ...]] = (_smaller, _blurred, _noisy, _dark, _covered, _cut_off)


def _with_noise(
    image: npt.NDArray[np.floating] | Grey, sigma: float, rng: np.random.Generator
) -> Grey:
    noise = sigma * rng.standard_normal(image.shape, dtype=np.float32)
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)


def _grey(image: object) -> Grey:
    """OpenCV's type hints say less than is known of its results."""
    return np.asarray(image, dtype=np.uint8)
