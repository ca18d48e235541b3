"""`facetrack train --method appearance`: learn what tells people apart, and measure it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from tqdm import tqdm

from facetrack.datasets.pts_folder import LabelledImage, load_folder
from facetrack.evaluation.people import choose_portraits
from facetrack.identity.appearance import save_whitening
from facetrack.model import load_model
from facetrack.reporting.tables import Table
from facetrack.training.appearance import (
    Looks,
    Separation,
    learn_whitening,
    look_at,
    looks_of_clips,
    looks_of_portrait,
    separation,
)

_EVERY: Final = 4  # one person in so many is set aside for the measures
_PORTRAITS: Final = 300  # pictures that are brought to life
_MEASURES: Final = Separation.__slots__


def train_appearance(
    pictures: Sequence[LabelledImage], clips: Path, output: Path, name: str, card: dict[str, Any]
) -> None:
    """Learn from pictures, from some of them brought to life, and from pairs of frames of a clip.

    What is measured was learned without every fourth person, what is written from all.
    """
    model = load_model()
    portraits = choose_portraits(pictures, model.shape_model, _PORTRAITS)
    kinds = {
        "frames of a clip": looks_of_clips(load_folder(clips), model.shape_model),
        "portraits brought to life": [
            looks_of_portrait(portrait, model, seed)
            for seed, portrait in enumerate(tqdm(portraits, desc="portraits", disable=None))
        ],
    }
    faces = np.stack([look_at(picture, model.shape_model) for picture in pictures])
    learned = learn_whitening([_others(people) for people in kinds.values()], faces)
    rows = [
        [kind, len(people[::_EVERY]), *_measured(separation(people[::_EVERY], learned))]
        for kind, people in kinds.items()
    ]
    table = Table(["set aside", "people", *_MEASURES], rows)
    final = learn_whitening(list(kinds.values()), faces)
    save_whitening(final, output, name=name, card={**card, "measures": rows})
    print(table.text())


def _others(people: Sequence[Looks]) -> list[Looks]:
    """Leave out those who are set aside."""
    return [looks for k, looks in enumerate(people) if k % _EVERY]


def _measured(found: Separation) -> list[float]:
    return [round(getattr(found, measure), 3) for measure in _MEASURES]
