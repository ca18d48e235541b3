"""Ten synthetic people with exact truth, made from labelled pictures: easy and hard frames."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np

from facetrack.datasets.pts_folder import LabelledImage
from facetrack.errors import InputError
from facetrack.evaluation.clips import Clip
from facetrack.evaluation.difficulty import Difficulty
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.synthetic.people import MANNERS, Manner, film, is_fit
from facetrack.synthetic.portrait import Portrait
from facetrack.synthetic.proportions import with_room
from facetrack.synthetic.video import SyntheticVideo

N_FRAMES: Final = 300

_TURN: Final = 0.52  # radians that count as a full turn: 30 degrees
_EXPRESSION: Final = 1.5  # standard deviations of the modes that count as a strong expression
_SPEECH: Final = 0.5  # an open mouth, in the same unit
# In the unit of a side light of full strength:
_FLAT: Final = 0.8  # the loss of all contrast
_NOISY: Final = 25.0  # grey levels of noise that count as 1


def synthetic_people(
    pictures: Sequence[LabelledImage],
    shape_model: ShapeModel,
    *,
    n_frames: int = N_FRAMES,
    seed: int = 0,
) -> list[Clip]:
    """Make a clip at 30 frames per second for each of `MANNERS`, with exact truth."""
    portraits = choose_portraits(pictures, shape_model, len(MANNERS))
    return [
        _clip(
            partial(
                film, portrait, shape_model, manner, n_frames=n_frames, seed=seed * len(MANNERS) + k
            )
        )
        for k, (portrait, manner) in enumerate(zip(portraits, MANNERS, strict=True))
    ]


def choose_portraits(
    pictures: Sequence[LabelledImage], shape_model: ShapeModel, count: int
) -> list[Portrait]:
    """Choose pictures that can be brought to life: large, frontal, lips together, with room."""
    # Evenly spread over those that are fit, each with a blurred surrounding in which it can move.
    fit = [p for p in sorted(pictures, key=lambda p: p.name) if _is_fit(p, shape_model)]
    if len(fit) < count:
        raise InputError(
            f"{count} portraits are needed, {len(fit)} of {len(pictures)} pictures are fit: large, "
            "frontal, lips together, with room around the face"
        )
    places = np.linspace(0, len(fit) - 1, count).round().astype(int)
    return [with_room(Portrait(fit[k].read_bgr(), fit[k].points)) for k in places]


def _is_fit(picture: LabelledImage, shape_model: ShapeModel) -> bool:
    height, width = picture.read_grey().shape
    return is_fit(picture.points, (width, height), shape_model)


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
        light=np.array(uneven) + always, pose=np.array(turns), expression=np.hypot(modes, mouths)
    )
