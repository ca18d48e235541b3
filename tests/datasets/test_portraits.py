"""Who may become a synthetic person: faces at rest that look ahead, and only those set aside."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from facetrack.datasets import portraits
from facetrack.datasets.portraits import is_near_neutral, load_portraits
from facetrack.fitting.face_model import FaceModel
from facetrack.formats.pts import write_pts
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.synthetic.portrait import astronaut

SIZE = (512, 512)


@pytest.fixture(scope="session")
def shape_model(shipped_model: FaceModel) -> ShapeModel:
    return shipped_model.shape_model


def calm() -> np.ndarray:
    """The astronaut's landmarks with closed lips."""
    points = astronaut().points.copy()
    for upper, lower in ((61, 67), (62, 66), (63, 65)):
        points[lower] = points[upper] + (0, 1)
    return points


def turned(shape_model: ShapeModel, degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    x, y, z = shape_model.mean_3d.T
    flat = np.column_stack([x * np.cos(angle) + z * np.sin(angle), y])
    points = flat * (130 / 90) + 256
    for upper, lower in ((61, 67), (62, 66), (63, 65)):
        points[lower] = points[upper]
    return points


def test_a_face_at_rest_is_near_neutral(shape_model: ShapeModel) -> None:
    assert is_near_neutral(calm(), shape_model.mean_3d, SIZE)


def test_parted_lips_shut_eyes_and_turned_heads_are_not(shape_model: ShapeModel) -> None:
    mean_3d = shape_model.mean_3d
    assert not is_near_neutral(astronaut().points, mean_3d, SIZE)  # she smiles
    shut = calm()
    shut[[37, 38, 43, 44]] = shut[[41, 40, 47, 46]] - (0, 3)
    assert not is_near_neutral(shut, mean_3d, SIZE)
    for degrees, neutral in ((-25, False), (-8, True), (8, True), (25, False)):
        assert is_near_neutral(turned(shape_model, degrees), mean_3d, SIZE) == neutral


def test_of_a_folder_with_chosen_portraits_only_those_count(
    tmp_path: Path, shape_model: ShapeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("known", "other"):
        (tmp_path / folder).mkdir()
        for name, points in (("a", calm()), ("b", calm()), ("smile", astronaut().points)):
            cv2.imwrite(str(tmp_path / folder / f"{name}.png"), astronaut().image)
            write_pts(tmp_path / folder / f"{name}.pts", points)
    monkeypatch.setattr(portraits, "portraits", lambda: ("known/b", "known/smile"))
    found = load_portraits([tmp_path / "known", tmp_path / "other"], shape_model.mean_3d)
    assert [f"{image.path.parent.name}/{image.name}" for image in found] == [
        "known/b", "other/a", "other/b",
    ]  # fmt: skip


def test_most_of_the_portraits_set_aside_are_near_neutral(
    shared: Path, shape_model: ShapeModel
) -> None:
    folder = shared / "data" / "landmarks" / "lfpw_train"
    if not folder.is_dir():
        pytest.skip(f"{folder} is missing")
    found = {f"lfpw_train/{image.name}" for image in load_portraits([folder], shape_model.mean_3d)}
    listed = {name for name in portraits.portraits() if name.startswith("lfpw_train/")}
    assert found <= listed
    assert len(found) >= 0.85 * len(listed)
