"""Several sessions in several formats: one failure stops nothing, nothing is replaced unasked."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from facetrack.errors import OutputError
from facetrack.fitting.face_model import FaceModel
from facetrack_app.services.exporting import export_document
from facetrack_app.services.exporting_many import Order, export_many, find_sessions
from tests.app.services.desk import Desk


@pytest.fixture
def study(desk: Desk, clip: Path, tmp_path: Path) -> Path:
    """Give a folder with two videos of one name that have sessions, and a broken session."""
    desk.until(lambda: not desk.annotator.analysing.busy)
    desk.annotator.close()
    for name in ("a", "b"):
        folder = tmp_path / "study" / name
        folder.mkdir(parents=True)
        shutil.copy(clip, folder / "clip.mp4")
        place = folder / "clip.mp4.facetrack"
        shutil.copytree(desk.annotator.session.folder, place)
        with contextlib.closing(sqlite3.connect(place / "session.db")) as database:
            database.execute("UPDATE setting SET value=? WHERE name='video'", ('"../clip.mp4"',))
            database.commit()
    broken = tmp_path / "study" / "gone.mp4.facetrack"
    broken.mkdir()
    (broken / "session.db").write_bytes(b"no database")
    return tmp_path / "study"


def test_what_fails_is_said_and_the_rest_goes_on(
    study: Path, shipped_model: FaceModel, tmp_path: Path
) -> None:
    sessions = find_sessions([study, study / "a" / "clip.mp4"])
    assert [s.parent.name for s in sessions] == ["a", "b", "study"]
    order = Order(tuple(sessions), ("csv", "numbers", "corrections"), tmp_path / "out")
    shares: list[float] = []
    came = export_many(order, shipped_model, {}, lambda what, share: shares.append(share))
    assert shares == sorted(shares)
    assert len(came.written) == 4
    assert sorted("gone.mp4" in text for text in came.failed) == [False, False, True]
    assert sum("no frame is corrected yet" in text for text in came.failed) == 2
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"clip.csv", "b_clip.csv", "clip-numbers.csv", "b_clip-numbers.csv"} <= names
    again = export_many(order, shipped_model, {})
    assert again.written == []
    assert sum("is there already" in text for text in again.failed) == 4


def test_it_is_the_same_as_a_single_export_of_what_is_open(
    desk: Desk, shipped_model: FaceModel, tmp_path: Path
) -> None:
    desk.until(lambda: not desk.annotator.analysing.busy)
    document, session = desk.annotator.document, desk.annotator.session
    order = Order((session.folder,), ("csv", "elan"), tmp_path / "out")
    opened = {session.folder: (document, [session.reader(), session.reader()])}
    came = export_many(order, shipped_model, opened)
    assert (came.failed, len(came.written)) == ([], 2)
    for kind, name in (("csv", "clip.csv"), ("elan", "clip.eaf")):
        export_document(document, session.reader(), kind, tmp_path / name, shipped_model)
    one, many = (p.read_bytes() for p in (tmp_path / "clip.csv", tmp_path / "out" / "clip.csv"))
    assert one == many


def test_it_can_be_cancelled_between_two_files(
    study: Path, shipped_model: FaceModel, tmp_path: Path
) -> None:
    order = Order(tuple(find_sessions([study])), ("coco", "vtt"), tmp_path / "out", replace=True)
    answers = iter([False, True])
    came = export_many(order, shipped_model, {}, stop=answers.__next__)
    assert came.cancelled
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["clip.json"]


def test_a_folder_that_cannot_be_made_is_named(shipped_model: FaceModel, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        export_many(Order((), ("csv",), tmp_path / "file" / "out"), shipped_model, {})
