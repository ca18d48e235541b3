"""Rivals on a public-domain portrait."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from facetrack.errors import FormatError
from facetrack.evaluation.peers import ErtPeer, HogDetector, PfldPeer, public_ert
from facetrack.synthetic.portrait import astronaut
from tests.evaluation.conftest import error_on_portrait

BLANK = np.zeros((120, 160, 3), np.uint8)


def test_the_hog_box_lies_on_the_face() -> None:
    boxes = HogDetector().boxes(astronaut().image)
    centre = astronaut().points[27:].mean(axis=0)
    assert len(boxes) == 1
    assert (np.array(boxes[0][:2]) < centre).all()
    assert (centre < np.array(boxes[0][2:])).all()


def test_boxes_are_in_pixels_of_the_picture_given() -> None:
    large = np.repeat(np.repeat(astronaut().image, 3, axis=0), 3, axis=1)
    (once,), (thrice,) = HogDetector().boxes(astronaut().image), HogDetector().boxes(large)
    assert np.abs(np.divide(thrice, 3) - once).max() < 0.1 * (once[2] - once[0])


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.dat").write_bytes(b"no trees")
    with pytest.raises(FormatError, match=r"x\.dat: not a shape predictor"):
        ErtPeer(tmp_path / "x.dat", name="x", note="")
    with pytest.raises(FormatError, match=r"y\.dat"):
        ErtPeer(tmp_path / "y.dat", name="y", note="")


@pytest.mark.skipif(find_spec("face_recognition_models") is None, reason="package not installed")
def test_the_public_model_fits_the_portrait() -> None:
    assert error_on_portrait(public_ert()) < 0.05


def test_pfld_fits_the_portrait(shared: Path) -> None:
    pytest.importorskip("onnxruntime")
    peer = PfldPeer(shared / "data" / "peers")
    assert error_on_portrait(peer) < 0.06
    assert peer.predict(BLANK) is None
    tiny = np.array([1e-310])  # its networks need these to be zero, nothing else does
    assert tiny * 0.5 > 0


def test_missing_onnx_files_are_named(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    with pytest.raises(FormatError, match=r"rfb_320\.onnx: no such file"):
        PfldPeer(tmp_path)
    (tmp_path / "rfb_320.onnx").write_bytes(b"x")
    with pytest.raises(FormatError, match="not a readable ONNX model"):
        PfldPeer(tmp_path)
