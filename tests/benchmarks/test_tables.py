"""Tables of learning, speed and peers from the details of a report, what is missing included."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.learning.annotating import _plain, annotation_table
from benchmarks.learning.cost import Exactness, LearningCost, UpdateTimes
from benchmarks.learning.report import learning_details, learning_table
from benchmarks.learning.self_learning import Adapted, Measures, adapting_details, adapting_table
from benchmarks.learning.simulated_annotator import Annotated
from benchmarks.learning.teaching import Outcome
from benchmarks.learning.whole_update import WholeUpdate
from benchmarks.peers.report import comparison_table
from benchmarks.showing import show
from benchmarks.speed.long_run import Drift
from benchmarks.speed.report import (
    BenchmarkReport,
    Elsewhere,
    benchmark_details,
    benchmark_table,
)
from benchmarks.speed.timing import FileRate, ModelCost, StepTime
from facetrack.cli.main import main
from facetrack.evaluation.footage import Spread
from facetrack.landmarks.markup import GROUPS
from facetrack.reporting.tables import as_markdown, as_text

NONE = math.nan
SUMMARY = {"n": 3, "found": 0.0, "mean": NONE, "median": NONE, "auc08": 0.0, "over08": 1.0}
JITTER = {name: 0.25 for name in ("all", *GROUPS)}
STEPS = (StepTime("ours", 1.0, 2.0, 0.9, 80), StepTime("rival", 2.0, 3.0, 1.9, 80))
SYSTEM = {"errors": {"PFLD": SUMMARY}, "losses": 1, "lost_frames": 2, "jitter": JITTER}


def _speed() -> dict[str, Any]:
    update = UpdateTimes(1021, 1.0, 30.0, 1.5, 30.0, 1.5)
    examples = {1: 26.0, 3: 62.0}
    learning = LearningCost(
        Exactness(200, 2e-11, 3e-12, 1e5),
        (update,),
        WholeUpdate(3, 1021, 64, 4024, 9.0, 90.0, 8.0, 9000.0),
        115.0,
        examples,
        STEPS,
        9,
        1,
    )
    return benchmark_details(
        BenchmarkReport(
            steps=STEPS[:1],
            rates=(FileRate(1, 300.0, 600.0),),
            model=ModelCost(13.5, 0.04),
            drift=Drift(108_000, 1.0, 1.05, 0.9, 0.909, 0.2),
            elsewhere=Elsewhere("stranger", 10.0, 5.0),  # without a rival here its ratio is NaN
            size=(640, 480),
            threads=("opencv",),
            skipped=("PFLD: no files",),
            learning=learning,
        )
    )


def _examples() -> dict[str, Any]:
    thirds = {"hard": (0.05, 0.03)}
    example = Outcome("talking_woman", "ours", Spread.CLIP, 3, 0.04, 0.02, 50, 1, thirds)
    return {**learning_details([example]), "skipped": ["CoTracker3: not there"]}


def _adapted() -> dict[str, Any]:
    before, after = (Measures(0.04, 0.03, 1.0, jitter, 2) for jitter in (0.002, 0.0019))
    return adapting_details([Adapted("clip", before, after)])


REPORTS: dict[str, tuple[Any, Mapping[str, Any]]] = {
    "learning": (learning_table, _examples()),
    "adapting": (adapting_table, _adapted()),
    "annotating": (
        annotation_table, {"clips": [_plain(Annotated("v", "learning", 60, 4, 30))]}
    ),
    "speed": (benchmark_table, _speed()),
    "peers": (comparison_table, {
        "systems": [{"name": "ours", "note": "x", "step_ms": None, "megabytes": None, **SYSTEM}],
        "skipped": [],
    }),
}  # fmt: skip


@pytest.mark.parametrize("name", REPORTS)
def test_a_page_shows_what_the_terminal_showed(name: str, tmp_path: Path, capsys) -> None:
    table, details = REPORTS[name]
    report = tmp_path / "r.json"
    show(table(details), report, n=3, model="m", details=details)
    printed = capsys.readouterr().out
    content = json.loads(report.read_text())
    assert printed == f"{as_text(table(details))}\n"
    assert "None" not in printed
    assert "nan" not in printed
    assert content["n"] == 3
    assert set(details) < set(content["details"])
    report.write_text(report.read_text().replace(content["command"], "python -m benchmarks x"))
    assert main(["results", str(report), "-o", str(tmp_path)]) == 0
    assert (tmp_path / "r.md").read_text().endswith(as_markdown(table(details)))
