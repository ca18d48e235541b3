"""The benchmarks of speed, and of the peers, as they are called; no test asserts a time."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from facetrack.cli.main import main as facetrack


def test_speed(clips: Path, tmp_path: Path, capsys) -> None:
    out, plot = tmp_path / "r.json", tmp_path / "r.png"
    command = ["speed", "--video", str(clips / "v.mp4"), "--frames", "24", "--json", str(out)]
    assert main([*command, "--plot", str(plot)]) == 0
    report = json.loads(out.read_text())
    assert report["command"] == shlex.join(
        ["python", "-m", "benchmarks", *command, "--plot", str(plot)]
    )
    assert (report["n"], report["model"]) == (4, "default")
    assert report["details"]["steps_ms"][0]["name"] == "default, whole update"
    assert report["details"]["file_rates"]
    assert report["details"]["model_cost"]["megabytes"] > 1
    printed = capsys.readouterr().out
    assert "240x180" in printed
    assert plot.stat().st_size > 1000
    assert facetrack(["results", str(out), "-o", str(tmp_path)]) == 0
    assert "240x180" in (tmp_path / "r.md").read_text()


def test_peers(clips: Path, tmp_path: Path, capsys) -> None:
    out, plot = tmp_path / "r.json", tmp_path / "r.png"
    command = ["peers", str(clips), "--peers", "--frames", "24"]
    assert main([*command, "--json", str(out), "--plot", str(plot)]) == 0
    report = json.loads(out.read_text())
    assert report["n"] == 24
    assert 0 < report["mean"] < 8
    assert report["details"]["clips"] == ["v", "still synthetic"]
    ours = report["details"]["systems"][0]
    assert (ours["name"], ours["step_ms"]["frames"]) == ("facetrack", 8)
    text = capsys.readouterr().out
    assert "errors against truth" in text
    for name in ("PFLD", "OpenCV LBF", "MediaPipe"):
        assert f"skipped: {name}: " in text
    assert plot.stat().st_size > 1000


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["speed", "--video", "nowhere.mp4"], "nowhere.mp4: there is no such file"),
        (["speed", "--mediapipe", "nowhere.json"], "nowhere.json: no such file"),
        (["speed", "--long", "5"], "--long takes at least 120 seconds, got 5"),
        (["peers", "nowhere"], "no such folder"),
    ],
)
def test_bad_input_is_one_line(command, message, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(command) == 1
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1
