"""Regions of a face, by which it is said what made a score: each where it is, none twice."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.landmarks.markup import REGIONS as PARTS
from facetrack.model import load_model
from facetrack.pain.geometry import GEOMETRY, MOTION, POINTS, shape_features, unit_shape
from facetrack.pain.hog import CELLS, FACE, FaceHog
from facetrack.pain.influence import REGIONS, Influence, Region, regions_of
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


@pytest.mark.parametrize("name", ["brows", "mouth"])  # others move what faces are measured from
def test_features_of_geometry_have_a_part_of_a_region_if_its_points_change_them(
    regions: dict[str, Region], mean: np.ndarray, name: str
) -> None:
    unit = unit_shape(mean)
    rng = np.random.default_rng(0)
    shape = unit[list(POINTS)] + rng.normal(0, 0.01, (len(POINTS), 2))
    moved = shape.copy()
    own = np.isin(POINTS, REGIONS[name])
    moved[own] += rng.normal(0, 0.01, (int(own.sum()), 2))
    before, after = shape_features(np.stack([shape, moved]), unit)
    said = regions[name]["geometry"]
    assert said[: GEOMETRY - MOTION].tolist() == (np.abs(after - before) > 1e-9).tolist()
    assert said[GEOMETRY - MOTION :].tolist() == np.repeat(own, 2).tolist()


def feature_set(**parts: Any) -> Any:
    return SimpleNamespace(**{"kind": "deep", "form": "static", "projection": None} | parts)


CHOSEN = np.array([False, True, True, False])
STANDARD = SimpleNamespace(mean=np.array([1.0, 2.0, 3.0, 4.0]))
FEATURES_SEEN = np.array([[10.0, 20.0, 30.0, 40.0]])


def test_a_region_at_rest_is_as_in_the_training() -> None:
    regions = {"here": {"deep": CHOSEN}, "there": {"deep": ~CHOSEN}}
    one = Influence(feature_set(standard=STANDARD), regions)
    found = one.without(0.0, FEATURES_SEEN, np.zeros(4)).tolist()
    assert found == [[10, 2, 3, 40], [1, 20, 30, 4]]
    for other in (
        Influence(feature_set(standard=STANDARD), {"here": {"geometry": CHOSEN}}),
        Influence(feature_set(standard=None), {"here": {"deep": CHOSEN}}),
    ):
        assert other.without(0.0, FEATURES_SEEN, np.zeros(4)).tolist() == FEATURES_SEEN.tolist()


def test_a_region_that_is_measured_from_what_is_usual_is_nought() -> None:
    chosen = np.arange(GEOMETRY) % 3 == 0
    one = Influence(
        feature_set(kind="geometry", form="usual", standard=STANDARD),
        {"here": {"geometry": chosen}},
    )
    seen = np.arange(1.0, 2 * MOTION + 1)[None]
    found = one.without(0.0, seen, np.zeros(4))
    assert_allclose(found, np.where(np.tile(chosen[:MOTION], 2), 0.0, seen))
    assert one.usual is None


def test_a_region_is_taken_out_of_projections() -> None:
    projection = SimpleNamespace(
        mean=np.array([1.0, 1.0, 2.0, 5.0]), components=np.arange(8.0).reshape(4, 2)
    )
    values = np.array([9.0, 4.0, 6.0, 9.0])
    plain, usual = (
        Influence(
            feature_set(form=form, projection=projection, standard=STANDARD),
            {"here": {"deep": CHOSEN}, "there": {"deep": ~CHOSEN & (np.arange(4) > 0)}},
        )
        for form in ("static", "usual")
    )
    parts = np.zeros((2, 4))
    parts[0, :2] = (4 - 1) * np.array([2, 3]) + (6 - 2) * np.array([4, 5])
    parts[1, :2] = (9 - 5) * np.array([6, 7])
    wanted = FEATURES_SEEN - parts
    assert_allclose(plain.without(0.0, FEATURES_SEEN, values), wanted)
    assert plain.usual is None
    # what is usual is the mean so far: first the face itself, then half-way to it
    assert_allclose(usual.without(0.0, FEATURES_SEEN, values), np.repeat(FEATURES_SEEN, 2, axis=0))
    twice = values + np.array([0, 3, 4, 4])
    changed = FEATURES_SEEN - parts / 2
    assert_allclose(usual.without(0.1, FEATURES_SEEN, twice), changed)
