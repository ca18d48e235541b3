"""The command line on a small archive of four subjects, made by code."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from facetrack.cli.main import main
from facetrack.pain.model import load_pain_model
from tests.pain.conftest import write_frame


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four subjects with a sequence of 30 frames each; one frame is of no use."""
    root = tmp_path_factory.mktemp("corpus")
    for subject in range(4):
        names = (f"90{subject}-sy00{subject}", f"sy00{subject}t1aaaff")
        for number in range(1, 31):
            level = max(0, (number - 15) // 5 + subject % 2)
            units = {4: float(level)} if level else {}
            write_frame(root, number, units, float(level), names=names)
    first = next((root / "Images").rglob("*001.png"))
    first.write_bytes(b"no picture")
    return root


@pytest.fixture(scope="module")
def trained(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of this corpus, which says that it was trained on patients."""
    folder = tmp_path_factory.mktemp("trained")
    path = folder / "mine.npz"
    work = str(folder / "work")
    command = ["pain", "train", str(corpus), "-o", str(path), "--work", work, "--rows", "60"]
    assert main(command) == 0
    return path


def test_evaluate_counts_says_and_resumes(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All frames are counted, the paper stands beside, a second run does no fold again."""
    command = [
        "pain", "evaluate", "--unbc", str(corpus), "--work", str(tmp_path / "work"), "--rows", "60",
        "--random-frames", "2", "--subjects", "2", "--json", str(tmp_path / "found.json"),
        "--plots", str(tmp_path / "plots"),
    ]  # fmt: skip
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "119 frames of 4 subjects can be assessed, 1 cannot" in printed
    assert "001.png" in printed  # named, with the reason
    for line in ("the paper, on UNBC", "always 0", "Frames split at random", "fewer subjects"):
        assert line in printed
    assert len(list((tmp_path / "plots").glob("*.png"))) == 4
    details = json.loads((tmp_path / "found.json").read_text())["details"]
    assert details["dropped"] == 1
    assert sum(map(sum, details["confusion"])) == details["frames"] == 119
    folds = {p: p.stat().st_mtime_ns for p in (tmp_path / "work" / "folds").glob("*.npz")}
    assert len(folds) == 4 + 4 + 2
    assert main(command) == 0
    assert {p: p.stat().st_mtime_ns for p in folds} == folds
    assert capsys.readouterr().out == printed


def test_a_model_of_patients_says_that_it_must_not_be_published(trained: Path) -> None:
    """The card says it, and there is no caution of a demonstration."""
    model = load_pain_model(trained)
    assert "must not be published" in model.card["terms"]
    assert model.caution == ""


def test_a_model_of_a_made_corpus_is_a_demonstration(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A corpus that says that it was made gives a model that says so."""
    (corpus / "synthetic.json").write_text('{"frame_rate": 15}')
    try:
        out = str(tmp_path / "demo.npz")
        work = str(tmp_path / "work")
        assert main(["pain", "train", str(corpus), "-o", out, "--work", work, "--rows", "60"]) == 0
    finally:
        (corpus / "synthetic.json").unlink()
    assert "not trained on pain" in load_pain_model(out).caution
    assert "published" not in capsys.readouterr().out


def test_a_layer_is_trained_on_pain_with_the_rest(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its features are one more set of the model's file, and of every fold."""
    pytest.importorskip("torch", reason="--tune trains with torch")
    out, work = tmp_path / "tuned.npz", str(tmp_path / "work")
    tuned = [str(corpus), "--work", work, "--rows", "60", "--form", "static", "--tune"]
    assert main(["pain", "train", *tuned, "-o", str(out)]) == 0
    sets = {one.name: one for one in load_pain_model(out).sets}
    assert list(sets)[-1] == "tuned (usual)"
    layer = sets["tuned (usual)"].layer
    assert layer is not None
    assert layer.weights.std() > 0
    assert main(["pain", "predict", str(corpus), "--model", str(out), "-o", work]) == 0
    assert main(["pain", "evaluate", *tuned, "--folds", "2"]) == 0
    assert "tuned (usual)" in capsys.readouterr().out


def test_predictions_have_a_row_for_every_frame(
    corpus: Path, trained: Path, tmp_path: Path
) -> None:
    """A frame without a score has a reason, and never 0."""
    out = tmp_path / "scores"
    assert main(["pain", "predict", str(corpus), "--model", str(trained), "-o", str(out)]) == 0
    files = sorted(out.rglob("*.csv"))
    assert len(files) == 4
    rows = [row for path in files for row in csv.DictReader(path.read_text().splitlines())]
    assert len(rows) == 120
    without = [row for row in rows if not row["pain"]]
    assert len(without) == 1
    assert without[0]["pain_reason"]
    for row in rows:
        if row["pain"]:
            low, score, high = (float(row[f"pain{end}"]) for end in ("_low", "", "_high"))
            assert 0 <= low <= score <= high <= 16
            assert row["pain_reason"] == ""
        assert row["pain_model"] == "mine"


def test_what_cannot_be_done_is_said(
    corpus: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line names what is missing."""
    assert main(["pain", "evaluate", str(corpus)]) == 1
    assert "--work" in capsys.readouterr().err
    assert main(["pain", "train", str(corpus), "-o", "x.pkl", "--work", str(tmp_path)]) == 1
    assert ".npz" in capsys.readouterr().err
    assert main(["pain", "evaluate", "--videos", str(tmp_path)]) == 1
    assert "--units" in capsys.readouterr().err
    known = ["--model", str(trained), "-o", str(tmp_path)]
    assert main(["pain", "predict", str(tmp_path / "none"), *known]) == 1
    assert "none" in capsys.readouterr().err
