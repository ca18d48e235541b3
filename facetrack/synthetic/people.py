"""Synthetic people: what makes one of them hard to follow, and who can be one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.landmarks.markup import outer_eye_distance
from facetrack.landmarks.pose import head_pose
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.synthetic.motion import Amplitudes, Placement
from facetrack.synthetic.palsy import Palsy
from facetrack.synthetic.portrait import Portrait
from facetrack.synthetic.proportions import infant
from facetrack.synthetic.video import SyntheticFace, SyntheticVideo

SIZE: Final = (640, 480)

# What a picture must be to become a portrait that can turn and talk.
_SMALLEST: Final = 75.0  # px between the outer eye corners
_TURNED: Final = (0.21, 0.14, 0.21)  # radians of pitch, yaw, roll
_OPEN: Final = 0.12  # gap of the lips, outer-eye distances
_ROOM: Final = (0.6, 0.7)  # beside and below, above the landmarks: outer-eye distances


@dataclass(frozen=True, slots=True)
class Manner:
    """What makes one synthetic person hard to follow."""

    name: str
    amplitudes: Amplitudes
    eye_distance: float = 90.0  # between the outer corners, pixels
    scene: dict[str, Any] = field(default_factory=dict)  # as for `SyntheticVideo`
    palsy: Palsy | None = None
    infant: bool = False  # give the portrait an infant's proportions


def _motion(*, modes: float = 0.4, **amplitudes: float) -> Amplitudes:
    """Turn the head by its turns only: beyond small ones, the modes' own would fold the face."""
    return Amplitudes(modes=modes, turning=0.0, **amplitudes)


# What `draw_manner` draws from: share and range of what a scene may have, ranges of motions.
_SCENES: Final = {
    "side_light": (0.6, 0.3, 0.95),
    "noise": (0.5, 3.0, 16.0),
    "blur": (0.5, 0.8, 2.2),
    "contrast": (0.4, 0.25, 1.0),
}
_MOTIONS: Final = {
    "yaw": (0.2, 0.75),
    "pitch": (0.1, 0.35),
    "roll": (0.1, 0.6),
    "modes": (0.3, 1.5),
    "mouth": (0.5, 2.0),
}
_EYES: Final = (50.0, 115.0)  # px between the outer eye corners
_RARE: Final = 0.1  # share of palsies, and of infants

MANNERS: Final = (
    Manner("side_light", _motion(modes=0.5), scene={"side_light": 0.92}),
    Manner("expressions", _motion(yaw=0.25, modes=1.5, mouth=1.4, pace=1.3), 100),
    Manner("turns", _motion(yaw=0.75, pitch=0.35, modes=0.6)),
    Manner("rolls_fast", _motion(roll=0.6, travel=0.25, zoom=0.25, modes=0.8, pace=2.2), 75),
    Manner("noise_blur", _motion(modes=0.6), 55, {"noise": 14.0, "blur": 2.0}),
    Manner("low_contrast", _motion(modes=0.9), 85, {"contrast": 0.25, "noise": 5.0}),
    Manner(
        "palsy", _motion(yaw=0.3, modes=1.2, mouth=1.3), 105, {"side_light": 0.6}, Palsy("right")
    ),
    Manner("infant", _motion(yaw=0.55, modes=0.9, pace=1.2), 85, infant=True),
    Manner("light_expressions", _motion(yaw=0.4, modes=1.3, mouth=1.2), 95, {"side_light": 0.7}),
    Manner(
        "everything",
        _motion(yaw=0.65, pitch=0.3, roll=0.3, modes=1.2, travel=0.2, pace=1.6),
        75,
        {"side_light": 0.8, "noise": 8.0, "blur": 1.2, "contrast": 0.7},
    ),
)


def draw_manner(rng: np.random.Generator) -> Manner:
    """Draw how a person moves and in what light: from easy to as hard as `MANNERS` get."""
    scene: dict[str, Any] = {}
    for name, (share, low, high) in _SCENES.items():
        if rng.random() < share:
            scene[name] = rng.uniform(low, high)
    amplitudes = _motion(**{name: rng.uniform(*range_) for name, range_ in _MOTIONS.items()})
    palsy = Palsy(("right", "left")[rng.integers(2)]) if rng.random() < _RARE else None
    return Manner(
        "drawn", amplitudes, rng.uniform(*_EYES), scene, palsy, bool(rng.random() < _RARE)
    )


def is_fit(points: npt.NDArray[np.float64], size: tuple[int, int], shape_model: ShapeModel) -> bool:
    """Return whether a picture can be brought to life: large, frontal, lips together, some room."""
    eyes = float(outer_eye_distance(points))
    if eyes < _SMALLEST or np.linalg.norm(points[62] - points[66]) > _OPEN * eyes:
        return False
    around = np.array(size) - 1 - points.max(axis=0)
    beside = min(float(points[:, 0].min()), *around.tolist())
    if beside < _ROOM[0] * eyes or points[:, 1].min() < _ROOM[1] * eyes:
        return False
    turned = np.abs(head_pose(points, shape_model.mean_3d, size).rotation)
    return bool((turned < _TURNED).all())


def film(
    portrait: Portrait, shape_model: ShapeModel, manner: Manner, *, n_frames: int, seed: int
) -> SyntheticVideo:
    """Film a person at 640 x 480 px and 30 frames per second."""
    face = SyntheticFace(
        infant(portrait) if manner.infant else portrait,
        home=Placement(0.5 * SIZE[0], 0.45 * SIZE[1], manner.eye_distance),
        amplitudes=manner.amplitudes,
        whole=True,
        palsy=manner.palsy,
    )
    video = SyntheticVideo(
        shape_model, n_frames=n_frames, size=SIZE, seed=seed, faces=[face], **manner.scene
    )
    video.name = manner.name
    return video
