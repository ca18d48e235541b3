"""Videos whose pixels are not square: fitted as heads are, told in the pixels of the file."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.corpus.fingerprint import fingerprint
from facetrack.corpus.recording import record
from facetrack.corpus.task import ModelId, Outputs, Settings, Task
from facetrack.formats.coco import read_coco
from facetrack.formats.openface import read_openface
from facetrack.formats.signals_csv import read_signals
from facetrack.opening import open_source
from facetrack.tracking.stills import StillTracker
from facetrack.tracking.tracker import Tracker
from facetrack.video.file import FileSource

PAL, NTSC, HDV = Fraction(64, 45), Fraction(32, 27), Fraction(4, 3)
UPRIGHT_NTSC = Fraction(8, 9)  # higher than wide
N_FRAMES = 24


@pytest.fixture(scope="module")
def shown(shipped_model: Any) -> list[np.ndarray]:
    """Pictures of a moving head in square pixels."""
    frames = iter(open_source("demo", shape_model=shipped_model.shape_model))
    return [next(frames).image for _ in range(N_FRAMES)]


def store(
    path: Path, shown: Sequence[np.ndarray], aspect: Fraction, *, rotation: float = 0
) -> Path:
    """Write pictures with pixels of an aspect; players show them as they were."""
    height, width = shown[0].shape[:2]
    stored = 2 * round(width / aspect / 2), height
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=25, options={"crf": "4"})
        stream.width, stream.height = stored
        stream.pix_fmt, stream.sample_aspect_ratio = "yuv420p", aspect
        if rotation:
            stream.set_display_rotation(rotation)
        for image in shown:
            squeezed: Any = cv2.resize(image, stored, interpolation=cv2.INTER_AREA)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(squeezed, format="bgr24")))
        out.mux(stream.encode(None))
    return path


def as_shown(points: np.ndarray, aspect: float) -> np.ndarray:
    """Move points of the file's pixels to where players show them."""
    return (points + 0.5) * [aspect, 1] - 0.5


@pytest.mark.parametrize("aspect", [PAL, NTSC, HDV, UPRIGHT_NTSC])
def test_faces_of_anamorphic_videos_are_those_of_their_square_twins(
    tmp_path: Path, shipped_model: Any, shown: list[np.ndarray], aspect: Fraction
) -> None:
    twins = [
        store(tmp_path / "square.mp4", shown, Fraction(1)),
        store(tmp_path / "other.mp4", shown, aspect),
    ]
    tracks = []
    for path in twins:
        tracker = Tracker(shipped_model)
        tracks.append([tracker.update(frame) for frame in FileSource(path)])
    distances, turns = [], []
    for (square,), (other,) in zip(*tracks, strict=True):
        assert square.tracked
        assert other.tracked
        eyes = np.linalg.norm(square.points[36] - square.points[45])
        apart = as_shown(other.points, float(aspect)) - square.points
        distances.append(np.linalg.norm(apart, axis=1).mean() / eyes)
        turns.append(abs(square.pose.rotation[1] - other.pose.rotation[1]))
        raw = as_shown(other.raw_points, float(aspect))
        assert_allclose(raw, square.raw_points, atol=float(eyes) / 9)
    assert np.mean(distances) < 0.006
    assert np.rad2deg(max(turns)) < 1.5


def test_all_files_are_in_the_files_pixels(
    tmp_path: Path, shipped_model: Any, shown: list[np.ndarray]
) -> None:
    tables = []
    for name, aspect in (("square", Fraction(1)), ("pal", PAL)):
        path = store(tmp_path / f"{name}.mp4", shown, aspect)
        model_id = ModelId(shipped_model.name, fingerprint(shipped_model))
        settings = Settings(overlay=True, formats=("coco",))
        task = Task(path, Outputs(tmp_path / "out" / name), settings, model_id)
        recorded = record(task, shipped_model)
        tables.append(task.outputs)
    assert any("square" in note for note in recorded.ledger.notes)
    square, pal = (read_openface(outputs.path("csv")) for outputs in tables)
    eyes = np.linalg.norm(square.points[:, 36] - square.points[:, 45], axis=1).mean()
    assert_allclose(as_shown(pal.points, float(PAL)), square.points, atol=eyes / 9)
    assert_allclose(pal.pose[:, 4], square.pose[:, 4], atol=np.deg2rad(1.5))
    # Measures of the face are those of square pixels, too.
    one, other = (read_signals(outputs.path("signals")).signals for outputs in tables)
    for name in ("eye_opening_right", "mouth_opening", "brow_height_right"):
        assert_allclose(other[name].value, one[name].value, atol=0.02)
    assert_allclose(read_coco(tables[1].path("coco")).points, pal.points, atol=0.01)
    with av.open(str(tables[1].path("overlay"))) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == FileSource(tmp_path / "pal.mp4").size
        assert stream.sample_aspect_ratio == PAL


def test_pictures_by_themselves_are_fitted_in_square_pixels(
    tmp_path: Path, shipped_model: Any, shown: list[np.ndarray]
) -> None:
    found = []
    for aspect in (Fraction(1), PAL):
        frame = next(iter(FileSource(store(tmp_path / "a.mp4", shown[:1], aspect))))
        (face,) = StillTracker(shipped_model).update(frame)
        assert face.pose is not None
        found.append((as_shown(face.points, float(aspect)), face.pose.rotation[1]))
    eyes = np.linalg.norm(found[0][0][36] - found[0][0][45])
    assert np.linalg.norm(found[0][0] - found[1][0], axis=1).mean() < 0.01 * eyes
    assert abs(found[0][1] - found[1][1]) < np.deg2rad(1.5)


def test_corrections_are_taken_in_the_files_pixels(
    tmp_path: Path, shipped_model: Any, shown: list[np.ndarray]
) -> None:
    tracker = Tracker(shipped_model)
    for frame in FileSource(store(tmp_path / "a.mp4", shown[:12], PAL)):
        faces = tracker.update(frame)
    moved = faces[0].points + np.array([3, -2])
    taught = tracker.correct(faces[0].id, moved)
    assert_allclose(taught.face.points, moved, atol=1e-6)


def test_rotated_videos_have_pixels_that_are_higher(
    tmp_path: Path, shown: list[np.ndarray]
) -> None:
    source = FileSource(store(tmp_path / "a.mp4", shown[:2], PAL, rotation=-90))
    frame = next(iter(source))
    height, width = frame.square.grey.shape
    assert source.pixel_aspect == pytest.approx(45 / 64)
    assert frame.grey.shape == (source.size[1], source.size[0])
    assert height / width == pytest.approx(shown[0].shape[1] / shown[0].shape[0], rel=0.01)
