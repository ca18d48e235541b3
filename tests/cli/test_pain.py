"""`facetrack pain` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from facetrack.cli.main import main


def test_a_corpus_is_made_of_the_portrait_that_ships(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "corpus"
    command = ["pain", "synthesize", str(root), "--subjects", "1", "--frames", "3"]
    assert main([*command, "--sequences", "1", "--seed", "5"]) == 0
    assert "1 subjects, 1 sequences each" in capsys.readouterr().out
    said = json.loads((root / "synthetic.json").read_text())
    assert (said["seed"], said["frames"]) == (5, 3)
    assert len(list(root.glob("Images/901-sy001/*/*.png"))) == 3
    assert main([*command, "--seed", "6"]) == 1
    assert "holds a corpus with another seed" in capsys.readouterr().err


def test_a_folder_without_portraits_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    command = ["pain", "synthesize", str(tmp_path / "out"), "--portraits", str(tmp_path / "empty")]
    assert main(command) == 1
    error = capsys.readouterr().err
    assert "empty: no .pts files" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
