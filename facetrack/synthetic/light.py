"""Light from one side that wanders around a synthetic head."""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.synthetic.motion import Waves
from facetrack.synthetic.warps import look_up
from facetrack.video.frame import Image

Vector = npt.NDArray[np.float64]

COARSE: Final = 4  # pixels of the texture per cell of the relief: shading has no finer detail
_UNIT: Final = 128  # the gain 1 as a grey value
_SOFT: Final = 0.06  # standard deviation that smooths the relief, outer-eye distances
_EDGE: Final = 0.45  # width of the shadow's edge, in the cosine between surface and light
_GLARE: Final = 0.35  # how much brighter than the portrait the lit side becomes
_SWING: Final = 1.4  # of the lamp to each side, radians around the head; pi / 2 is beside it
_RATES: Final = (0.08, 0.25)  # lowest and highest frequency of its motion, hertz
_ELEVATION: Final = 0.5  # radians above the head
# The oval within which the relief is the head's, in outer-eye distances of the head's frame.
_HEAD_CENTRE: Final = (0.0, -0.05)
_HEAD_RADII: Final = (0.92, 1.35)
_HEAD_RIM: Final = 0.2
_USUAL_PEAK: Final = 0.7  # what a wave reaches in ten seconds


class Lamp(NamedTuple):
    """A lamp at one moment, in a direction (unit vector: right, down, away from the viewer)."""

    direction: Vector
    strength: float  # 0: no lamp; 1: what faces away from it is black

    def turned_with(self, rotation: Vector) -> Lamp:
        """Return it as a head sees it that is turned by this matrix, shape (3, 3)."""
        return Lamp(rotation.T @ self.direction, self.strength)


class LightPath:
    """Where a lamp is at each time, from one side of the head to the other and back."""

    def __init__(self, rng: np.random.Generator, strength: float) -> None:
        self._strength = strength
        self._waves = Waves(rng, 1, rates=_RATES)

    def lamp(self, time: float) -> Lamp:
        """Return where the lamp is at a time in seconds, in the camera's axes."""
        angle, up = self._angle(time), _ELEVATION
        towards = [np.sin(angle) * np.cos(up), -np.sin(up), -np.cos(angle) * np.cos(up)]
        return Lamp(np.array(towards), self._strength)

    def unevenness(self, time: float) -> float:
        """Return how one-sided the light is: 0 from the front, 1 from beside with full strength."""
        return self._strength * abs(float(np.sin(self._angle(time))))

    def _angle(self, time: float) -> float:
        wave = float(self._waves.at(time)[0])
        return _SWING * float(np.clip(wave / _USUAL_PEAK, -1, 1))


class Relief:
    """Which way every place of a portrait faces.

    `vertices` (n, 2), `depth` (n,) and `eye_distance` are in pixels of the texture of this size.
    """

    def __init__(
        self, vertices: Vector, depth: Vector, size: tuple[int, int], eye_distance: float
    ) -> None:
        width, height = (max(side // COARSE, 2) for side in size)
        y, x = np.mgrid[:height, :width]
        from scipy.interpolate import LinearNDInterpolator  # loads slowly; the demo needs none

        surface = LinearNDInterpolator(vertices, depth, fill_value=float(depth.max()))
        z = surface(COARSE * x + COARSE / 2, COARSE * y + COARSE / 2)
        z = cv2.GaussianBlur(z, (0, 0), max(_SOFT * eye_distance / COARSE, 0.5))
        slope = np.stack(np.gradient(z, COARSE)[::-1], axis=-1)
        # What lies around the head faces the viewer: the mesh's depth there is no surface.
        eyes = vertices[[36, 45]]
        across, down = eyes[1] - eyes[0], (eyes[1] - eyes[0])[::-1] * (-1, 1)
        place = np.stack([COARSE * x, COARSE * y], axis=-1) + COARSE / 2 - eyes.mean(axis=0)
        place = place @ np.linalg.inv(np.stack([across, down]))
        radius = np.linalg.norm((place - _HEAD_CENTRE) / _HEAD_RADII, axis=-1)
        slope *= np.clip((1 - radius) / _HEAD_RIM + 1, 0, 1)[..., None]
        normals = np.concatenate([slope, np.full_like(slope[..., :1], -1)], axis=-1)
        self._normals = normals / np.linalg.norm(normals, axis=-1, keepdims=True)

    def gain(self, lamp: Lamp) -> Image:
        """Compute how bright a lamp in the portrait's axes makes each cell; 128 is as it was."""
        lit = np.clip((self._normals @ lamp.direction) / _EDGE, 0, 1)
        lit = lit * lit * (3 - 2 * lit)
        gain = 1 + lamp.strength * ((1 + _GLARE) * lit - 1)
        return np.asarray(np.clip(np.rint(_UNIT * gain), 0, 255), dtype=np.uint8)


def shade(drawn: Image, gain: Image, lookup: npt.NDArray[np.float32]) -> None:
    """Light a drawn head in place; an opacity stays.

    `gain` is of a texture (see `Relief`), in which `lookup`, (h, w, 2), gives each pixel's place.
    """
    cells = (lookup - (COARSE - 1) / 2) / COARSE
    colours = np.ascontiguousarray(drawn[..., :3])
    drawn[..., :3] = cv2.multiply(colours, np.dstack([look_up(gain, cells)] * 3), scale=1 / _UNIT)
