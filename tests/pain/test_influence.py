"""Regions of a face, by which it is said what made a score: each where it is, none twice."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from facetrack.landmarks.markup import REGIONS as PARTS
from facetrack.model import load_model
from facetrack.pain.hog import CELLS, FACE, FaceHog
from facetrack.pain.influence import Region, regions_of
from facetrack.signals.expression import encoder_of

FEATURES = 64
NAMES = ["brows", "eyes", "nose", "mouth"]


@pytest.fixture(scope="module")
def mean() -> np.ndarray:
    return load_model().shape_model.mean


@pytest.fixture(scope="module")
def regions(mean: np.ndarray) -> dict[str, Region]:
    return dict(regions_of(encoder_of("expression"), FaceHog(mean), FEATURES))


def test_every_value_of_the_looks_is_in_one_region(regions: dict[str, Region]) -> None:
    assert list(regions) == NAMES
    every = np.sum([region["appearance"] for region in regions.values()], axis=0)
    assert (every == 1).all()


def test_rows_of_a_region_are_those_of_its_landmarks(
    regions: dict[str, Region], mean: np.ndarray
) -> None:
    """A region's middle height is where its landmarks are, to a cell and a half."""
    placed = FACE.transform(mean, mean).apply(mean)
    down = placed[:, 1] - placed[[36, 45], 1].mean()
    eyes = float(np.linalg.norm(placed[45] - placed[36]))
    rows = np.repeat(FaceHog(mean).rows, 32)
    cell = FACE.size[0] / CELLS / eyes
    landmarks = {
        "brows": (*PARTS["right_brow"], *PARTS["left_brow"]),
        "eyes": (*PARTS["right_eye"], *PARTS["left_eye"]),
        "nose": tuple(range(29, 36)),
    }
    for name, points in landmarks.items():
        own = rows[regions[name]["appearance"]]
        middle = float(np.median(down[list(points)])) / eyes
        assert own.min() - cell < middle < own.max() + cell
    for above, below in pairwise(NAMES):
        upper, lower = (rows[regions[name]["appearance"]] for name in (above, below))
        assert upper.max() < lower.min()


def test_channels_belong_to_the_part_they_are_named_after(regions: dict[str, Region]) -> None:
    names = encoder_of("expression").names
    for region, channel in (
        ("brows", "browInnerUp"),
        ("eyes", "eyeSquintLeft"),
        ("nose", "mouthUpperUpLeft"),
        ("mouth", "jawOpen"),
    ):
        at = FEATURES + names.index(channel)
        assert regions[region]["deep"][at]
        assert not any(r["deep"][at] for n, r in regions.items() if (region, n) != (region, region)
                       and (region, n) != ("nose", "mouth"))  # fmt: skip


def test_the_encoders_first_half_is_of_the_eyes_patch(regions: dict[str, Region]) -> None:
    upper = [True] * (FEATURES // 2) + [False] * (FEATURES // 2)
    for name in NAMES:
        half = regions[name]["deep"][:FEATURES]
        assert half.tolist() == [u == (name in ("brows", "eyes")) for u in upper]
