"""Arrays survive the way through text to the last bit."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_array_equal

from facetrack.errors import InputError
from facetrack.formats.encoding import decode_array, encode_array


@given(array=arrays(np.float64, array_shapes(max_dims=3, max_side=4)))
def test_round_trip_keeps_every_bit(array):
    text = json.loads(json.dumps(encode_array(array)))
    back = decode_array(text, array.shape, np.float64)
    assert_array_equal(back.view(np.uint64), array.view(np.uint64))
    assert back.flags.writeable


@pytest.mark.parametrize("text", ["AAAA", "?", None, 5])
def test_broken_text_is_an_input_error(text):
    with pytest.raises(InputError, match="broken array"):
        decode_array(text, (2,), np.float64)
