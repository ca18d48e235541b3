"""Learning how people differ, and measuring how well it tells them apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.datasets.pts_folder import LabelledImage
from facetrack.errors import InputError
from facetrack.features.crops import aligned_patch
from facetrack.fitting.face_model import FaceModel
from facetrack.identity.appearance import N_VALUES, SIDE, Values, Whitening, gradients
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.synthetic.motion import Amplitudes, Placement
from facetrack.synthetic.portrait import Portrait
from facetrack.synthetic.video import SyntheticFace, SyntheticVideo

_RIDGE: Final = 0.1  # of the mean variance, added to every variance within one person
_SIZE: Final = (640, 480)  # of a portrait that is brought to life ...
_LOOKS: Final = 12  # ... of which so many frames are looked at ...
_APART: Final = 1.3  # ... so many seconds apart

Looks = npt.NDArray[np.float32]
"""Looks of one person: (n, N_VALUES), n at least 2, each from `identity.appearance.gradients`."""


@dataclass(frozen=True, slots=True)
class Separation:
    """How well descriptions tell people apart, by agreement of pairs of looks."""

    same_low: float  # of one person: exceeded by 95 % of the pairs
    same: float  # of one person: median
    other: float  # of two people: median
    other_high: float  # of two people: exceeded by 0.1 % of the pairs
    missed: float  # part of one person's pairs below `other_high`


def learn_whitening(families: Sequence[Sequence[Looks]], faces: Values) -> Whitening:
    """Learn the inverse root of the covariance within people, and the mean of `faces`.

    `families` are people by kind of footage; every kind has the same weight.
    """
    if not len(faces) or not families:
        raise InputError("need faces and people with at least two looks")
    covariance = np.mean([_within(people) for people in families], axis=0)
    covariance += _RIDGE * np.trace(covariance) / N_VALUES * np.eye(N_VALUES)
    variances, directions = np.linalg.eigh(covariance)
    matrix = (directions / np.sqrt(variances)) @ directions.T
    matrix /= np.abs(matrix).max()  # of no account, but small numbers lose nothing as float16
    return Whitening(faces.mean(axis=0), matrix.astype(np.float32))


def _within(people: Sequence[Looks]) -> npt.NDArray[np.float64]:
    """Pool the covariances of people's looks around their own means."""
    total, freedom = np.zeros((N_VALUES, N_VALUES)), 0
    for looks in people:
        if len(looks) > 1:
            centred = looks.astype(np.float64) - looks.mean(axis=0, dtype=np.float64)
            total += centred.T @ centred
            freedom += len(looks) - 1
    if not freedom:
        raise InputError("no person has two looks")
    return total / freedom


def separation(people: Sequence[Looks], whitening: Whitening) -> Separation:
    """Compare everyone's first look with everyone's last."""
    if len(people) < 2:
        raise InputError(f"need two people or more, got {len(people)}")
    first, last = (np.stack([whitening.apply(looks[k]) for looks in people]) for k in (0, -1))
    agreement = first @ last.T
    same, other = np.diag(agreement), agreement[~np.eye(len(people), dtype=bool)]
    high = float(np.quantile(other, 0.999))
    return Separation(
        same_low=float(np.quantile(same, 0.05)),
        same=float(np.median(same)),
        other=float(np.median(other)),
        other_high=high,
        missed=float((same < high).mean()),
    )


def look_at(picture: LabelledImage, shape_model: ShapeModel) -> Values:
    """Describe the face of a labelled picture."""
    return gradients(aligned_patch(picture.read_grey(), picture.points, shape_model.mean, SIDE))


def looks_of_clips(pictures: Sequence[LabelledImage], shape_model: ShapeModel) -> list[Looks]:
    """Describe people of whom there are two frames of a clip."""
    by_name = {picture.name: picture for picture in pictures}
    pairs = [
        (picture, by_name[name[:-2] + "_b"])
        for name, picture in by_name.items()
        if name.endswith("_a") and name[:-2] + "_b" in by_name
    ]
    return [np.stack([look_at(picture, shape_model) for picture in pair]) for pair in pairs]


def looks_of_portrait(portrait: Portrait, model: FaceModel, seed: int) -> Looks:
    """Bring a portrait to life; describe it, (12, N_VALUES), where fits from the truth end."""
    width, height = _SIZE
    place = Placement(0.5 * width, 0.45 * height, 0.2 * height)
    motion = Amplitudes(yaw=0.3, pitch=0.15, roll=0.12, travel=0.05)
    face = SyntheticFace(portrait, home=place, amplitudes=motion)
    video = SyntheticVideo(
        model.shape_model, n_frames=_LOOKS, size=_SIZE, fps=1 / _APART, seed=seed, faces=[face]
    )
    looks = []
    for frame in video:
        start = model.shape_model.project(video.truth(frame.index))
        fitted = np.array(model.fit(frame.grey, start).points)
        looks.append(gradients(aligned_patch(frame.grey, fitted, model.shape_model.mean, SIDE)))
    return np.stack(looks)
