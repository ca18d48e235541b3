"""`facetrack results` as a user calls it."""

from __future__ import annotations

import copy
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facetrack.cli.main import main
from facetrack.cli.results import _layouts
from facetrack.evaluation.confidence import Judged
from facetrack.evaluation.confidence_report import confidence_details
from facetrack.landmarks.markup import GROUPS
from facetrack.reporting.envelope import document, write_json
from facetrack.reporting.tables import Part, Table, as_data, as_markdown, as_text

NONE = math.nan
SUMMARY = {"n": 3, "found": 0.0, "mean": NONE, "median": NONE, "auc08": 0.0, "over08": 1.0}
JITTER = {name: 0.25 for name in ("all", *GROUPS)}
SYSTEM = {"errors": {"PFLD": SUMMARY}, "losses": 1, "lost_frames": 2, "jitter": JITTER}


def _confidence() -> dict[str, Any]:
    said = np.full((9, 68), 0.25)
    said[:4] = 0.75  # eight of ten bins stay empty
    errors = np.where(np.arange(68) % 3 > 0, 0.01, 0.2) * np.ones((9, 1))
    return {"rows": confidence_details([Judged("a", "b", said, errors, np.linspace(0, 20, 9))])}


REPORTS: dict[str, dict[str, Any]] = {
    "evaluate landmarks faces --json r.json": {
        "data": "faces", "points": 68, "worst": [], "skipped": ["PFLD: no files"],
        "rows": [{"name": "ours", "start": "detector", "note": "", "over12": 1.0, **SUMMARY}],
    },
    "evaluate video clips": {
        "lag_ms": NONE, "skipped": [],
        "pooled": {"ours": {**SYSTEM, "blink_leak": {"amplitude": 3.0, "correlation": NONE}}},
        "clips": [
            {"name": "v", "frames": 30, "compared": 28, "still": 9, "blinks": 1,
             "systems": {"ours": {**SYSTEM, "errors": {}}}}
        ],
    },
    "evaluate confidence faces": _confidence(),
}  # fmt: skip


def _write(path: Path, command: str, details: dict[str, Any]) -> None:
    line = f"facetrack {command}"
    write_json(path, document(command=line, model="m", n=3, details=details))


@pytest.mark.parametrize("command", REPORTS)
def test_a_page_shows_what_the_terminal_showed(command: str, tmp_path: Path, capsys) -> None:
    _write(tmp_path / "r.json", command, REPORTS[command])
    os.utime(tmp_path / "r.json", (0, 0))
    assert main(["results", str(tmp_path / "r.json"), "-o", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'r.md'}\n"
    page = (tmp_path / "r.md").read_text()
    lay_out = next(lay for kind, lay in _layouts().items() if command.startswith(kind))
    parts = lay_out(REPORTS[command])
    assert page.endswith(as_markdown(parts))
    assert f"\n    facetrack {command}\n" in page
    assert "model m, n = 3; the report's file is of 1970-01-01." in page
    assert "None" not in page + as_text(parts)
    assert "nan" not in page


def test_programs_in_benchmarks_bring_their_tables(tmp_path: Path) -> None:
    parts: list[Part] = ["before", Table(["what", "n"], [["faces", 3]])]
    command = "python -m benchmarks detection recall A --json r.json"
    content = document(command=command, model="m", n=3, details={"parts": as_data(parts)})
    write_json(tmp_path / "r.json", content)
    assert main(["results", str(tmp_path / "r.json"), "-o", str(tmp_path)]) == 0
    page = (tmp_path / "r.md").read_text()
    assert page.startswith(f"# detection: r\n\n    {command}\n")
    assert page.endswith(as_markdown(parts))


def test_pages_go_where_they_are_told(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        _write(
            tmp_path / f"{name}.json",
            "evaluate confidence faces",
            REPORTS["evaluate confidence faces"],
        )
    assert main(["results", "a.json", "b.json"]) == 0
    assert {path.name for path in tmp_path.glob("*.md")} == {"a.md", "b.md"}
    assert main(["results", "a.json", "-o", "nowhere"]) == 1
    assert "create the folder first" in capsys.readouterr().err
    assert main(["results", "a.json", "nowhere/a.json"]) == 1
    assert "two of the files have one name" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no readable JSON"),
        ("[" * 100_000, "no readable JSON"),
        ("[]", "not a report of a command"),
        ('{"command": "facetrack evaluate video"}', "not a report of a command"),
        (document(command="facetrack score a b", model="", n=1, details={}), "no page is made of"),
        (
            document(command="facetrack evaluate videos", model="", n=1, details={}),
            "no page is made of",
        ),
        (
            document(command="facetrack evaluate video", model="", n=1, details={}),
            "not a whole report",
        ),
        (document(command="python -m benchmarks a", model="", n=1, details={}), "not a whole"),
        (
            document(command="facetrack evaluate video", model="", n=1, details={"clips": []}),
            "not a whole report",
        ),
    ],
)
def test_what_is_no_report_is_said_in_one_line(content, message: str, tmp_path, capsys) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    (tmp_path / "r.json").write_text(text)
    assert main(["results", str(tmp_path / "r.json")]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "r.json" in error
    assert len(error.strip().splitlines()) == 1


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Go through everything inside a report, with what holds it."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_damage_is_said_in_one_line(data: st.DataObject, tmp_path: Path, capsys) -> None:
    command = data.draw(st.sampled_from(list(REPORTS)))
    _write(tmp_path / "r.json", command, copy.deepcopy(REPORTS[command]))
    report = json.loads((tmp_path / "r.json").read_text())
    holder, key = data.draw(st.sampled_from(list(_places(report))))
    holder[key] = data.draw(st.sampled_from([None, -1, 1.5, "x", [], {}, [{}], {"x": 1}, True]))
    (tmp_path / "r.json").write_text(json.dumps(report))
    status = main(["results", str(tmp_path / "r.json"), "-o", str(tmp_path)])
    error = capsys.readouterr().err
    assert len(error.splitlines()) == status
