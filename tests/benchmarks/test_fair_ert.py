"""dlib's trees, trained on a public-domain portrait."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.peers import fair_ert
from benchmarks.peers.fair_ert import ErtSettings, train_ert
from facetrack.datasets.pts_folder import LabelledImage
from facetrack.errors import InputError
from facetrack.evaluation.peers import ErtPeer
from facetrack.face import read_only_points
from facetrack.formats.pts import write_pts
from facetrack.synthetic.portrait import astronaut
from tests.evaluation.conftest import error_on_portrait

BLANK = np.zeros((120, 160, 3), np.uint8)
TINY = ErtSettings(cascade_depth=3, trees_per_level=30, tree_depth=2, feature_pool=100)


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


def test_the_command_trains_on_folders_but_on_no_test_clip(
    portraits, tmp_path: Path, monkeypatch, capsys
) -> None:
    for picture in portraits:
        write_pts(tmp_path / f"{picture.name}.pts", picture.points)
    monkeypatch.setattr(fair_ert, "ErtSettings", lambda: TINY)
    out = tmp_path / "ert.dat"
    assert main(["fair_ert", str(tmp_path), "-o", str(out)]) == 0
    assert error_on_portrait(ErtPeer(out, name="trees", note="")) < 0.04
    (tmp_path / "410" / "annot").mkdir(parents=True)
    assert main(["fair_ert", str(tmp_path / "410" / "annot"), "-o", str(out)]) == 1
    assert "fair_ert: 410 is a test clip of 300-VW" in capsys.readouterr().err
