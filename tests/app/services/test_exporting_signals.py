"""Signals, events and the report in files: who says so, what is left out, from which moment."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import Qt

from facetrack.cli.main import main
from facetrack.fitting.face_model import FaceModel
from facetrack.formats.coco import read_coco
from facetrack.formats.elan import read_elan
from facetrack.formats.events_csv import read_events
from facetrack.formats.openface import read_openface
from facetrack.formats.signals_csv import read_signals
from facetrack.formats.webvtt import read_webvtt
from facetrack.reading import HUMAN, MACHINE, Event
from facetrack.signals.registry import choose, owner
from facetrack_app.model.commands import MakeEvent, MarkSpan, Rename, SetRest, SetTimeZero
from facetrack_app.model.event_list import event_lines
from facetrack_app.model.judged import Judged, event_in_words, pack_event
from facetrack_app.model.numbers import compared, in_words_of_rest
from facetrack_app.model.readings import read_values
from facetrack_app.model.session import Session
from facetrack_app.services.analysing import chosen_signals
from facetrack_app.services.exporting import export_document
from facetrack_app.views.event_table import NAME, EventTable
from tests.app.aching import AWAY, MODEL, PARTS, TURNED, Aching
from tests.app.services.desk import Desk, N

BLINK = Event("blink", 0.4, 0.44, 0.52, 0.5, detail={"depth": 0.5})


@pytest.fixture
def judged(desk: Desk) -> Desk:
    """Give a desk whose session holds three events of a machine, one of them moved."""
    annotator, session = desk.annotator, desk.annotator.session
    desk.until(lambda: not annotator.analysing.busy)
    times = session.times()
    with session.store.transaction():
        session.store.write("DELETE FROM event")
        for first in (10, 20, 30):
            start, stop = float(times[first]), float(times[first + 2])
            event = replace(BLINK, start=start, peak=start, stop=stop)
            session.store.write(
                "INSERT INTO event (person, estimator, version, name, start, peak, stop, score, "
                "text, detail) VALUES (0, 'blinks', '1', ?, ?, ?, ?, ?, ?, ?)", pack_event(event),
            )  # fmt: skip
    session.absorb_analysed()
    annotator.judging.move(session.events(0)[0], 9, 13)
    annotator.run(MakeEvent(0, "smile", float(times[15]), float(times[18])))
    annotator.run(MarkSpan("exclude", 20, 23, "cough"))
    annotator.run(SetTimeZero(5))
    annotator.run(Rename(0, "Anna"))
    return desk


def written(desk: Desk, model: FaceModel, kind: str, path: Path) -> str:
    reader = desk.annotator.session.reader()
    return export_document(desk.annotator.document, reader, kind, path, model)


def test_signals_and_events_lie_beside_the_tracks(
    judged: Desk, shipped_model: FaceModel, tmp_path: Path
) -> None:
    written(judged, shipped_model, "csv", tmp_path / "out.csv")
    session = judged.annotator.session
    times = session.times() - session.times()[5]
    table = read_signals(tmp_path / "out.signals.csv")
    kept = [*range(5, 20), *range(23, N)]
    assert table.frame.tolist() == kept
    np.testing.assert_allclose(table.timestamp, times[kept], atol=1e-6)
    assert set(table.face_id.tolist()) == {0}
    stored = read_values(session.store, 0, owner("pose_yaw"), "pose_yaw", 0, N).value
    np.testing.assert_allclose(table.signals["pose_yaw"].value, stored[kept], rtol=1e-5)
    records = read_events(tmp_path / "out.events.csv")
    assert [(r.event.name, r.source, r.estimator) for r in records] == [
        ("blink", HUMAN, "blinks"), ("smile", HUMAN, ""), ("blink", MACHINE, "blinks"),
    ]  # fmt: skip
    moved = records[0].event
    assert (moved.start, moved.stop) == pytest.approx((times[9], times[13]), abs=1e-6)
    assert moved.detail["depth"] == 0.5
    said = moved.detail["machine"]
    assert (said["start"], said["stop"]) == pytest.approx((times[10], times[12]), abs=1e-6)
    columns = (tmp_path / "out.columns.csv").read_text(encoding="utf-8")
    assert "eye_openness" in columns
    assert "blink" in columns
    for name in ("out.csv", "out.signals.csv", "out.events.csv"):
        with (tmp_path / name).open(encoding="utf-8", newline="") as stream:
            assert {row["person"] for row in csv.DictReader(stream)} == {"Anna"}
    assert columns.count("\nperson,") == 3
    assert table.people == read_openface(tmp_path / "out.csv").people == {0: "Anna"}
    written(judged, shipped_model, "coco", tmp_path / "out.json")
    assert read_coco(tmp_path / "out.json").people == {0: "Anna"}


@pytest.mark.parametrize("kind", ["elan", "vtt"])
def test_events_are_tiers_and_cues(
    judged: Desk, shipped_model: FaceModel, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / f"out.{'eaf' if kind == 'elan' else 'vtt'}"
    written(judged, shipped_model, kind, path)
    found = read_elan(path) if kind == "elan" else read_webvtt(path)
    values = [a.value for a in found]
    seen = [(a.start, a.end) for a in found if a.tier == "Anna"]
    assert all(
        value == "tracked" for a, value in zip(found, values, strict=True) if a.tier == "Anna"
    )
    times = judged.annotator.session.times() - judged.annotator.session.times()[5]
    np.testing.assert_allclose(  # frames 20 to 22 are excluded
        seen, [(0, times[20]), (times[23], times[-1] + 1 / 30)], atol=2e-3
    )
    assert sum("blink" in value for value in values) == 2
    assert sum("smile" in value for value in values) == 1
    if kind == "elan":
        assert {"Anna blink", "Anna blink human"} <= {a.tier for a in found}


def test_the_report_is_a_page_of_the_same_numbers(
    judged: Desk, shipped_model: FaceModel, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    assert written(judged, shipped_model, "report", path) == f"{N - 8} frames written: {path}"
    page = path.read_text(encoding="utf-8")
    assert "Numbers per minute" in page
    assert "smile" in page
    assert "clip.mp4" in page
    written(judged, shipped_model, "numbers", path.with_suffix(".csv"))
    with path.with_suffix(".csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {(r["person"], r["value"]) for r in rows if r["measure"] == "by_human"} >= {
        ("Anna", "1")
    }


def test_the_command_line_reports_a_closed_session(
    judged: Desk, shipped_model: FaceModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, page = judged.annotator.session.folder, tmp_path / "page.html"
    for first in (8, 25):
        judged.annotator.run(MarkSpan("event", first, first + 5, "smile"))
    assert main(["report", str(folder), "-o", str(page)]) == 1
    assert "another run" in capsys.readouterr().err  # the window has it open
    judged.annotator.close()
    assert main(["report", str(folder), "-o", str(page)]) == 0
    assert f"<h2>{folder.name}: Anna (face 0)" in page.read_text(encoding="utf-8")
    with page.with_suffix(".csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {r["person"] for r in rows} == {"Anna"}
    assert {r["interval"] for r in rows} == {"whole video", "smile", "smile 2", "all smile"}
    rows = [r for r in rows if r["interval"] == "whole video"]
    by_human = [r["value"] for r in rows if (r["name"], r["measure"]) == ("smile", "by_human")]
    assert by_human == ["1"]


@pytest.fixture
def scored(ache: Aching, desk: Desk) -> Desk:
    """Give a desk whose session holds a model's score, measured from the face at rest."""
    annotator = desk.annotator
    annotator.want_signals(("ache",))
    desk.until(lambda: not annotator.analysing.busy)
    annotator.run(SetRest(0, 0, 10))
    return desk


def test_a_score_is_exported_with_its_model_its_interval_and_its_rest(
    scored: Desk, shipped_model: FaceModel, tmp_path: Path
) -> None:
    session = scored.annotator.session
    times = session.times() - session.times()[0]
    rest = f"{times[0]:.3f} to {times[9]:.3f} s"
    written(scored, shipped_model, "csv", tmp_path / "out.csv")
    with (tmp_path / "out.signals.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["rest"] for row in rows} == {rest}
    assert (
        {row["ache_model"] for row in rows} == {row["ache_brows_model"] for row in rows} == {MODEL}
    )
    assert rows[AWAY.start]["ache_reason"] == TURNED
    numbers = [float(rows[1][f"ache{end}"]) for end in ("", "_low", "_high")]
    assert numbers == [0.0, -1.0, 2.0]  # 4 less the median of 3, 4, 5, ...
    assert "\nrest," in (tmp_path / "out.columns.csv").read_text(encoding="utf-8")
    (record,) = [
        r for r in read_events(tmp_path / "out.events.csv") if r.event.name == "ache_episode"
    ]
    assert record.event.detail["model"] == MODEL
    assert record.event.score == 5.0  # 9 less the same 4
    for kind, suffix in (("elan", "eaf"), ("vtt", "vtt")):
        written(scored, shipped_model, kind, tmp_path / f"out.{suffix}")
    tiers = {a.tier for a in read_elan(tmp_path / "out.eaf")}
    assert f"Person 1 ache_episode ({MODEL})" in tiers
    assert MODEL in (tmp_path / "out.vtt").read_text(encoding="utf-8")
    written(scored, shipped_model, "report", tmp_path / "out.html")
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert page.count(MODEL) > 6  # at the top, and with every number of it
    assert f"Person 1: {rest}" in page
    written(scored, shipped_model, "numbers", tmp_path / "numbers.csv")
    with (tmp_path / "numbers.csv").open(encoding="utf-8", newline="") as stream:
        models = {r["name"] for r in csv.DictReader(stream) if r["measure"] == "model"}
    assert models == {"ache", *PARTS, "ache_episode"}
    scored.annotator.undo()
    written(scored, shipped_model, "csv", tmp_path / "plain.csv")
    with (tmp_path / "plain.signals.csv").open(encoding="utf-8", newline="") as stream:
        row = next(csv.DictReader(stream))
    assert float(row["ache"]) == 3.0
    assert "rest" not in row
    plain = read_events(tmp_path / "plain.events.csv")
    assert [r.event.score for r in plain if r.event.name == "ache_episode"] == [9.0]


def test_the_model_stands_where_events_and_numbers_are_listed(scored: Desk) -> None:
    session = scored.annotator.session
    (line,) = [line for line in event_lines(session) if line.name == "ache_episode"]
    rows = EventTable()
    rows.show_lines([line])
    cell = rows.index(0, NAME)
    assert rows.data(cell) == rows.data(cell, Qt.ToolTipRole) == f"ache_episode ({MODEL})"
    assert rows.data(cell, Qt.EditRole) == "ache_episode"
    assert isinstance(line.what, Judged)
    assert MODEL in event_in_words(line.what)
    table = compared(session, chosen_signals(session), 0, (None,))
    noted = {cells[0] for cells in table.cells if MODEL in cells[-1]}
    assert {"ache: mean", "ache: above its level", "ache episode: count"} <= noted
    assert in_words_of_rest(session, chosen_signals(session), 0).startswith("; measured from")


def test_signals_that_are_gone_cost_no_others(session: Session) -> None:
    with session.store.transaction():
        session.put_setting("signals", "default,lean,smile,brow_raise,mouth_open")
    assert {e.name for e in chosen_signals(session).estimators} >= {"blinks", "actions"}
    with session.store.transaction():
        session.put_setting("signals", "lean")
    assert chosen_signals(session) == choose()
