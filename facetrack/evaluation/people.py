"""Ten synthetic people with exact truth, made from labelled pictures: easy and hard frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import numpy as np

from facetrack.datasets.pts_folder import LabelledImage
from facetrack.errors import InputError
from facetrack.evaluation.clips import Clip
from facetrack.evaluation.difficulty import Difficulty
from facetrack.landmarks.markup import outer_eye_distance
from facetrack.landmarks.pose import head_pose
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.synthetic.light import SideLight
from facetrack.synthetic.motion import Amplitudes, Placement
from facetrack.synthetic.palsy import Palsy
from facetrack.synthetic.portrait import Portrait
from facetrack.synthetic.proportions import infant, with_room
from facetrack.synthetic.video import SyntheticFace, SyntheticVideo

N_FRAMES: Final = 300
SIZE: Final = (640, 480)

# What a picture must be to become a portrait that can turn and talk.
_SMALLEST: Final = 75.0  # px between the outer eye corners
_TURNED: Final = (0.21, 0.14, 0.21)  # radians of pitch, yaw, roll
_OPEN: Final = 0.12  # gap of the lips, outer-eye distances
_ROOM: Final = (0.6, 0.7)  # beside and below, above the landmarks: outer-eye distances

_TURN: Final = 0.52  # radians that count as a full turn: 30 degrees
_EXPRESSION: Final = 1.5  # standard deviations of the modes that count as a strong expression
_SPEECH: Final = 0.5  # an open mouth, in the same unit
# In the unit of a side light of full strength:
_FLAT: Final = 0.8  # the loss of all contrast
_NOISY: Final = 25.0  # grey levels of noise that count as 1


@dataclass(frozen=True, slots=True)
class Manner:
    """What makes one synthetic person hard to follow.

    Attributes
    ----------
    name : str
    amplitudes : Amplitudes
    eye_distance : float
        Outer-eye distance in pixels.
    scene : dict
        Light, blur, noise, contrast and side light, as `SyntheticVideo` takes them.
    palsy : Palsy or None
    infant : bool
        Whether the portrait is given an infant's proportions.
    """

    name: str
    amplitudes: Amplitudes
    eye_distance: float = 90.0
    scene: dict[str, Any] = field(default_factory=dict)
    palsy: Palsy | None = None
    infant: bool = False


def _motion(*, modes: float = 0.4, **amplitudes: float) -> Amplitudes:
    """Turn the head by its turns only: beyond small ones, the modes' own would fold the face."""
    return Amplitudes(modes=modes, turning=0.0, **amplitudes)


MANNERS: Final = (
    Manner("side_light", _motion(modes=0.5), scene={"side_light": SideLight(0.92)}),
    Manner("expressions", _motion(yaw=0.25, modes=1.5, mouth=1.4, pace=1.3), 100),
    Manner("turns", _motion(yaw=0.75, pitch=0.35, modes=0.6)),
    Manner("rolls_fast", _motion(roll=0.6, travel=0.25, zoom=0.25, modes=0.8, pace=2.2), 75),
    Manner("noise_blur", _motion(modes=0.6), 55, {"noise": 14.0, "blur": 2.0}),
    Manner("low_contrast", _motion(modes=0.9), 85, {"contrast": 0.25, "noise": 5.0}),
    Manner(
        "palsy",
        _motion(yaw=0.3, modes=1.2, mouth=1.3),
        105,
        {"side_light": SideLight(0.6)},
        Palsy("right"),
    ),
    Manner("infant", _motion(yaw=0.55, modes=0.9, pace=1.2), 85, infant=True),
    Manner(
        "light_expressions",
        _motion(yaw=0.4, modes=1.3, mouth=1.2),
        95,
        {"side_light": SideLight(0.7)},
    ),
    Manner(
        "everything",
        _motion(yaw=0.65, pitch=0.3, roll=0.3, modes=1.2, travel=0.2, pace=1.6),
        75,
        {"side_light": SideLight(0.8), "noise": 8.0, "blur": 1.2, "contrast": 0.7},
    ),
)


def synthetic_people(
    pictures: Sequence[LabelledImage],
    shape_model: ShapeModel,
    *,
    n_frames: int = N_FRAMES,
    seed: int = 0,
) -> list[Clip]:
    """Make ten synthetic people who differ in face, motion, expression and light.

    Parameters
    ----------
    pictures : sequence of LabelledImage
        Portraits are taken from these; see `choose_portraits`.
    shape_model : ShapeModel
        Moves the portraits.
    n_frames : int
        Length of each clip, at 30 frames per second.
    seed : int
        Of all motion, light and noise.

    Returns
    -------
    list of Clip
        One for each of `MANNERS`, 640 x 480 px, with the exact truth as reference and the
        difficulty of every frame.

    Raises
    ------
    InputError
        If fewer than ten pictures are fit to be portraits.
    """
    portraits = choose_portraits(pictures, shape_model, len(MANNERS))
    return [
        _clip(partial(_video, portrait, shape_model, manner, n_frames, seed * len(MANNERS) + k))
        for k, (portrait, manner) in enumerate(zip(portraits, MANNERS, strict=True))
    ]


def choose_portraits(
    pictures: Sequence[LabelledImage], shape_model: ShapeModel, count: int
) -> list[Portrait]:
    """Choose pictures that can be brought to life: large, frontal, lips together, with some room.

    Parameters
    ----------
    pictures : sequence of LabelledImage
    shape_model : ShapeModel
        Its mean head tells how a face is turned.
    count : int
        How many.

    Returns
    -------
    list of Portrait
        In the order of their names, evenly spread over those that are fit; each with a blurred
        surrounding in which it can move.

    Raises
    ------
    InputError
        If too few are fit.
    """
    fit = [p for p in sorted(pictures, key=lambda p: p.name) if _is_fit(p, shape_model)]
    if len(fit) < count:
        raise InputError(
            f"{count} portraits are needed, {len(fit)} of {len(pictures)} pictures are fit: large, "
            "frontal, lips together, with room around the face"
        )
    places = np.linspace(0, len(fit) - 1, count).round().astype(int)
    return [with_room(Portrait(fit[k].read_bgr(), fit[k].points)) for k in places]


def _is_fit(picture: LabelledImage, shape_model: ShapeModel) -> bool:
    points = picture.points
    eyes = float(outer_eye_distance(points))
    if eyes < _SMALLEST or np.linalg.norm(points[62] - points[66]) > _OPEN * eyes:
        return False
    height, width = picture.read_grey().shape
    around = np.array([width, height]) - 1 - points.max(axis=0)
    beside = min(float(points[:, 0].min()), *around.tolist())
    if beside < _ROOM[0] * eyes or points[:, 1].min() < _ROOM[1] * eyes:
        return False
    turned = np.abs(head_pose(points, shape_model.mean_3d, (width, height)).rotation)
    return bool((turned < _TURNED).all())


def _video(
    portrait: Portrait, shape_model: ShapeModel, manner: Manner, n_frames: int, seed: int
) -> SyntheticVideo:
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


def _clip(opener: partial[SyntheticVideo]) -> Clip:
    video = opener()
    manner: Manner = opener.args[2]
    truth = np.stack([video.truth(index) for index in range(video.n_frames)])
    return Clip(
        name=manner.name,
        open=opener,
        references={"truth": truth},
        compared=np.ones(video.n_frames, dtype=bool),
        exact=True,
        difficulty=_difficulty(video, manner),
    )


def _difficulty(video: SyntheticVideo, manner: Manner) -> Difficulty:
    heads = [video.head(index) for index in range(video.n_frames)]
    turns = [np.linalg.norm([h.yaw, h.pitch, h.roll]) / _TURN for h in heads]
    modes = [np.sqrt(np.mean(h.modes**2)) / _EXPRESSION for h in heads]
    mouths = [_SPEECH * max(h.mouth, 0.0) for h in heads]
    scene = manner.scene
    always = _FLAT * (1 - scene.get("contrast", 1.0)) + scene.get("noise", 0.0) / _NOISY
    uneven = [video.unevenness(index) for index in range(video.n_frames)]
    return Difficulty(
        light=np.array(uneven) + always,
        pose=np.array(turns),
        expression=np.hypot(modes, mouths),
    )
