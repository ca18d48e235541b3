"""Drawing a moved portrait into a frame, and what a camera does to it: light, blur, noise."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.landmarks.shape_model import ShapeModel
from facetrack.synthetic import _kernels
from facetrack.synthetic.cavity import soft_polygon
from facetrack.synthetic.light import Lamp, Relief, shade
from facetrack.synthetic.mesh import HeadMesh, HeadState, rotation, triangle_areas
from facetrack.synthetic.motion import Placement, Waves
from facetrack.synthetic.palsy import Palsy
from facetrack.synthetic.portrait import Points, Portrait
from facetrack.synthetic.warps import look_up
from facetrack.video.frame import Image

Noise = npt.NDArray[np.int16]

MAX_ENLARGEMENT: Final = 4
NOISE_MARGIN: Final = 128  # pixels: how far the stored noise can be shifted
_CAVITY: Final = (22, 14, 34)  # BGR of the dark in an open mouth
# The soft oval that cuts a head out of its portrait, in outer-eye distances of the head's frame.
_OVAL_CENTRE: Final = (0.0, 0.02)
_OVAL_RADII: Final = (1.5, 1.72)
_OVAL_EDGE: Final = 0.12
_MID_GREY: Final = 128


class HeadRenderer:
    """Draws one portrait, the `whole` of it to fill the frame, or the person with a soft edge.

    `eye_distance` is about how large it will be drawn, pixels: the portrait is enlarged once
    beforehand, with better interpolation than a frame could afford.
    """

    def __init__(
        self,
        portrait: Portrait,
        shape_model: ShapeModel,
        *,
        eye_distance: float,
        whole: bool,
        palsy: Palsy | None = None,
    ) -> None:
        self.mesh = mesh = HeadMesh(portrait, shape_model, palsy=palsy)
        self._whole = whole
        factor = min(max(math.ceil(eye_distance / mesh.eye_distance - 0.25), 1), MAX_ENLARGEMENT)
        self._texture = cv2.resize(
            portrait.image, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC
        )
        # cv2.resize keeps the corners of the picture, not the centres of its corner pixels.
        self._sources = (mesh.vertices + 0.5) * factor - 0.5
        self._factor = factor
        if not whole:
            self._texture = np.dstack([self._texture, self._opacity(portrait, factor)])
            corners = np.argwhere(self._texture[..., 3])[:, ::-1] / factor
            self._extent = np.stack([corners.min(axis=0), corners.max(axis=0)]) - mesh.eyes

    def draw(
        self, frame: Image, place: Placement, state: HeadState, lamp: Lamp | None = None
    ) -> Points:
        """Draw the head into a BGR frame; return the true landmarks in its pixels."""
        vertices, depth = self.vertices(place, state)
        x0, y0, x1, y1 = self._window(place, frame)
        if x0 < x1 and y0 < y1:
            window = frame[y0:y1, x0:x1]
            lookup = self._lookup(vertices - (x0, y0), depth, window.shape[:2])
            # Beyond its border a portrait continues with its colours there, a cut-out with nothing.
            beyond = cv2.BORDER_REPLICATE if self._whole else cv2.BORDER_CONSTANT
            drawn: Image = look_up(self._texture, lookup, beyond=beyond)
            if lamp is not None:
                shade(drawn, self._relief.gain(lamp.turned_with(rotation(state))), lookup)
            if self._whole:
                window[:] = drawn
            else:
                _kernels.blend(frame, drawn, x0, y0)
            self._darken_mouth(frame, vertices, place)
        return vertices[:68].copy()

    @cached_property
    def _relief(self) -> Relief:
        height, width = self._texture.shape[:2]
        depth, eyes = self._factor * self.mesh.depth, self._factor * self.mesh.eye_distance
        return Relief(self._sources, depth, (width, height), eyes)

    def vertices(
        self, place: Placement, state: HeadState
    ) -> tuple[Points, npt.NDArray[np.float64]]:
        """Return the vertices in pixels of the frame and their depths; see `HeadMesh.pose`."""
        moved, depth = self.mesh.pose(state)
        scale = place.eye_distance / self.mesh.eye_distance
        return (moved - self.mesh.eyes) * scale + (place.x, place.y), depth

    def _window(self, place: Placement, frame: Image) -> tuple[int, int, int, int]:
        height, width = frame.shape[:2]
        if self._whole:
            return 0, 0, width, height
        scale = place.eye_distance / self.mesh.eye_distance
        reach = 0.6 * place.eye_distance  # how far a turn or a nod carries the head's edge
        low, high = self._extent * scale + (place.x, place.y)
        return (
            min(max(math.floor(low[0] - reach), 0), width),
            min(max(math.floor(low[1] - reach), 0), height),
            max(min(math.ceil(high[0] + reach), width), 0),
            max(min(math.ceil(high[1] + reach), height), 0),
        )

    def _lookup(
        self, vertices: Points, depth: npt.NDArray[np.float64], shape: tuple[int, ...]
    ) -> npt.NDArray[np.float32]:
        """For every pixel of a window the place in the texture, shape (H, W, 2), float32."""
        corners = vertices[self.mesh.triangles]
        # Back sides are hidden by some front side: the mesh is one sheet whose rim stays put.
        front = np.flatnonzero(triangle_areas(vertices, self.mesh.triangles) > 1e-6)
        distance = depth[self.mesh.triangles[front]].mean(axis=1)
        far_first = front[np.argsort(-distance, kind="stable")]
        homogeneous = np.concatenate([corners[front], np.ones((len(front), 3, 1))], axis=2)
        maps = np.zeros((len(corners), 2, 3))
        maps[front] = np.linalg.solve(
            homogeneous, self._sources[self.mesh.triangles[front]]
        ).transpose(0, 2, 1)
        lookup = np.full((*shape, 2), -1e4, dtype=np.float32)
        _kernels.rasterise(np.ascontiguousarray(corners), maps, far_first, lookup)
        return lookup

    def _opacity(self, portrait: Portrait, factor: int) -> Image:
        """Opacity of the cut-out, shape (H, W), uint8: the person's outline or an oval."""
        height, width = self._texture.shape[:2]
        if portrait.outline is not None:
            outline = (portrait.outline + 0.5) * factor - 0.5
            # The edge fades inwards only: outside is the portrait's own background.
            soft = soft_polygon((height, width), outline, factor).astype(np.float32)
            return np.rint(np.clip(2 * soft - 255, 0, 255)).astype(np.uint8)
        y, x = np.mgrid[:height, :width]
        pixels = (np.stack([x, y], axis=-1) + 0.5) / factor - 0.5
        place = (pixels - self.mesh.eyes) @ np.linalg.inv(self.mesh.axes)
        radius = np.linalg.norm((place - _OVAL_CENTRE) / _OVAL_RADII, axis=-1)
        opacity: Image = np.rint(255 * np.clip((1 - radius) / _OVAL_EDGE, 0, 1)).astype(np.uint8)
        return opacity

    def _darken_mouth(self, frame: Image, vertices: Points, place: Placement) -> None:
        rest = np.linalg.norm(self.mesh.cavity(self.mesh.vertices)[2] - self.mesh.vertices[66])
        outline = self.mesh.cavity(vertices)
        gap = np.linalg.norm(outline[2] - vertices[66]) / place.eye_distance
        strength = float(np.clip((gap - rest / self.mesh.eye_distance) / 0.06, 0, 1))
        x0, y0 = (int(v) for v in np.maximum(np.floor(outline.min(axis=0)) - 4, 0))
        x1, y1 = (int(v) for v in np.ceil(outline.max(axis=0)) + 5)
        window = frame[y0 : max(y1, 0), x0 : max(x1, 0)]
        if strength == 0 or not window.size:
            return
        blur, value = max(place.eye_distance / 90, 0.5), round(235 * strength)
        mask = soft_polygon(window.shape[:2], outline - (x0, y0), blur, value)
        layer = np.dstack([np.full((*mask.shape, 3), _CAVITY, np.uint8), mask])
        _kernels.blend(frame, layer, x0, y0)


def noise_field(rng: np.random.Generator, size: tuple[int, int], sigma: float) -> Noise:
    """Draw the noise, in grey levels, of which every frame shows another part; sigma 0 is none.

    Fresh noise for every frame would cost more than everything else together.
    """
    width, height = size
    shape = (height + NOISE_MARGIN, width + NOISE_MARGIN, 3)
    if sigma == 0:
        return np.zeros(shape, dtype=np.int16)
    values = sigma * rng.standard_normal(shape, dtype=np.float32)
    return np.asarray(np.rint(values), dtype=np.int16)


class CameraEffects:
    """Light that wanders over the scene, blur and noise; everything random is drawn at once.

    `light` is how much brighter or darker the frame's edges and its whole become, as a part of 1;
    `blur` the largest standard deviation in pixels; `contrast` multiplies differences from mid
    grey.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        *,
        light: float,
        blur: float,
        noise: Noise,
        contrast: float = 1.0,
    ) -> None:
        self._light, self._blur, self._noise = light, blur, noise
        self._contrast = contrast
        self._waves = Waves(rng, 4, rates=(0.05, 0.3))

    def apply(self, frame: Image, time: float, index: int, seed: int) -> Image:
        """Return a frame as the camera gives it at a time; index and seed choose its noise."""
        seen: npt.NDArray[Any] = frame
        along_x, along_y, whole, soft = self._waves.at(time)
        height, width = frame.shape[:2]
        if self._light:
            y, x = np.mgrid[-1:1:6j, -1:1:8j]
            gain = 1 + self._light * (along_x * x + along_y * y + 0.6 * whole)
            small = np.clip(np.rint(128 * gain), 0, 255).astype(np.uint8)
            large = cv2.resize(np.dstack([small] * 3), (width, height))
            seen = cv2.multiply(seen, large, scale=1 / 128)
        sigma = self._blur * (0.65 + 0.35 * soft)
        if sigma > 0.2:  # below, the kernel is a single pixel
            seen = cv2.GaussianBlur(seen, (0, 0), sigma)
        if self._contrast != 1:
            shift = _MID_GREY * (1 - self._contrast)
            seen = cv2.addWeighted(seen, self._contrast, seen, 0, shift)
        dx, dy = np.random.default_rng((seed, index)).integers(NOISE_MARGIN, size=2)
        field = self._noise[dy : dy + height, dx : dx + width]
        seen = cv2.add(seen, field, dtype=cv2.CV_8U)
        return np.ascontiguousarray(seen, dtype=np.uint8)
