"""Rivals on a public-domain portrait."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from facetrack.datasets.pts_folder import LabelledImage
from facetrack.errors import FormatError, InputError
from facetrack.evaluation.errors import normalised_errors
from facetrack.evaluation.ert import ErtSettings, train_ert
from facetrack.evaluation.peers import ErtPeer, HogDetector, PfldPeer, public_ert
from facetrack.face import read_only_points
from facetrack.synthetic.portrait import astronaut

BLANK = np.zeros((120, 160, 3), np.uint8)
TINY = ErtSettings(cascade_depth=3, trees_per_level=30, tree_depth=2, feature_pool=100)


def error_on_portrait(peer) -> float:
    found = peer.predict(astronaut().image)
    assert found is not None
    return float(normalised_errors(found[None], astronaut().points[None])[0])


@pytest.fixture
def portraits(tmp_path: Path) -> list[LabelledImage]:
    """Give the portrait as eight shifted pictures."""
    pictures = []
    for k in range(8):
        x0, y0 = 3 * k, 2 * k
        path = tmp_path / f"p{k}.png"
        cv2.imwrite(str(path), astronaut().image[y0 : y0 + 400, x0 : x0 + 470])
        points = read_only_points(astronaut().points - (x0, y0))
        pictures.append(LabelledImage(f"p{k}", path, points))
    return pictures


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


def test_trees_trained_on_a_face_find_it_again(portraits, tmp_path: Path) -> None:
    path = tmp_path / "ert.dat"
    train_ert(portraits, path, settings=TINY)
    peer = ErtPeer(path, name="trees", note="")
    assert error_on_portrait(peer) < 0.04
    assert peer.predict(BLANK) is None


def test_training_is_repeatable(portraits, tmp_path: Path) -> None:
    for name in ("a", "b"):
        train_ert(portraits[:3], tmp_path / name, settings=replace(TINY, trees_per_level=5))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_training_needs_faces_that_can_be_found(portraits, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no image"):
        train_ert([], tmp_path / "x.dat")
    wrong = [replace(p, points=read_only_points(p.points / 20)) for p in portraits[:2]]
    with pytest.raises(InputError, match="finds none of the faces"):
        train_ert(wrong, tmp_path / "x.dat", settings=TINY)
    assert not (tmp_path / "x.dat").exists()


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
