import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from facetrack.features import _kernels
from facetrack.features.descriptors import describe

MAPS = np.random.default_rng(0).random((30, 30, 8)).astype(np.float32)
points = arrays(np.float64, (6, 2), elements=st.floats(-20, 60))


@given(points, st.floats(0.5, 6))
def test_descriptors_equal_their_plain_twin(naive, where, spacing):
    found = describe(MAPS, where, spacing=spacing, shrink=1)
    assert_allclose(found, naive.describe(MAPS, where, spacing), atol=2e-5)


@given(points)
def test_shrunken_maps_are_read_at_the_same_place(naive, where):
    found = describe(MAPS, where, spacing=4.0, shrink=2)
    assert_allclose(found, naive.describe(MAPS, (where - 0.5) / 2, 2.0), atol=2e-5)


@given(points)
def test_features_equal_their_plain_twin(naive, where):
    rng = np.random.default_rng(1)
    basis = rng.normal(size=(6, 128, 5)).astype(np.float32)
    offset = rng.normal(size=(6, 5)).astype(np.float32)
    out = np.empty(31, np.float32)
    directions = np.ascontiguousarray(basis.transpose(0, 2, 1))
    _kernels.features(MAPS, where, 2, 1.5, directions, offset, out)
    expected = naive.reduce(naive.describe(MAPS, (where - 0.5) / 2, 1.5), basis, offset)
    assert_allclose(out, [*expected.ravel(), 1], atol=1e-4)


def test_flat_patches_do_not_amplify_noise():
    noise = 1e-4 * MAPS
    assert np.abs(describe(noise, np.full((1, 2), 15.0), spacing=3, shrink=1)).max() < 0.01
