"""As plain Python, where an index outside is an error, kernels give what they give compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.features import _kernels
from tests.plain import uncompiled

RNG = np.random.default_rng(0)
PATCH = RNG.integers(0, 256, (6, 8), dtype=np.uint8)
MAPS = RNG.random((6, 8, 8), dtype=np.float32)
FLAT = MAPS.reshape(6, 64)
POINTS = RNG.uniform(-2, 9, (5, 2))  # also beside the maps, where the nearest pixel counts
BASIS, OFFSET = RNG.random((5, 3, 128), dtype=np.float32), RNG.random((5, 3), dtype=np.float32)
REGRESSOR, MODES = RNG.random((4, 16), dtype=np.float32), RNG.random((10, 4), dtype=np.float32)


def empty(*shape: int) -> np.ndarray:
    return np.empty(shape, np.float32)


# the last argument is what is written
CALLS: dict[str, Callable[[], list[Any]]] = {
    "average": lambda: [PATCH, np.empty((4, 5), np.uint8)],
    "orientation_maps": lambda: [PATCH, empty(2, 8), empty(6, 64)],
    "halve": lambda: [FLAT, empty(64), empty(3, 32)],
    "box_blur": lambda: [FLAT, 2, empty(64 + 32), empty(6, 64)],
    "describe": lambda: [MAPS, POINTS, 2, 1.5, empty(5, 128)],
    "features": lambda: [MAPS, POINTS, 1, 1.5, BASIS, OFFSET, empty(16)],
}


@pytest.mark.parametrize("name", CALLS)
def test_no_index_lies_outside(name: str) -> None:
    plain, compiled = CALLS[name](), CALLS[name]()
    getattr(uncompiled(_kernels), name)(*plain)
    getattr(_kernels, name)(*compiled)
    assert_allclose(plain[-1], compiled[-1], rtol=1e-5, atol=1e-5)


def test_a_correction_is_what_the_regressor_says_of_the_features() -> None:
    points, read = POINTS.copy(), empty(16)
    uncompiled(_kernels).correct(MAPS, points, 1, 1.5, BASIS, OFFSET, REGRESSOR, MODES)
    _kernels.features(MAPS, POINTS, 1, 1.5, BASIS, OFFSET, read)
    assert_allclose(points, POINTS - (MODES @ (REGRESSOR @ read)).reshape(5, 2), rtol=1e-5)
