"""Descriptions of patches, and the whitening that ships."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from facetrack.errors import InputError
from facetrack.identity.appearance import (
    N_VALUES,
    SIDE,
    Whitening,
    gradients,
    shipped_whitening,
)

patches = arrays(np.float32, (SIDE, SIDE), elements=st.floats(0, 255, width=32))


@given(patch=patches)
def test_every_patch_has_a_unit_description(patch):
    values = gradients(patch)
    assert values.shape == (N_VALUES,)
    assert ((values >= 0) & (values <= 1)).all()
    assert_allclose(np.linalg.norm(shipped_whitening().apply(values)), 1, atol=1e-4)


@given(patch=patches, light=st.floats(-100, 100))
def test_more_light_everywhere_changes_nothing(patch, light):
    assert_allclose(gradients(patch + np.float32(light)), gradients(patch), atol=2e-2)


def test_gradients_tell_directions_apart():
    ramp = np.tile(np.arange(SIDE, dtype=np.float32) * 4, (SIDE, 1))
    to_the_right = gradients(ramp).reshape(-1, 8).mean(axis=0)
    downwards = gradients(np.ascontiguousarray(ramp.T)).reshape(-1, 8).mean(axis=0)
    assert to_the_right.argmax() == 0
    assert downwards.argmax() == 2


def test_whitening_subtracts_and_turns():
    rng = np.random.default_rng(0)
    mean, values = rng.random((2, N_VALUES), dtype=np.float32)
    matrix = rng.standard_normal((N_VALUES, N_VALUES)).astype(np.float32)
    expected = matrix @ (values - mean)
    found = Whitening(mean, matrix).apply(values)
    assert_allclose(found, expected / np.linalg.norm(expected), atol=1e-5)


@pytest.mark.parametrize("wrong", ["shape", "value"])
def test_a_whitening_that_is_none_is_refused(wrong):
    mean, matrix = np.zeros(N_VALUES, np.float32), np.eye(N_VALUES, dtype=np.float32)
    if wrong == "shape":
        matrix = matrix[:-1]
    else:
        mean[0] = np.nan
    with pytest.raises(InputError, match="a whitening"):
        Whitening(mean, matrix)
