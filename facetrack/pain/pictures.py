"""Pseudo-labels: pictures of real faces with what another program says of their expression.

They carry neither motion nor closed eyes that last, and are an opinion about an opinion: a model
that was fitted on them was not trained on pain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.datasets.channels import read_picture_channels
from facetrack.datasets.portraits import set_aside
from facetrack.datasets.pts_folder import load_folder
from facetrack.errors import InputError
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.networks.samples import channels_file, jitter
from facetrack.pain.frames import Frames
from facetrack.pain.looks import Look, Looker
from facetrack.pain.pspi import PAIN_UNITS

Floats = npt.NDArray[np.float64]
Progress = Callable[[Sequence[Any]], Iterable[Any]]

UNITS: Final = {
    4: ("browDownLeft", "browDownRight"),
    7: ("eyeSquintLeft", "eyeSquintRight"),
    10: ("mouthUpperUpLeft", "mouthUpperUpRight"),
}  # action units, and the channels that are their nearest
CHANNELS: Final = tuple(name for names in UNITS.values() for name in names)
_GROUPS: Final = 20  # of pictures, which count as one subject each
_NONE, _FULL = 0.5, 0.995  # quantiles over all pictures that stand for intensities 0 and 5


def pseudo_units(channels: npt.ArrayLike) -> Floats:
    """Make AU4, AU7 and AU10 (n, 3) of another program's `CHANNELS` of all pictures."""
    # Scaled so that the median over all pictures is 0 and the largest values are 5.
    c = np.asarray(channels, dtype=np.float64).reshape(-1, len(UNITS), 2).mean(axis=2)
    none, full = np.nanquantile(c, [_NONE, _FULL], axis=0)
    return np.asarray(((c - none) / np.maximum(full - none, 1e-6)).clip(0, 1) * 5)


def pseudo_pspi(channels: npt.ArrayLike) -> Floats:
    """Make scores of pseudo-labels: AU4 + AU7 + AU10, at most 15: closed eyes are unknown."""
    return np.asarray(pseudo_units(channels).sum(axis=1))


def pictured(
    folders: Sequence[Path],
    scores: Path,
    looker: Looker,
    model: ShapeModel,
    *,
    seed: int = 0,
    progress: Progress = list,
) -> Frames:
    """Look at pictures of real faces with a .pts file each; twenty groups are a subject each."""
    # Those of synthetic people are left out. Landmarks are jittered along the model's modes, as
    # fits err. `scores` holds the other program's channels, one .npz for each folder of pictures.
    found = []
    for folder in folders:
        known = read_picture_channels(scores / f"{channels_file(folder)}.npz", CHANNELS)
        for picture in load_folder(folder):
            score = known.get(picture.name)
            aside = f"{folder.name}/{picture.name}" in set_aside()
            if score is not None and np.isfinite(score).all() and not aside:
                found.append((picture, score))
    if not found:
        raise InputError(f"{scores}: has no channels of the pictures; it needs FOLDER.npz of each")
    scores_of = np.array([score for _, score in found])
    labels = pseudo_pspi(scores_of)
    looks: list[tuple[int, Look]] = []
    for number, (picture, _) in enumerate(progress(found)):
        points = jitter(np.asarray(picture.points), model, np.random.default_rng([seed, number]))
        look = looker.look(picture.read_grey(), points)
        if not look.problem:
            looks.append((number, look))
    numbers = np.array([number for number, _ in looks])
    units = np.full((len(looks), len(PAIN_UNITS)), np.nan)
    units[:, [list(PAIN_UNITS).index(unit) for unit in UNITS]] = pseudo_units(scores_of)[numbers]
    return Frames(
        np.array([f"pictures-{number % _GROUPS:02d}" for number in numbers]),
        numbers,
        np.zeros(len(looks)),
        labels[numbers],
        units,
        {s: np.stack([look.values[s] for _, look in looks]) for s in looks[0][1].values},
    )
