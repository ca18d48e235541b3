"""The cascade: what its compiled steps compute, and that the start is left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from facetrack.features.maps import DEFAULT_MAPS, MapBuilder
from facetrack.regression.cascade import Cascade, Level

K, MODES = 3, 7


def a_cascade() -> Cascade:
    rng = np.random.default_rng(0)

    def numbers(*shape: int, scale: float = 1.0) -> np.ndarray:
        return (scale * rng.normal(size=shape)).astype(np.float32)

    levels = tuple(
        Level(
            index,
            spec.shrink,
            6.0,
            basis=numbers(68, 128, K, scale=0.1),
            offset=numbers(68, K, scale=0.1),
            regressor=numbers(MODES, 68 * K + 1, scale=0.5),
        )
        for index, spec in enumerate(DEFAULT_MAPS)
    )
    return Cascade(DEFAULT_MAPS, numbers(136, MODES, scale=0.1), levels)


@pytest.fixture(scope="module")
def maps() -> list[np.ndarray]:
    patch = np.random.default_rng(1).integers(0, 256, (160, 160), dtype=np.uint8)
    return MapBuilder(DEFAULT_MAPS).build(patch)


START = np.random.default_rng(2).uniform(30, 130, (68, 2))


def test_every_level_subtracts_modes_times_regressor_times_features(maps):
    cascade = a_cascade()
    shape = START
    for level in cascade.levels:
        parameters = level.regressor @ level.features(maps, shape)
        shape = shape - (cascade.basis @ parameters).reshape(68, 2)
    assert np.abs(shape - START).max() > 0.5
    assert_allclose(cascade.run(maps, START), shape, atol=1e-4)


def test_the_start_stays_as_it_was(maps):
    start = START.copy()
    start.setflags(write=False)
    a_cascade().run(maps, start)
    assert_array_equal(start, START)


def test_arrays_in_any_memory_order_give_the_same(maps):
    cascade = a_cascade()
    turned = replace(
        cascade,
        basis=np.asfortranarray(cascade.basis),
        levels=tuple(
            replace(
                level,
                basis=np.asfortranarray(level.basis),
                regressor=np.asfortranarray(level.regressor),
            )
            for level in cascade.levels
        ),
    )
    found = turned.run(maps, np.asfortranarray(START))
    assert_array_equal(found, cascade.run(maps, START))


def test_the_last_feature_is_the_constant(maps):
    level = a_cascade().levels[0]
    features = level.features(maps, START)
    assert features.shape == (level.n_features,)
    assert features[-1] == 1
