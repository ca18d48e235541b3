"""The ablation as a user calls it, with two small arms on synthetic faces."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.ablation import ablation
from facetrack.cli.main import main as facetrack_main
from facetrack.training.cascade import CascadePlan, LevelPlan
from facetrack.training.methods import Sampled
from facetrack.training.trainer import TrainingSettings

PLAN = CascadePlan((LevelPlan(0, 8.0, 3), LevelPlan(1, 5.0, 3)))
N_FRAMES = 8  # of each picture: four starts, all also mirrored
AROUND = 6  # readings of a frame that chooses the features, which in so few pictures are all


@pytest.fixture
def _two_arms(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = TrainingSettings(n_modes=6, tracking=PLAN, threads=1)
    sampled = replace(settings, tracking=replace(PLAN, method=Sampled(3)))
    arms = {
        "default": ablation.Arm("ours", settings),
        "sdm3": ablation.Arm("SDM, K = 3", sampled),
    }
    monkeypatch.setattr(ablation, "arms", lambda: arms)
    monkeypatch.setattr(ablation, "WAYS", {})


def _run(folder: Path, *options: str) -> int:
    pictures, clips = str(folder / "pictures"), str(folder / "clips")
    return main(["ablation", pictures, "--clips", clips, *options])


@pytest.mark.usefixtures("_two_arms")
def test_arms_are_measured_once_and_make_a_page(
    synthetic_faces: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _run(synthetic_faces, "--arms", "sdm3") == 0
    measured, measure = [], ablation.Bench.measure

    def counted(bench, arm):
        measured.append(arm.title)
        return measure(bench, arm)

    monkeypatch.setattr(ablation.Bench, "measure", counted)
    assert _run(synthetic_faces) == 0
    assert measured == ["ours"]
    details = json.loads(Path("ablation.json").read_text())["details"]
    ours, sdm = details["arms"]["default"], details["arms"]["sdm3"]
    assert (ours["readings"], sdm["readings"]) == (N_FRAMES * (AROUND + 1), N_FRAMES * (AROUND + 3))
    assert ours["by_level"][-1] == pytest.approx(ours["stills"]["mean"], rel=1e-4)
    assert ours["by_level"][1] < ours["by_level"][0]
    assert len(ours["stills"]["errors"]) == details["n"]
    mean = details["differences"]["sdm3"]["stills"]["mean"]
    assert mean == pytest.approx(sdm["stills"]["mean"] - ours["stills"]["mean"], abs=1e-3)
    shown = capsys.readouterr().out
    assert "SDM, K = 3" in shown
    assert facetrack_main(["results", "ablation.json"]) == 0
    assert "python -m benchmarks ablation" in Path("ablation.md").read_text()
    Path("ablation/sdm3.json").write_text("{")
    assert _run(synthetic_faces) == 1
    assert "sdm3.json: no arm of this script" in capsys.readouterr().err
    monkeypatch.setattr(ablation, "SHARE", 0.5)
    assert _run(synthetic_faces) == 1
    assert "choose another FILE" in capsys.readouterr().err
