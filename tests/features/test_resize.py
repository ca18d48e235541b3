import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from facetrack.errors import InputError
from facetrack.features.resize import average

pictures = arrays(
    np.uint8, st.tuples(st.integers(1, 17), st.integers(1, 17)), elements=st.integers(0, 255)
)


@given(pictures, st.data())
def test_averages_equal_their_plain_twin(naive, image, data):
    size = tuple(data.draw(st.integers(1, side)) for side in image.shape[::-1])
    found = average(image, size).astype(np.float64)
    assert found.shape == size[::-1]
    assert np.abs(found - naive.average(image, size)).max() <= 0.501  # rounded


def test_the_own_size_changes_nothing():
    image = np.random.default_rng(0).integers(0, 256, (20, 30), dtype=np.uint8)
    assert (average(image[::-1], (30, 20)) == image[::-1]).all()


@pytest.mark.parametrize("size", [(31, 20), (30, 21), (0, 5)])
def test_wrong_sizes_are_named(size):
    with pytest.raises(InputError, match="averaged"):
        average(np.zeros((20, 30), np.uint8), size)
