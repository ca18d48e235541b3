"""The evaluate view: one or two predictions against the truth."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from facetrack.errors import FormatError, InputError
from facetrack.formats.openface import write_openface
from facetrack.formats.pts import write_pts
from facetrack.formats.table import make_table
from facetrack.landmarks.markup import GROUPS, pupil_distance
from facetrack.video.square import AS_STORED
from facetrack_app.model.measuring import HEADERS, Side, Wish, measure
from facetrack_app.model.measuring_report import save_csv, save_html
from facetrack_app.views.evaluate_view import EvaluateView
from facetrack_app.views.main_window import MainWindow
from tests.app.conftest import shape

PATIENCE = 30_000  # ms


@pytest.fixture
def labelled(tmp_path: Path) -> tuple[Path, Path]:
    """Give predictions (CSV with confidence) and truth in 300-VW's layout, of two clips."""
    from dataclasses import replace

    truth, predictions = tmp_path / "truth", tmp_path / "predictions"
    predictions.mkdir()
    for name, off in (("001", 1.0), ("007", 4.0)):
        (truth / name / "annot").mkdir(parents=True)
        points = np.stack([shape(i) for i in range(12)])
        for i in range(12):
            write_pts(truth / name / "annot" / f"{i + 1:06d}.pts", points[i])
        points[5] += 3 * off
        table = make_table(range(12), points + off, timestamp=np.arange(12) / 25)
        table = replace(table, point_confidence=np.full((12, 68), 0.8))
        write_openface(predictions / f"{name}.csv", table)
    return predictions, truth


def test_measuring_shows_tables_curves_and_worst_frames(
    window: MainWindow, qtbot: QtBot, labelled: tuple[Path, Path], tmp_path: Path
) -> None:
    window.show_evaluate()
    view = window.evaluate
    view.form.predictions.field.setText(str(labelled[0]))
    view.form.truth.field.setText(str(labelled[1]))
    view.run_evaluation()
    qtbot.waitUntil(lambda: view.has_report, timeout=PATIENCE)
    assert view.table.rowCount() == 3
    assert view.worst.item(0, 0).text() == "007"
    assert view.worst.item(0, 1).text() == "6"
    assert view.measured is not None
    eye = float(np.linalg.norm(shape()[36] - shape()[45]))
    expected = 100 * np.sqrt(2) * 16 / eye
    assert view.measured.worst[0].error == pytest.approx(expected, rel=1e-2)
    found = view.measured.systems[0].reliability
    assert found is not None
    hits = found.observed[8]
    assert found.error == pytest.approx(abs(0.8 - hits), abs=1e-6)
    view.save_to(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "007" in page
    assert "data:image/png;base64," in page
    assert (tmp_path / "report.png").stat().st_size > 1000


def test_the_worst_frame_of_pictures_is_shown(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    for folder in ("truth", "found"):
        (tmp_path / folder).mkdir()
        write_pts(tmp_path / folder / "ann.pts", shape(folder == "found"))
    cv2.imwrite(str(tmp_path / "truth" / "ann.png"), np.full((512, 512, 3), 90, np.uint8))
    view = window.evaluate
    view.form.predictions.field.setText(str(tmp_path / "found"))
    view.form.truth.field.setText(str(tmp_path / "truth"))
    view.run_evaluation()
    qtbot.waitUntil(lambda: view.canvas.has_picture, timeout=PATIENCE)


@pytest.mark.parametrize("paths", [("", ""), ("nowhere.csv", "nothing")])
def test_what_cannot_be_measured_is_said(
    window: MainWindow, qtbot: QtBot, paths: tuple[str, str]
) -> None:
    window.show_evaluate()
    window.evaluate.form.predictions.field.setText(paths[0])
    window.evaluate.form.truth.field.setText(paths[1])
    window.evaluate.run_evaluation()
    qtbot.waitUntil(lambda: "measuring" not in window.message and bool(window.message))
    assert not window.evaluate.has_report


def test_the_picture_of_a_frame_that_is_no_longer_chosen_is_not_shown(
    window: MainWindow, qtbot: QtBot, labelled: tuple[Path, Path]
) -> None:
    view = window.evaluate
    view.form.predictions.field.setText(str(labelled[0]))
    view.form.truth.field.setText(str(labelled[1]))
    view.run_evaluation()
    qtbot.waitUntil(lambda: view.has_report, timeout=PATIENCE)
    assert view.measured is not None
    first, second = view.measured.worst[:2]
    view.worst.selectRow(1)
    image = np.zeros((512, 512, 3), np.uint8)
    view._show_picture(image, AS_STORED, first)
    assert not view.canvas.has_picture
    view._show_picture(image, AS_STORED, second)
    assert view.canvas.has_picture


@pytest.fixture
def clip(tmp_path: Path) -> dict[str, Path]:
    """Give the truth of ten frames, and two predictions: mouth wrong by 6 px, all wrong by 1."""
    truth = np.stack([shape(i) for i in range(10)])
    mouth, whole = truth.copy(), truth + np.array([1.0, 0.0])
    mouth[:, list(GROUPS["mouth"]), 0] += 6
    paths = {name: tmp_path / f"{name}.csv" for name in ("truth", "mouth", "whole")}
    for (name, path), points in zip(paths.items(), (truth, mouth, whole), strict=True):
        del name
        write_openface(path, make_table(range(10), points))
    return paths


def choose(view: EvaluateView, **paths: Path) -> None:
    for name, path in paths.items():
        getattr(view.form, name).field.setText(str(path))


def test_two_predictions_side_by_side_with_regions(clip: dict[str, Path], tmp_path: Path) -> None:
    wish = Wish((Side(clip["mouth"]), Side(clip["whole"])), Side(clip["truth"]))
    found = measure(wish)
    rows = [dict(zip(HEADERS, row, strict=True)) for row in found.rows()]
    assert [row["predictions"] for row in rows] == ["mouth.csv", "whole.csv"]
    eye = float(np.linalg.norm(shape()[36] - shape()[45]))
    assert float(rows[0]["mouth %"]) == pytest.approx(100 * 6 / eye, abs=0.02)
    assert float(rows[0]["jaw %"]) == pytest.approx(0, abs=0.02)
    assert float(rows[1]["jaw %"]) == pytest.approx(100 / eye, abs=0.02)
    assert found.worst[0].errors[0] == pytest.approx(100 * 6 * 20 / 68 / eye, abs=0.02)
    save_csv(tmp_path / "errors.csv", found)
    with (tmp_path / "errors.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 20
    assert (lines[0]["frame"], lines[0]["predictions"]) == ("1", "mouth.csv")
    assert float(lines[0]["mouth"]) == pytest.approx(100 * 6 / eye, abs=0.02)
    without = measure(Wish(wish.predictions, wish.truth, markup=51))
    assert without.rows()[0][HEADERS.index("jaw %")] == "-"
    pupils = measure(Wish(wish.predictions, wish.truth, by="pupils"))
    apart = float(pupil_distance(shape()))
    assert apart < eye
    cell = pupils.rows()[1][HEADERS.index("mean %")]
    assert float(cell) == pytest.approx(100 / apart, abs=0.02)


def test_the_report_says_what_was_measured_when_and_by_what(
    clip: dict[str, Path], tmp_path: Path
) -> None:
    found = measure(Wish((Side(clip["mouth"]), Side(clip["whole"])), Side(clip["truth"])))
    save_html(tmp_path / "report.html", found)
    page = (tmp_path / "report.html").read_text()
    for path in clip.values():
        assert str(path) in page
    assert found.when.strftime("%Y-%m-%d") in page
    assert "outer eye corners" in page
    assert "Facetrack" in page


def test_curves_are_named_as_the_predictions(
    window: MainWindow, qtbot: QtBot, clip: dict[str, Path]
) -> None:
    window.show_evaluate()
    view = window.evaluate
    choose(view, predictions=clip["mouth"], rival=clip["whole"], truth=clip["truth"])
    view.run_evaluation()
    qtbot.waitUntil(lambda: view.has_report, timeout=PATIENCE)
    names = [item.name() for item in view.plots.curves.listDataItems()]
    assert names == ["mouth.csv", "whole.csv"]
    assert "truth" in view.legend.text()
    assert "mouth.csv" in view.legend.text()


def test_results_of_other_paths_are_marked(
    window: MainWindow, qtbot: QtBot, clip: dict[str, Path]
) -> None:
    window.show_evaluate()
    view = window.evaluate
    choose(view, predictions=clip["mouth"], truth=clip["truth"])
    view.run_evaluation()
    qtbot.waitUntil(lambda: view.has_report, timeout=PATIENCE)
    assert "mouth.csv against truth.csv" in view.heading.text()
    save = window.buttons["save_report"]
    assert save.isEnabled()
    for change in (
        lambda: choose(view, predictions=clip["whole"]),
        lambda: (view.form.markup.setCurrentIndex(2), view.form.markup.activated.emit(2)),
    ):
        change()
        assert "not of what is chosen now" in view.heading.text()
        assert not save.isEnabled()
        assert not view.table.isEnabled()
        choose(view, predictions=clip["mouth"])
        view.form.markup.setCurrentIndex(0)
        view.form.markup.activated.emit(0)
        assert save.isEnabled()


def test_of_several_faces_one_is_chosen_in_the_window(
    window: MainWindow, qtbot: QtBot, clip: dict[str, Path], tmp_path: Path
) -> None:
    both = tmp_path / "both.csv"
    points = np.concatenate([np.stack([shape(i) for i in range(10)])] * 2)
    points[10:] += 5
    faces = np.repeat([0, 3], 10)
    order = np.argsort(np.tile(np.arange(10), 2), kind="stable")
    table = make_table(np.tile(np.arange(10), 2)[order], points[order], face_id=faces[order])
    write_openface(both, table)
    with pytest.raises(FormatError, match="holds the faces 0, 3"):
        measure(Wish((Side(both),), Side(clip["truth"])))
    window.show_evaluate()
    view = window.evaluate
    choose(view, predictions=both, truth=clip["truth"])
    box = view.form.predictions.face
    qtbot.waitUntil(box.isVisible, timeout=PATIENCE)
    assert [box.itemText(i) for i in range(box.count())] == ["which face?", "face 0", "face 3"]
    box.setCurrentIndex(2)
    box.activated.emit(2)
    view.run_evaluation()
    qtbot.waitUntil(lambda: view.has_report, timeout=PATIENCE)
    eye = float(np.linalg.norm(shape()[36] - shape()[45]))
    assert view.measured is not None
    assert view.measured.worst[0].error == pytest.approx(100 * np.sqrt(50) / eye, rel=0.01)
    choose(view, predictions=clip["mouth"])
    assert not box.isVisible()


def test_videos_that_one_of_the_predictions_lacks_are_left_out_and_named(
    labelled: tuple[Path, Path], tmp_path: Path
) -> None:
    predictions, truth = labelled
    less = tmp_path / "less"
    less.mkdir()
    (less / "007.csv").write_bytes((predictions / "007.csv").read_bytes())
    found = measure(Wish((Side(predictions), Side(less)), Side(truth)))
    assert list(found.keys) == ["007"]
    assert any("001" in warning for warning in found.warnings)
    (less / "007.csv").rename(less / "008.csv")
    with pytest.raises(InputError, match="nothing pairs"):
        measure(Wish((Side(predictions), Side(less)), Side(truth)))


def test_equal_names_are_told_apart() -> None:
    truth = Side(Path("t"))
    same = Wish((Side(Path("a/x.csv")), Side(Path("b/x.csv"))), truth)
    assert same.names == ("a/x.csv", "b/x.csv")
    faces = Wish((Side(Path("a/x.csv"), 0), Side(Path("a/x.csv"), 1)), truth)
    assert len(set(faces.names)) == 2
