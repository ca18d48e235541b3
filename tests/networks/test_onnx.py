"""Float networks of ONNX files: their outputs, and files that are none."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from facetrack.errors import FormatError
from facetrack.networks.onnx import OnnxNetwork
from facetrack.tracking.mtcnn import weights

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def file() -> Path:
    return weights() / "rnet.onnx"


def test_outputs_are_those_of_another_runtime(file: Path) -> None:
    grey = np.random.default_rng(0).normal(size=(2, 24, 24, 1)).astype(np.float32)
    data = np.repeat(grey, 3, axis=3)
    other = cv2.dnn.readNetFromONNX(str(file))
    other.setInput(data)
    expected = other.forward(list(other.getUnconnectedOutLayersNames()))
    for network in (OnnxNetwork(file), OnnxNetwork(file.read_bytes())):
        found = network.run(data)
        assert [out.shape for out in found] == [np.shape(out) for out in expected]
        for out, plain in zip(found, expected, strict=True):
            np.testing.assert_allclose(out, plain, atol=1e-4)


def test_denormal_numbers_are_zero_and_one_thread_computes(file: Path) -> None:
    options = OnnxNetwork(file)._session.get_session_options()
    assert options.get_session_config_entry("session.set_denormal_as_zero") == "1"
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)


def test_what_is_no_network_is_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"gone\.onnx: no such file"):
        OnnxNetwork(tmp_path / "gone.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no network")
    with pytest.raises(FormatError, match=r"broken\.onnx: not a readable ONNX model"):
        OnnxNetwork(broken)
    with pytest.raises(FormatError, match="network: not a readable"):
        OnnxNetwork(b"no network")
