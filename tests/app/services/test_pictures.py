"""A folder of pictures that stand each by itself: nothing is followed, names are kept."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from math import isnan
from pathlib import Path

import cv2
import numpy as np
import pytest

from facetrack.errors import InputError, VideoError
from facetrack.evaluation.score import load_landmarks, score
from facetrack.fitting.face_model import FaceModel
from facetrack.formats.openface import read_openface
from facetrack.formats.pts import read_pts
from facetrack.formats.signals_csv import read_signals
from facetrack.synthetic.video import SyntheticVideo
from facetrack_app.model.commands import Import, Rename
from facetrack_app.model.importing import changes_of_import, read_tracks
from facetrack_app.model.rows import Kind
from facetrack_app.services.background import track_into
from facetrack_app.services.exporting import export_document
from facetrack_app.services.opening import open_document, rate_to_ask
from facetrack_app.services.replay import replay
from tests.app.services.desk import Desk

NAMES = ("img (1).png", "img (2).png", "img (3).jpg", "img (4).png", "img (10).png")
BROKEN = 2  # its place, from 0


@pytest.fixture(scope="module")
def folder(shipped_model: FaceModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write pictures of one head that moves, one of them larger, one broken."""
    path = tmp_path_factory.mktemp("pictures") / "holiday"
    path.mkdir()
    video = list(SyntheticVideo(shipped_model.shape_model, n_frames=40, size=(320, 240), seed=1))
    for place, name in enumerate(NAMES):
        image = video[9 * place].image
        if name == NAMES[-1]:
            image = np.asarray(cv2.resize(image, (640, 480)), dtype=np.uint8)
        cv2.imwrite(str(path / name), image)
    (path / NAMES[BROKEN]).write_bytes((path / NAMES[0]).read_bytes()[:500])
    return path


@pytest.fixture
def desk(folder: Path, shipped_model: FaceModel, tmp_path: Path) -> Iterator[Desk]:
    """Give an annotator that has looked at all pictures."""
    made = Desk(folder, shipped_model, tmp_path / "session")
    made.until(lambda: not made.annotator.tracking.running and made.annotator.editor is not None)
    yield made
    made.annotator.close()


def exported(desk: Desk, model: FaceModel, kind: str, path: Path) -> str:
    return export_document(
        desk.annotator.document, desk.annotator.session.reader(), kind, path, model
    )


def test_every_picture_is_looked_at_by_itself(desk: Desk) -> None:
    session = desk.annotator.session
    assert session.stills
    assert session.tracked == len(NAMES)
    kinds = session.summary(0).kind.tolist()
    assert kinds == [Kind.NOTHING if i == BROKEN else Kind.PLAIN for i in range(len(NAMES))]
    assert any(f"1 of {len(NAMES)} pictures cannot be read" in text for text in desk.said)
    assert NAMES[BROKEN] in session.unreadable[BROKEN]
    assert desk.annotator.document.pictures == NAMES
    assert desk.annotator.frame is not None
    assert desk.annotator.frame.name == NAMES[0]


def test_a_broken_picture_shows_nothing_instead_of_the_one_before(desk: Desk) -> None:
    desk.annotator.show(BROKEN)
    desk.until(lambda: bool(desk.annotator.trouble))
    assert NAMES[BROKEN] in desk.annotator.trouble
    assert (desk.annotator.frame, desk.annotator.editor) == (None, None)
    assert desk.annotator.shown == BROKEN
    desk.annotator.show(BROKEN + 1)
    desk.until(lambda: desk.annotator.frame is not None)
    assert desk.annotator.trouble == ""


def test_a_correction_moves_no_other_picture_until_it_is_asked_for(
    desk: Desk, shipped_model: FaceModel
) -> None:
    annotator, session = desk.annotator, desk.annotator.session
    before = [session.view(0, i).points for i in range(len(NAMES))]
    desk.drag(48, 12, 4)
    assert not annotator.teaching.busy
    corrected = session.view(0, 0).points
    assert corrected is not None
    assert before[0] is not None
    assert not np.array_equal(corrected, before[0])
    for i in (1, 3, 4):
        np.testing.assert_array_equal(session.view(0, i).points, before[i])
    desk.go(3)
    annotator.placing.fit_here()
    desk.settle()
    assert session.summary(0).kind.tolist()[3] == Kind.LEARNED
    assert session.summary(0).kind.tolist()[1] == Kind.PLAIN
    desk.go(0)
    annotator.track(1)
    desk.settle()
    kinds = session.summary(0).kind.tolist()
    assert kinds[1] == kinds[3] == kinds[4] == Kind.LEARNED
    annotator.undo()
    assert session.summary(0).kind.tolist()[1] == Kind.PLAIN
    annotator.redo()
    desk.settle()
    annotator.close()
    assert replay(session.folder, shipped_model).different == ()


def test_exports_go_by_the_names_of_pictures(
    desk: Desk, shipped_model: FaceModel, tmp_path: Path
) -> None:
    desk.until(lambda: not desk.annotator.analysing.busy)
    good = [name for i, name in enumerate(NAMES) if i != BROKEN]
    exported(desk, shipped_model, "csv", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["frame"], row["picture"]) for row in rows] == [
        (str(NAMES.index(name) + 1), name) for name in good
    ]
    assert {row["timestamp"] for row in rows} == {"nan"}
    assert "person" not in rows[0]  # no face has been given a name
    signals = read_signals(tmp_path / "out.signals.csv").signals
    assert np.isfinite(signals["pose_yaw"].value).all()
    assert all(map(isnan, signals["eye_openness"].value))  # against which it would be is not known
    assert "\npicture," in (tmp_path / "out.columns.csv").read_text(encoding="utf-8")
    exported(desk, shipped_model, "coco", tmp_path / "out.json")
    images = json.loads((tmp_path / "out.json").read_text())["images"]
    assert [(i["file_name"], i["width"]) for i in images] == [
        (name, 640 if name == NAMES[-1] else 320) for name in good
    ]
    exported(desk, shipped_model, "pts", tmp_path / "out-pts")
    stems = sorted(Path(name).stem for name in good)
    assert sorted(f.stem for f in (tmp_path / "out-pts").glob("*.pts")) == stems
    points = read_openface(tmp_path / "out.csv").points
    np.testing.assert_allclose(
        read_pts(tmp_path / "out-pts" / "img (10).pts"), points[-1], atol=6e-4
    )
    for kind in ("elan", "vtt", "report", "numbers", "overlay"):
        with pytest.raises(InputError, match="have no time"):
            exported(desk, shipped_model, kind, tmp_path / "no")
    desk.annotator.run(Rename(0, "Anna"))
    exported(desk, shipped_model, "csv", tmp_path / "out.csv")
    assert read_openface(tmp_path / "out.csv").people == {0: "Anna"}


def test_predictions_and_truth_pair_by_the_names_of_pictures(
    desk: Desk, shipped_model: FaceModel, tmp_path: Path
) -> None:
    exported(desk, shipped_model, "csv", tmp_path / "out.csv")
    exported(desk, shipped_model, "pts", tmp_path / "truth")
    report = score(load_landmarks(tmp_path / "out.csv"), load_landmarks(tmp_path / "truth"))
    assert len(report.keys) == len(NAMES) - 1
    assert report.errors.max() < 1e-4
    (tmp_path / "truth" / "img (1).pts").unlink()  # nothing shifts
    report = score(load_landmarks(tmp_path / "out.csv"), load_landmarks(tmp_path / "truth"))
    assert report.errors.max() < 1e-4
    assert report.without_truth == 1


def test_corrections_come_back_by_the_names_of_pictures(
    desk: Desk, shipped_model: FaceModel, tmp_path: Path
) -> None:
    desk.go(3)
    desk.drag(30, 3, 3)
    exported(desk, shipped_model, "corrections", tmp_path / "said")
    assert sorted(f.name for f in (tmp_path / "said").iterdir()) == ["img (4).pts", "points.csv"]
    table = read_tracks(tmp_path / "said", NAMES)
    assert table.frame.tolist() == [3]
    session = desk.annotator.session
    desk.annotator.run(Import("said", tuple(changes_of_import(table, len(NAMES), -1))))
    assert session.summary(-1).corrected.tolist() == [i == 3 for i in range(len(NAMES))]


def test_what_was_begun_in_one_way_goes_on_so(
    folder: Path, shipped_model: FaceModel, tmp_path: Path
) -> None:
    place = tmp_path / "session"
    document = open_document(folder, shipped_model, folder=place, stills=False)
    assert not document.session.stills
    document.session.close()
    document = open_document(folder, shipped_model, folder=place)
    assert not document.session.stills
    assert any("continues as a picture sequence" in note for note in document.notes)
    document.session.close()


def test_the_rate_of_a_sequence_is_asked_once_and_kept(
    folder: Path, shipped_model: FaceModel, tmp_path: Path
) -> None:
    place, times = tmp_path / "session", np.arange(len(NAMES)) / 10
    assert rate_to_ask(folder, None, stills=False) == 25
    assert rate_to_ask(folder, None, stills=True) is None
    assert rate_to_ask(folder, place, stills=False) is None  # a session's own video
    document = open_document(folder, shipped_model, folder=place, stills=False, rate=10)
    np.testing.assert_allclose(document.times, times)
    document.session.close()
    document = open_document(folder, shipped_model, folder=place, stills=False, rate=50)
    session = document.session
    assert session.rate == 10
    np.testing.assert_allclose(document.times, times)
    for _ in track_into(session.store, folder, shipped_model, len(NAMES), rate=session.rate):
        pass
    session.absorb_tracked(0, len(NAMES))
    np.testing.assert_allclose(session.times(), times)
    session.close()
    assert replay(place, shipped_model).different == ()


def test_pictures_of_other_names_are_refused(
    folder: Path, shipped_model: FaceModel, tmp_path: Path
) -> None:
    document = open_document(folder, shipped_model, folder=tmp_path / "session")
    document.session.close()
    other = tmp_path / "other"
    other.mkdir()
    for name in NAMES:
        (other / f"new {name}").write_bytes((folder / name).read_bytes())
    with pytest.raises(InputError, match="pictures of other names"):
        open_document(other, shipped_model, folder=tmp_path / "session")


def test_a_folder_of_broken_pictures_opens_or_says_why(
    shipped_model: FaceModel, tmp_path: Path
) -> None:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(b"no picture")
    with pytest.raises(VideoError, match="no picture of 3 can be read"):
        open_document(tmp_path, shipped_model, folder=tmp_path / "session")
