"""What networks see of a face."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from facetrack.features.crops import Crop, Cut
from facetrack.landmarks.markup import mirror
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.model import load_model
from facetrack.networks.patches import PATCHES, Patch, normalised, take
from facetrack.networks.samples import jitter, shape_targets

SIDE = 400


@pytest.fixture(scope="module")
def shape_model() -> ShapeModel:
    return load_model().shape_model


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """Smooth structure everywhere, so that a crop tells where it is from."""
    y, x = np.mgrid[:SIDE, :SIDE]
    made: np.ndarray = 127 + 60 * np.sin(x / 17) + 60 * np.cos(y / 11 + x / 90)
    return made.astype(np.uint8)


def cut_from(picture: np.ndarray, points: np.ndarray, mean: np.ndarray, crop: Crop) -> Cut:
    return crop.cut(picture, points, mean)


def placed(shape_model: ShapeModel) -> np.ndarray:
    return shape_model.mean * 1.4 + [60.0, 80.0]


def test_mirrored_faces_have_mirrored_patches(shape_model: ShapeModel, picture: np.ndarray) -> None:
    points = placed(shape_model)
    other = mirror(points, SIDE)
    flipped = np.ascontiguousarray(picture[:, ::-1])
    mean = shape_model.mean
    left = take(partial(cut_from, picture, points, mean), points)
    right = take(partial(cut_from, flipped, other, mean), other)
    for name in PATCHES:
        difference = left[name].grey[:, ::-1].astype(int) - right[name].grey
        assert np.abs(difference).max() <= 3
        assert (left[name].mask[:, ::-1] != right[name].mask).mean() < 0.02


def test_a_moving_mouth_moves_in_its_patch(shape_model: ShapeModel, picture: np.ndarray) -> None:
    points = placed(shape_model)
    opened = points.copy()
    opened[55:60] += [0, 12]
    opened[65:68] += [0, 12]
    mean = shape_model.mean
    before = take(partial(cut_from, picture, points, mean), points)
    after = take(partial(cut_from, picture, opened, mean), opened)
    assert np.array_equal(before["mouth"].grey, after["mouth"].grey)  # the crop stays
    assert not np.array_equal(before["mouth"].mask, after["mouth"].mask)
    assert np.array_equal(before["eyes"].mask, after["eyes"].mask)


def test_what_lies_outside_is_said(shape_model: ShapeModel, picture: np.ndarray) -> None:
    points = placed(shape_model) - [0.0, 200.0]
    taken = take(partial(cut_from, picture, points, shape_model.mean), points)
    assert taken["eyes"].valid < 0.5
    assert not taken["eyes"].mask[:10].any()


def test_grey_levels_are_freed_of_light_and_flat_ones_stay_flat() -> None:
    from facetrack.networks.patches import Patch

    rng = np.random.default_rng(0)
    grey = rng.integers(60, 120, (48, 96), dtype=np.uint8)
    mask = np.zeros((48, 96), dtype=np.bool_)
    dark, bright = (normalised(Patch(g, mask, 1.0)) for g in (grey, grey * 2))
    assert dark.shape == (48, 96, 2)
    exact = grey.astype(np.float64)
    wanted = ((exact - exact.mean()) / (exact.std() + 4)).clip(-3, 3)
    np.testing.assert_allclose(dark[..., 0], wanted, atol=1e-6)
    assert np.abs(dark - bright)[..., 0].max() < 0.35  # but for the noise floor
    flat = normalised(Patch(np.full((48, 96), 9, dtype=np.uint8), ~mask, 1.0))
    assert not flat[..., 0].any()
    assert flat[..., 1].all()


def test_jitter_is_as_large_as_it_says_whatever_the_roll(shape_model: ShapeModel) -> None:
    eyes = np.linalg.norm(shape_model.mean[36] - shape_model.mean[45])
    spreads = []
    for turn in (0.0, 1.1):
        c, s = np.cos(turn), np.sin(turn)
        points = shape_model.mean @ np.array([[c, s], [-s, c]])
        rng = np.random.default_rng(0)
        moved = np.array([jitter(points, shape_model, rng) - points for _ in range(300)])
        size = np.sqrt((moved**2).mean(axis=(0, 1)).sum()) / eyes
        assert 0.02 < size < 0.08
        spreads.append((moved @ np.array([[c, -s], [s, c]])).std(axis=0))
    upright, turned = spreads
    # The independent part is isotropic; what modes move turns with the face, an eye's width less
    # than a chin's height.
    assert turned.mean(axis=0) == pytest.approx(upright.mean(axis=0), rel=0.05)
    assert np.corrcoef(turned.ravel(), upright.ravel())[0, 1] > 0.9


def test_targets_say_the_shape_in_its_own_frame(shape_model: ShapeModel) -> None:
    parameters = np.zeros(shape_model.n_parameters)
    parameters[6] = 2 * shape_model.deviations[6]
    shape = shape_model.shape(parameters)
    turned = shape @ np.array([[0.0, 1.0], [-1.0, 0.0]]) * 2 + 50
    said = shape_targets(turned, shape_model)
    assert said[2] == pytest.approx(2, abs=0.03)  # the stable points move along a little
    assert np.abs(np.delete(said[:16], 2)).max() < 0.1


@pytest.mark.parametrize(("ground", "spot", "seen"), [(0, 255, 3.0), (255, 0, -3.0)])
def test_a_network_sees_no_more_than_three_deviations(ground: int, spot: int, seen: float) -> None:
    grey = np.full((48, 96), ground, np.uint8)
    grey[20, 30] = spot
    made = normalised(Patch(grey, np.ones(grey.shape, np.bool_), 1.0))
    assert made[20, 30].tolist() == [seen, 1.0]
