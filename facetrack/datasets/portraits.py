"""Near-neutral portraits that are set aside for good: synthetic people are made of them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.datasets.pts_folder import LabelledImage, load_folder
from facetrack.formats.picture import picture_size
from facetrack.landmarks.pose import head_pose

# Parts of the outer-eye distance, and radians.
_PARTED: Final = 0.03
_OPEN: Final = 0.05
_FRONTAL: Final = np.radians(15)
_LIDS: Final = ((37, 41), (38, 40), (43, 47), (44, 46))
_INNER_LIPS: Final = ((61, 67), (62, 66), (63, 65))


def portraits() -> tuple[str, ...]:
    """Name the 60 portraits of which synthetic people are made, as "FOLDER/NAME", sorted."""
    return tuple(_lists()["portraits"])


def set_aside() -> frozenset[str]:
    """Name the pictures that no network may be trained on: `portraits` and the same people."""
    return frozenset([*_lists()["portraits"], *_lists()["same_people"]])


def load_portraits(
    folders: Iterable[str | os.PathLike[str]], mean_3d: npt.ArrayLike
) -> list[LabelledImage]:
    """Find near-neutral portraits in folders of NAME.jpg and NAME.pts."""
    # In a folder that has some of `portraits` only those count. `mean_3d` is in millimetres.
    chosen = set(portraits())
    found = []
    for folder in map(Path, folders):
        images = load_folder(folder)
        ours = [image for image in images if f"{folder.name}/{image.name}" in chosen]
        found += [
            image
            for image in ours or images
            if is_near_neutral(image.points, mean_3d, picture_size(image.path))
        ]
    return found


def is_near_neutral(
    points: npt.ArrayLike, mean_3d: npt.ArrayLike, image_size: tuple[int, int]
) -> bool:
    """Return whether a face looks ahead with closed lips and open eyes."""
    # The inner lips are less than 0.03 outer-eye distances apart, the lids more than 0.05, and the
    # head is turned by less than 15 degrees.
    p = np.asarray(points, dtype=np.float64)
    distance = np.linalg.norm(p[45] - p[36])

    def gap(pairs: tuple[tuple[int, int], ...]) -> float:
        upper, lower = (p[list(side)] for side in zip(*pairs, strict=True))
        return float(np.linalg.norm(lower - upper, axis=1).mean() / distance)

    yaw = head_pose(p, mean_3d, image_size).rotation[1]
    return gap(_INNER_LIPS) < _PARTED and gap(_LIDS) > _OPEN and abs(yaw) < _FRONTAL


@cache
def _lists() -> Any:
    text = resources.files("facetrack.datasets").joinpath("portraits.json").read_text("utf-8")
    return json.loads(text)
