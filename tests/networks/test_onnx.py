"""Float networks of ONNX files: their outputs, and files that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facetrack.detection.mtcnn import weights
from facetrack.errors import FormatError
from facetrack.networks.onnx import OnnxNetwork

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def file() -> Path:
    return weights() / "rnet.onnx"


def test_pictures_of_a_batch_are_computed_each_by_itself(file: Path) -> None:
    data = np.random.default_rng(0).normal(size=(3, 24, 24, 3)).astype(np.float32)
    network, same = OnnxNetwork(file), OnnxNetwork(file.read_bytes())
    steps, score = sorted(network.run(data), key=lambda out: -out.shape[1])
    assert (steps.shape, score.shape) == ((3, 4), (3, 2))
    np.testing.assert_allclose(score.sum(axis=1), 1, atol=1e-6)  # probabilities
    for number in range(3):
        alone = sorted(same.run(data[number : number + 1]), key=lambda out: -out.shape[1])
        np.testing.assert_allclose(alone[0][0], steps[number], atol=1e-5)
        np.testing.assert_allclose(alone[1][0], score[number], atol=1e-5)


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
