from __future__ import annotations

import csv
from pathlib import Path

import pytest

from facetrack.corpus.batch import Failure
from facetrack.corpus.inputs import Input, Namer
from facetrack.corpus.summary import write_summary
from facetrack.corpus.task import ModelId, Outputs, Settings, Task
from tests.results import write_result


def read(folder: Path, failures: list[Failure] | None = None) -> list[dict[str, str]]:
    with write_summary(folder, failures or []).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_video_and_face_has_a_row(tmp_path: Path) -> None:
    write_result(tmp_path / "b" / "two", [0, 4])
    write_result(tmp_path / "a", [0], lost=[False] * 5 + [True] * 5)
    first, second, third = read(tmp_path)
    assert (first["results"], second["results"], third["results"]) == ("a", "b/two", "b/two")
    assert (first["video"], second["face_id"], third["face_id"]) == ("a.mp4", "0", "4")
    expected = {
        "frames": "10", "seconds": "1", "tracked": "0.5", "doubtful": "0.5", "lost": "0.5",
        "eye_openness_mean": "1", "eye_openness_assessable": "0.5", "quality_mean": "0.5",
        "blink_count": "1", "blink_per_minute": "120", "eyes_closed_count": "0", "note": "",
    }  # fmt: skip
    assert {name: first[name] for name in expected} == expected
    assert second["blink_per_minute"] == "60"


def test_a_video_without_a_face_says_so(tmp_path: Path) -> None:
    write_result(tmp_path / "empty", [])
    (row,) = read(tmp_path)
    assert (row["video"], row["face_id"], row["note"]) == ("empty.mp4", "", "no face was found")
    assert row["tracked"] == "0"


def test_counts_that_nobody_could_see_are_empty(tmp_path: Path) -> None:
    write_result(tmp_path / "gone", [0], lost=[True] * 10)
    (row,) = read(tmp_path)
    assert (row["tracked"], row["eyes_closed_count"], row["eyes_closed_per_minute"]) == (
        "0",
        "",
        "",
    )


@pytest.mark.parametrize("signals", ["none", "blink"])
def test_tracks_will_do_where_no_signal_was_asked_for(tmp_path: Path, signals: str) -> None:
    write_result(tmp_path / "plain", [0], lost=[True, True], signals=signals)
    (row,) = read(tmp_path)
    assert (row["tracked"], row["doubtful"], row["lost"]) == ("0.8", "0.8", "0.2")


def test_videos_that_failed_or_are_damaged_have_a_row(tmp_path: Path) -> None:
    write_result(tmp_path / "good", [0])
    broken = write_result(tmp_path / "broken", [0])
    broken.path("signals").write_text("frame,timestamp,face_id,x\n1,0,0\n")
    task = Task(
        Path("videos/failed.mp4"), Outputs(tmp_path / "failed"), Settings(), ModelId("toy", "0")
    )
    rows = {row["results"]: row for row in read(tmp_path, [Failure(task, "failed.mp4: is text")])}
    assert list(rows) == ["broken", "failed", "good"]
    assert "3 cells, 4 expected" in rows["broken"]["note"]
    assert (rows["failed"]["video"], rows["failed"]["note"]) == (
        "failed.mp4",
        "failed.mp4: is text",
    )
    assert rows["good"]["note"] == ""


def test_no_video_takes_the_name_of_the_summary(tmp_path: Path) -> None:
    source = Input(tmp_path / "in" / "summary.mp4", Path("summary"))
    assert Namer(tmp_path).outputs(source).base.name == "in_summary"
