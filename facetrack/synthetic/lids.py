"""Closing eyes in a picture: lids are drawn in front of the eye, which is covered, not squeezed.

The upper lid comes down, its skin stretched from the band between brow and lid; the lower one
comes up a little.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.synthetic.portrait import Points

Array = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]

# Corners, upper and lower lid of both eyes, each from the image's left of an upright face.
_EYES: Final = (((36, 39), (37, 38), (41, 40)), ((42, 45), (43, 44), (47, 46)))
_BROW: Final = (19, 24)  # its middle, above each eye
_BAND: Final = 0.45  # of what lies between brow and lid: the skin that stretches, without the hair
_RAISED: Final = 0.07  # of the opening: how far the lower lid comes up in a closed eye
_SHUT: Final = 0.95  # of the opening that the upper lid crosses then
_LASHES: Final = 0.6  # of the light that the lashes take at the margin
_LASH_WIDTH: Final = 0.05  # of the distance of the eye's corners


class _Eye(NamedTuple):
    """One eye in its own coordinates: along its corners, from 0 to 1, and down from there."""

    origin: Array
    along: Array  # (2,), from corner to corner, pixels
    down: Array  # (2,), as long
    upper: Array  # (2,), see `_curve`
    lower: Array
    band: float

    @property
    def can_close(self) -> bool:
        """Whether there is skin to stretch, and enough of an eye to see."""
        return self.band > 0 and float(np.linalg.norm(self.along)) > 4

    def local(self, points: Array) -> Array:
        """Map pixels of the picture to the eye's coordinates."""
        axes = np.stack([self.along, self.down], axis=1) / max(float(self.along @ self.along), 1e-9)
        mapped: Array = (points - self.origin) @ axes
        return mapped

    def image(self, points: Array) -> Array:
        """Map the eye's coordinates to pixels of the picture."""
        mapped: Array = points @ np.stack([self.along, self.down]) + self.origin
        return mapped


def close_lids(
    image: Image, points: Points, shut: tuple[float, float], lashes: tuple[float, float]
) -> tuple[Image, Points]:
    """Close the person's right and left eye in a copy of a picture, grey or colour.

    `points` are landmarks in pixels; they are returned where those of the lids are now. `shut` is
    how far each eye is closed, 0 (as it is) to 1, `lashes` how dark its lashes are, 0 to 1.
    """
    image = image.copy()
    for side in range(2):
        eye = _eye_of(points, side)
        if shut[side] > 0 and eye.can_close:
            _close(image, eye, shut[side], lashes[side])
    return image, closed_points(points, shut)


def closed_points(points: Points, shut: tuple[float, float]) -> Points:
    """Return where landmarks (pixels, open eyes) are once `close_lids` has closed the eyes."""
    result = points.copy()
    for side, (_, *lids) in enumerate(_EYES):
        eye = _eye_of(points, side)
        for number, lid in enumerate(lids if shut[side] > 0 and eye.can_close else []):
            along = eye.local(points[list(lid)])[:, 0]
            margin = _margins(eye, along, shut[side])[number]
            result[list(lid)] = eye.image(np.column_stack([along, margin]))
    return result


def _close(image: Image, eye: _Eye, shut: float, lashes: float) -> None:
    """Close one eye by a share; the picture is changed in place."""
    corners = eye.image(np.array([[0.0, -1.0], [1.0, -1.0], [1.0, 1.0], [0.0, 1.0]]))
    height, width = image.shape[:2]
    x0, y0 = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, None).tolist()
    x1, y1 = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, (width, height)).tolist()
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    x, y = np.meshgrid(np.arange(x0, x1, dtype=np.float64), np.arange(y0, y1, dtype=np.float64))
    u, v = np.moveaxis(eye.local(np.stack([x, y], axis=-1)), -1, 0)
    source, dark = _sources(eye, u, v, shut)
    from_ = eye.image(np.stack([u, source], axis=-1)).astype(np.float32)
    drawn = cv2.remap(
        image, from_[..., 0], from_[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float64)
    light = 1 - _LASHES * lashes * dark
    drawn *= light if image.ndim == 2 else light[..., None]
    image[y0:y1, x0:x1] = np.rint(drawn).astype(np.uint8)


def _eye_of(points: Array, side: int) -> _Eye:
    corners, upper, lower = _EYES[side]
    first, last = points[list(corners)]
    along = last - first
    down = np.array([-along[1], along[0]])
    flat = _Eye(first, along, down, np.zeros(2), np.zeros(2), 0.0)
    brow = flat.local(points[[_BROW[side]]])[0, 1]
    above, below = (_curve(flat.local(points[list(lids)])) for lids in (upper, lower))
    lid = flat.local(points[list(upper)])[:, 1].mean()
    return flat._replace(upper=above, lower=below, band=float(_BAND * (lid - brow)))


def _curve(local: Array) -> Array:
    """Fit v = u (1 - u) (c0 + c1 u) through two points: a lid that ends in the corners."""
    u, v = np.clip(local[:, 0], 0.1, 0.9), local[:, 1]
    if abs(u[1] - u[0]) < 0.05:
        return np.array([4 * v.mean(), 0.0])
    return np.linalg.solve(np.column_stack([u * (1 - u), u * u * (1 - u)]), v).astype(np.float64)


def _height(curve: Array, u: Array) -> Array:
    inside = np.clip(u, 0, 1)
    height: Array = inside * (1 - inside) * (curve[0] + curve[1] * inside)
    return height


def _margins(eye: _Eye, u: Array, shut: float) -> tuple[Array, Array]:
    """Return where the margins of both lids are once the eye is closed by a share."""
    upper, lower = _height(eye.upper, u), _height(eye.lower, u)
    gap = np.maximum(lower - upper, 0)
    raised = lower - _RAISED * shut * gap
    return np.minimum(upper + _SHUT * shut * gap, raised), raised


def _sources(eye: _Eye, u: Array, v: Array, shut: float) -> tuple[Array, Array]:
    """Return from which height each place takes its light, and how dense lashes are there."""
    upper, lower = _height(eye.upper, u), _height(eye.lower, u)
    margin, raised = _margins(eye, u, shut)
    top, bottom = upper - eye.band, lower + eye.band
    inside = (u > 0) & (u < 1) & (lower > upper)
    stretched = top + (v - top) * eye.band / np.maximum(margin - top, 1e-6)
    lifted = bottom - (bottom - v) * eye.band / np.maximum(bottom - raised, 1e-6)
    source = v.copy()
    for where, moved in (
        ((v > top) & (v <= margin), stretched),
        ((v >= raised) & (v < bottom), lifted),
    ):
        np.copyto(source, moved, where=inside & where)
    along = np.where(inside, np.clip(4 * u * (1 - u), 0, 1), 0.0)
    return source, along * np.exp(-(((v - margin) / _LASH_WIDTH) ** 2))
