"""`python -m benchmarks`: what it lists, how each is called, what pages state as the command."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import FOLDER, benchmarks, main
from benchmarks.command import command_line, program
from benchmarks.showing import show
from facetrack.cli.main import main as facetrack


def test_all_are_listed_with_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == main(["--help"]) == 0
    listing = capsys.readouterr().out
    for name in benchmarks():
        assert [line for line in listing.splitlines() if line.split()[:1] == [name]], name
    assert len(benchmarks()) == sum(
        "\ndef main(" in path.read_text("utf-8") for path in FOLDER.rglob("[a-z]*.py")
    )  # no two of one name


@pytest.mark.parametrize("name", benchmarks())
def test_each_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    if "torch" in benchmarks()[name].read_text("utf-8"):
        pytest.importorskip("torch")
    with pytest.raises(SystemExit) as stop:
        main([name, "--help"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: python -m benchmarks {name} [-h]")


def test_faults_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nothing"]) == 2
    assert "no 'nothing'; there are ablation, " in capsys.readouterr().err
    assert main(["rows", "keep", "folder", "demo", "--model", "nowhere.npz"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("rows: nowhere.npz")
    assert len(error.splitlines()) == 1


def test_a_page_states_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = tmp_path / "r.json"
    monkeypatch.setattr(sys, "argv", ["benchmarks/people/absence.py", "a b", "--json", "r.json"])
    assert program() == "python -m benchmarks absence"
    assert command_line() == "python -m benchmarks absence 'a b' --json r.json"
    show(["words"], report, n=1)
    assert json.loads(report.read_text())["command"] == command_line()
    assert facetrack(["results", str(report), "-o", str(tmp_path)]) == 0
    page = (tmp_path / "r.md").read_text()
    assert page.startswith(f"# absence: r\n\n    {command_line()}\n")
