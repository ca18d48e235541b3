"""The float encoder that ships, rebuilt as torch's, says what onnxruntime says of its file."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from facetrack.errors import InputError
from facetrack.networks.expression import load_encoder
from facetrack.networks.patches import PATCHES

torch = pytest.importorskip("torch")


def test_the_shipped_teacher_is_the_shipped_file() -> None:
    from facetrack.networks.train.model_file import TorchForm
    from facetrack.networks.train.shipped import load_shipped

    rng = np.random.default_rng(0)
    inputs = {
        name: rng.standard_normal((*view.crop.size[::-1], 2)).astype(np.float32)
        for name, view in PATCHES.items()
    }
    file = load_encoder("expression").network.run(inputs)
    rebuilt = TorchForm(load_shipped("expression")).run(inputs)
    for theirs, ours in zip(file, rebuilt, strict=True):
        assert cast(float, np.abs(theirs).max()) > 0.1
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_a_binary_encoder_teaches_none() -> None:
    from facetrack.networks.train.shipped import load_shipped

    with pytest.raises(InputError, match="a teacher is a float one"):
        load_shipped("expression_binary")
