import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from facetrack.errors import InputError
from facetrack.features.maps import MapBuilder, MapSpec

patches = arrays(np.uint8, (12, 12), elements=st.integers(0, 255))


@given(patches)
def test_maps_equal_their_plain_twin(naive, patch):
    raw = naive.orientation_maps(patch)
    specs = (MapSpec(1, 1), MapSpec(1, 2), MapSpec(2, 2))
    fine, coarse, half = MapBuilder(specs, size=12).build(patch)
    assert_allclose(fine, naive.box_blur(raw, 1), atol=1e-4)
    assert_allclose(coarse, naive.box_blur(raw, 2), atol=1e-4)
    assert_allclose(half, naive.box_blur(naive.halve(raw), 2), atol=1e-4)


def test_a_ramp_points_in_one_direction():
    ramp = np.tile(np.arange(0, 96, 4, dtype=np.uint8), (24, 1))
    maps = MapBuilder((MapSpec(1, 1),), size=24).build(ramp)[0]
    inside = maps[4:-4, 4:-4]
    assert_allclose(inside[..., 0], 4 / np.sqrt(5), rtol=1e-6)
    assert_allclose(inside[..., 4], 0)
    assert_allclose(inside[..., 2], 0, atol=1e-6)


def test_flat_patches_have_empty_maps():
    maps = MapBuilder((MapSpec(1, 1), MapSpec(2, 2)), size=16).build(
        np.full((16, 16), 77, np.uint8)
    )
    assert all(not m.any() for m in maps)


@pytest.mark.parametrize(
    ("specs", "size"), [((MapSpec(3, 1),), 16), ((MapSpec(1, 0),), 16), ((MapSpec(1, 1),), 15)]
)
def test_wrong_settings_are_named(specs, size):
    with pytest.raises(InputError, match="even size"):
        MapBuilder(specs, size=size)
