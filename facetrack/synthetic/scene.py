"""What stays the same between two cuts of a synthetic video, and what stands before the heads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from facetrack.synthetic.light import LightPath
from facetrack.synthetic.motion import HeadMotion
from facetrack.synthetic.portrait import Points
from facetrack.synthetic.render import CameraEffects, Noise
from facetrack.video.frame import Image

_BOARD: Final = 0.35  # how far a covering board overlaps the face, of the outer-eye distance


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """How a video's pictures look, whatever the scene; see `CameraEffects`."""

    light: float
    blur: float
    contrast: float
    noise: Noise
    side_light: float | None  # strength of a `Lamp`


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What stays the same between two cuts."""

    start: int  # its first frame
    motions: Sequence[HeadMotion]  # one per head
    lamp: LightPath | None
    effects: CameraEffects
    background: Image


def make_scene(
    start: int,
    motions: Sequence[HeadMotion],
    look: Look,
    size: tuple[int, int],
    *,
    seed: tuple[int, int],
) -> Scene:
    """Draw a scene's background, and how its light and blur change; seeds of video and scene."""
    rng = np.random.default_rng((*seed, len(motions)))
    background = _gradient(rng, size)
    effects = CameraEffects(
        rng, light=look.light, blur=look.blur, noise=look.noise, contrast=look.contrast
    )
    lamp = None
    if look.side_light is not None:
        own = np.random.default_rng((*seed, len(motions), 1))
        lamp = LightPath(own, look.side_light)
    return Scene(start, motions, lamp, effects, background)


def _gradient(rng: np.random.Generator, size: tuple[int, int]) -> Image:
    tone = rng.integers(70, 190, size=(2, 2, 1)) + rng.integers(-20, 21, size=(2, 2, 3))
    corners = tone.astype(np.uint8)
    return np.asarray(cv2.resize(corners, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def draw_board(image: Image, points: Points) -> None:
    """Hide a face behind a board with a few stripes."""
    margin = _BOARD * float(np.linalg.norm(points[45] - points[36]))
    x0, y0 = (int(v) for v in np.floor(points.min(axis=0) - 1.5 * margin))
    x1, y1 = (int(v) for v in np.ceil(points.max(axis=0) + margin))
    cv2.rectangle(image, (x0, y0), (x1, y1), (70, 110, 150), cv2.FILLED)
    for y in range(y0, y1, max((y1 - y0) // 8, 1)):
        cv2.line(image, (x0, y), (x1, y), (55, 90, 125), 2, cv2.LINE_AA)
