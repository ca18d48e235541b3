"""Videos whose pixels are not square: shown and corrected as seen, kept in the file's pixels."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.cli.main import main
from facetrack.fitting.face_model import FaceModel
from facetrack.formats.openface import read_openface
from facetrack.opening import open_source
from facetrack.synthetic.video import SyntheticVideo
from facetrack_app.model.faces import faces_of
from facetrack_app.services.background import track_into
from facetrack_app.services.exporting import export_document
from facetrack_app.services.opening import open_document
from facetrack_app.services.replay import replay
from tests.app.services.desk import Desk, N

PAL = Fraction(64, 45)


def store(path: Path, images: list[np.ndarray], aspect: Fraction) -> Path:
    """Write pictures with pixels of an aspect; players show them as they were."""
    height, width = images[0].shape[:2]
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=25, options={"crf": "4"})
        stream.width, stream.height = stored = 2 * round(width / aspect / 2), height
        stream.pix_fmt, stream.sample_aspect_ratio = "yuv420p", aspect
        for image in images:
            squeezed: Any = cv2.resize(image, stored, interpolation=cv2.INTER_AREA)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(squeezed, format="bgr24")))
        out.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def clips(shipped_model: FaceModel, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Give a clip and its anamorphic twin."""
    source = SyntheticVideo(shipped_model.shape_model, n_frames=N, size=(320, 240), seed=1)
    images, folder = [frame.image for frame in source], tmp_path_factory.mktemp("twins")
    return (
        store(folder / "square.mp4", images, Fraction(1)),
        store(folder / "pal.mp4", images, PAL),
    )


@pytest.fixture
def desk(clips: tuple[Path, Path], shipped_model: FaceModel, tmp_path: Path) -> Iterator[Desk]:
    """Give an annotator of the anamorphic twin."""
    made = Desk(clips[1], shipped_model, tmp_path / "session")
    made.until(made.tracked)
    made.until(lambda: not made.annotator.analysing.busy)
    yield made
    made.annotator.close()


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_points_pose_and_signals_are_those_of_the_command(
    desk: Desk, clips: tuple[Path, Path], shipped_model: FaceModel, tmp_path: Path
) -> None:
    annotator = desk.annotator
    assert main(["track", str(clips[1]), "-o", str(tmp_path / "out"), "--max-faces", "1"]) == 0
    path = tmp_path / "own" / "pal.csv"
    path.parent.mkdir()
    export_document(annotator.document, annotator.session.reader(), "csv", path, shipped_model)
    mine, its = read_openface(path), read_openface(tmp_path / "out" / "pal.csv")
    assert_allclose(mine.points, its.points, atol=0.011)
    assert_allclose(mine.pose[:, 3:], its.pose[:, 3:], atol=2e-3)
    assert_allclose(mine.pose[:, :3], its.pose[:, :3], rtol=2e-3, atol=0.2)
    one, other = (rows(p / "pal.signals.csv") for p in (tmp_path / "own", tmp_path / "out"))
    assert len(one) == len(other) == N
    names = [name for name in one[0] if name in other[0]]
    measured = 0
    for name in names:
        for a, b in zip(one, other, strict=True):
            if a[name] == b[name]:
                continue
            assert float(a[name]) == pytest.approx(float(b[name]), rel=0.02, abs=0.02), name
        measured += any(a[name] for a in one)
    assert measured > 10


def test_the_picture_is_shown_and_corrected_as_seen(
    desk: Desk, clips: tuple[Path, Path], shipped_model: FaceModel, tmp_path: Path
) -> None:
    annotator = desk.annotator
    desk.go(15)
    assert annotator.frame is not None
    assert annotator.editor is not None
    assert annotator.document.size == (224, 240)
    assert annotator.frame.image.shape == (240, round(224 * 64 / 45), 3)
    before, seen = annotator.view(0).points, annotator.editor.points.copy()
    assert before is not None
    assert_allclose((seen + 0.5) / [64 / 45, 1] - 0.5, before, atol=1e-6)
    desk.drag(57, 6.4, 5)
    desk.settle()
    after = annotator.view(0).points
    assert after is not None
    assert_allclose(after[57] - before[57], [4.5, 5], atol=1e-3)  # the file's pixels are wider
    assert annotator.ghost is not None
    assert_allclose(annotator.ghost, seen)
    learned = annotator.session.view(0, 14).points
    assert learned is not None
    size, shape_model = annotator.document.size, shipped_model.shape_model
    (face,) = faces_of(annotator.session, 14, shape_model, size)
    assert face.pose is not None
    assert_allclose(face.points, learned)
    annotator.close()
    assert replay(tmp_path / "session", shipped_model).different == ()


def test_tracking_anew_finds_what_it_finds_in_the_square_twin(
    clips: tuple[Path, Path], shipped_model: FaceModel, tmp_path: Path
) -> None:
    shown = []
    for path in clips:
        desk = Desk(path, shipped_model, tmp_path / path.stem)
        desk.until(desk.tracked)
        desk.go(15)
        desk.drag(57, 0, 4)
        desk.settle()
        annotator = desk.annotator
        stretch = annotator.session.stretch
        views = [annotator.session.view(0, frame).points for frame in (5, 14, 16, 30)]
        shown.append(np.array([stretch.square(points) for points in views if points is not None]))
        annotator.close()
    eyes = np.linalg.norm(shown[0][:, 36] - shown[0][:, 45], axis=1).mean()
    apart = np.linalg.norm(shown[0] - shown[1], axis=2).mean(axis=1) / eyes
    assert len(apart) == 4
    assert apart.max() < 0.02


def test_a_new_person_and_a_fit_lie_where_they_are_seen(desk: Desk) -> None:
    annotator = desk.annotator
    desk.go(10)
    known = annotator.points_of(0)
    assert known is not None
    (x0, y0), (x1, y1) = known.min(axis=0), known.max(axis=0)
    annotator.placing.ask()
    annotator.placing.press((x0, y0))
    annotator.placing.move((x1, y1))
    annotator.placing.release()
    assert annotator.person == -1
    fitted = annotator.points_of(-1)
    assert fitted is not None
    eyes = np.linalg.norm(known[36] - known[45])
    assert np.linalg.norm(fitted - known, axis=1).mean() < 0.05 * eyes


def test_the_overlay_is_shown_unsqueezed_at_the_videos_own_times(
    desk: Desk, clips: tuple[Path, Path], shipped_model: FaceModel, tmp_path: Path
) -> None:
    path = tmp_path / "overlay.mp4"
    document = desk.annotator.document
    export_document(document, desk.annotator.session.reader(), "overlay", path, shipped_model)
    frames = list(open_source(path))
    assert frames[0].aspect == pytest.approx(64 / 45, rel=1e-3)
    times = [frame.timestamp for frame in open_source(clips[1])]
    assert_allclose([frame.timestamp for frame in frames], times, atol=1e-3)


def test_a_session_from_before_learns_its_aspect(
    clips: tuple[Path, Path], shipped_model: FaceModel, tmp_path: Path
) -> None:
    document = open_document(clips[1], shipped_model, folder=tmp_path / "s")
    session = document.session
    for _ in track_into(session.store, clips[1], shipped_model, N, max_faces=1):
        pass
    with session.store.transaction():
        session.store.write("DELETE FROM setting WHERE name='pixel_aspect'")
    session.close()
    again = open_document(clips[1], shipped_model, folder=tmp_path / "s").session
    assert again.stretch.x == pytest.approx(64 / 45)
    again.close()
