"""Patches of labelled pictures, and what the expression encoder is to say of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.datasets.channels import mirrored_channels, read_picture_channels
from facetrack.datasets.portraits import set_aside
from facetrack.datasets.pts_folder import LabelledImage, load_folder
from facetrack.features.crops import Crop
from facetrack.landmarks.markup import mirror, outer_eye_distance
from facetrack.landmarks.openings import (
    INNER_LIPS,
    LEFT_EYE_CORNERS,
    LEFT_EYE_LIDS,
    RIGHT_EYE_CORNERS,
    RIGHT_EYE_LIDS,
    opening,
)
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.networks.patches import PATCHES, take

_NAMES: Final = """
browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight
eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight eyeLookInLeft eyeLookInRight
eyeLookOutLeft eyeLookOutRight eyeLookUpLeft eyeLookUpRight eyeSquintLeft eyeSquintRight
eyeWideLeft eyeWideRight jawOpen mouthDimpleLeft mouthDimpleRight mouthFrownLeft mouthFrownRight
mouthLowerDownLeft mouthLowerDownRight mouthPressLeft mouthPressRight mouthPucker mouthRollLower
mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmileLeft mouthSmileRight mouthStretchLeft
mouthStretchRight mouthUpperUpLeft mouthUpperUpRight
"""  # those of the other program that differ by 0.03 or more between the training pictures
CHANNELS: Final = tuple(_NAMES.split())
MODES: Final = 16  # shape parameters that the encoder says
OPENINGS: Final = ("opening_right_eye", "opening_left_eye", "opening_mouth")
TARGETS: Final = (*CHANNELS, *(f"shape_{i + 1}" for i in range(MODES)), *OPENINGS)
_INDEPENDENT: Final = 0.012  # of the eye distance: what a fit errs by, point by point
_COMMON: Final = 0.35  # of each mode's deviation, and of a fit that has gone astray:
_ASTRAY: Final = 1.0
_SHARE_ASTRAY: Final = 0.15

Floats = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]
Progress = Callable[[Sequence[Any]], Iterable[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Patches and targets; picture i's jittered copies lie together."""

    # each (n, 2, height, width): grey levels; the mask as 0 and 1
    patches: dict[str, npt.NDArray[np.uint8]]
    targets: Floats  # (n, t), what is to be said of a patch
    mirrored: Floats  # (n, t), the same of its mirror image
    names: tuple[str, ...]  # of the targets
    pictures: npt.NDArray[np.int64]  # (n,), which picture a sample is of


def shape_targets(points: Points, model: ShapeModel) -> Floats:
    """Return shape parameters in standard deviations, and openings, of true landmarks."""
    parameters = model.parameters(model.to_reference(points).apply(points)) / model.deviations
    listed = points.tolist()
    openings = (
        opening(listed, RIGHT_EYE_LIDS, RIGHT_EYE_CORNERS),
        opening(listed, LEFT_EYE_LIDS, LEFT_EYE_CORNERS),
        opening(listed, INNER_LIPS, (36, 45)),
    )
    return np.array([*parameters[4 : 4 + MODES], *openings], dtype=np.float32)


def jitter(points: Points, model: ShapeModel, rng: np.random.Generator) -> Points:
    """Move landmarks as a fit errs: together along the modes, and each by itself."""
    scale = _ASTRAY if rng.random() < _SHARE_ASTRAY else _COMMON
    to_reference = model.to_reference(points)
    parameters = np.zeros(model.n_parameters)
    parameters[4:] = rng.normal(0, scale, model.n_parameters - 4) * model.deviations[4:]
    common = (model.shape(parameters) - model.mean) / to_reference.scale
    turn = np.arctan2(to_reference.b, to_reference.a)
    c, s = np.cos(turn), np.sin(turn)
    common = common @ np.array([[c, -s], [s, c]])  # back into the picture's frame
    own = rng.normal(0, _INDEPENDENT, points.shape) * outer_eye_distance(points)
    moved: Points = points + common + own
    return moved


def load_samples(
    folders: Sequence[Path],
    scores: Path,
    model: ShapeModel,
    *,
    copies: int,
    seed: int,
    progress: Progress = list,
) -> Samples:
    """Cut the patches of labelled pictures out, `copies` times each with jittered landmarks.

    `folders` hold pictures with a .pts file each (those set aside for good are left out), `scores`
    the other program's channels, one .npz for each of them.
    """
    found: list[tuple[LabelledImage, Floats]] = []
    for folder in folders:
        known = read_picture_channels(scores / f"{channels_file(folder)}.npz", CHANNELS)
        for image in load_folder(folder):
            score = known.get(image.name)
            aside = f"{folder.name}/{image.name}" in set_aside()
            if score is not None and np.isfinite(score).all() and not aside:
                found.append((image, score.astype(np.float32)))
    swapped = [CHANNELS.index(name) for name in mirrored_channels(CHANNELS)]
    patches: dict[str, list[Any]] = {name: [] for name in PATCHES}
    targets, mirrored, pictures = [], [], []
    for number, (image, score) in enumerate(progress(found)):
        grey, points = image.read_grey(), np.asarray(image.points)
        seen = np.concatenate([score, shape_targets(points, model)])
        other = mirror(points, grey.shape[1])
        turned = np.concatenate([score[swapped], shape_targets(other, model)])
        rng = np.random.default_rng([seed, number])
        for _ in range(copies):
            moved = jitter(points, model, rng)
            cut = partial(Crop.cut, image=grey, points=moved, mean=model.mean)
            for name, patch in take(cut, moved).items():
                patches[name].append(np.stack([patch.grey, patch.mask.astype(np.uint8)]))
            targets.append(seen)
            mirrored.append(turned)
            pictures.append(number)
    return Samples(
        {name: np.array(taken) for name, taken in patches.items()},
        np.array(targets),
        np.array(mirrored),
        TARGETS,
        np.array(pictures),
    )


def channels_file(folder: Path) -> str:
    """Return how the file of channels of a folder is called: ytf/train -> ytf_train."""
    parent = folder.resolve().parent.name
    return f"{parent}_{folder.name}" if folder.name in ("train", "test") else folder.name
