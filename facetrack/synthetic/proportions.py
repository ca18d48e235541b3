"""Portraits made fit for synthetic video: more room around them, an infant's proportions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.landmarks.markup import REGIONS
from facetrack.landmarks.procrustes import Similarity
from facetrack.synthetic.portrait import Points, Portrait
from facetrack.synthetic.warps import look_up, rim

_ROOM: Final = 1.6  # outer-eye distances that `with_room` adds on every side
_STEP: Final = 4  # pixels: the warp is smooth, so every fourth is computed
# Infants: eyes large and low, brows high, the lower face short and narrow, cheeks round.
_SHORTER: Final = 0.78
_EYES: Final = (1.1, 1.3)  # wider, higher
_BROWS_UP: Final = 0.07
_JAW_WIDTH: Final = np.interp(
    np.arange(17), [0, 3, 5, 8, 11, 13, 16], [1, 1.1, 1.06, 1, 1.06, 1.1, 1]
)
_MOUTH_WIDTH: Final = 0.86
_NOSE_WIDTH: Final = 0.92
_ANCHORS: Final = 60  # landmarks that hold the warp
_SMOOTHING: Final = 1.0  # of the spline: neighbours may disagree by a pixel
_ROUNDS: Final = 40
_CROWN: Final = [(x, -0.85) for x in (-0.6, 0.0, 0.6)]
_CROWN_UP: Final = 0.12


def with_room(portrait: Portrait) -> Portrait:
    """Surround a tightly cut portrait with a blurred continuation of its border."""
    eyes = float(np.linalg.norm(portrait.points[45] - portrait.points[36]))
    margin = round(_ROOM * eyes)
    sides = (margin,) * 4
    sharp = cv2.copyMakeBorder(portrait.image, *sides, cv2.BORDER_REPLICATE)
    soft = cv2.GaussianBlur(sharp, (0, 0), 0.3 * eyes)
    inside = np.full(portrait.image.shape[:2], 255, np.uint8)
    mask = cv2.copyMakeBorder(inside, *sides, cv2.BORDER_CONSTANT, value=0)
    # The change lies outside of the portrait only: its hair may reach its border.
    reach = 2 * round(0.08 * eyes) + 1
    mask = cv2.blur(cv2.dilate(mask, np.ones((reach, reach), np.uint8)), (reach, reach))
    weight = mask[..., None] / 255.0
    image = np.rint(weight * sharp + (1 - weight) * soft).astype(np.uint8)
    return Portrait(image, portrait.points + margin)


def infant(portrait: Portrait) -> Portrait:
    """Give a portrait the proportions of an infant's face."""
    height, width = portrait.image.shape[:2]
    eyes = portrait.points[[36, 45]]
    a, b = (eyes[1] - eyes[0]).tolist()
    to_picture = Similarity(a, b, *eyes.mean(axis=0).tolist())
    head, crown = to_picture.inverse().apply(portrait.points), np.array(_CROWN)
    part = np.linspace(0, 1, 5)
    border = rim(part * (width - 1), part * (height - 1))
    old, new = (
        np.concatenate([to_picture.apply(np.concatenate(inner)), border])
        for inner in (
            (head[:_ANCHORS], crown),
            (_childlike(head)[:_ANCHORS], crown - (0, _CROWN_UP)),
        )
    )
    # The inner lips may touch and cannot hold a spline; they go where it takes them.
    from scipy.interpolate import RBFInterpolator  # loads slowly; the demo needs none

    back = RBFInterpolator(new, old, smoothing=_SMOOTHING)
    y, x = np.mgrid[0 : height + _STEP : _STEP, 0 : width + _STEP : _STEP].astype(np.float64)
    coarse = back(np.stack([x.ravel(), y.ravel()], axis=1)).reshape(*x.shape, 2)
    lookup = _refine(coarse.astype(np.float32), width, height)
    image = look_up(portrait.image, lookup, how=cv2.INTER_CUBIC)
    return Portrait(image, _solve(back, portrait.points))


def _solve(back: Callable[[Points], Points], points: Points) -> Points:
    """Find where a map from the new picture to the old one takes its values at `points`."""
    solution = points.copy()
    for _ in range(_ROUNDS):  # contracts: the map stretches nothing by more than about a third
        solution += points - back(solution)
    return solution


def _childlike(head: Points) -> Points:
    """Move landmarks in the head's frame: outer-eye distances, origin between the eyes."""
    child = head.copy()
    below = child[:, 1] > 0
    child[below, 1] *= _SHORTER
    child[:17, 0] *= _JAW_WIDTH
    for name in ("outer_mouth", "inner_mouth"):
        child[list(REGIONS[name]), 0] *= _MOUTH_WIDTH
    child[31:36, 0] *= _NOSE_WIDTH
    child[17:27, 1] -= _BROWS_UP
    for name in ("right_eye", "left_eye"):
        eye = list(REGIONS[name])
        middle = head[eye].mean(axis=0)
        child[eye] = middle + (head[eye] - middle) * _EYES
    return child


def _refine(coarse: npt.NDArray[np.float32], width: int, height: int) -> npt.NDArray[np.float32]:
    """Interpolate a map that is known at every fourth pixel, from pixel (0, 0) on."""
    y, x = np.mgrid[:height, :width].astype(np.float32) / _STEP
    return np.asarray(cv2.remap(coarse, x, y, cv2.INTER_LINEAR), dtype=np.float32)
