"""The fuzzer: what was done is not done again, faults are, and one that is mended goes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import fuzz
from facetrack.errors import FormatError

Run = Callable[[str, Callable[[Path], None]], tuple[int, dict[str, Any]]]

SHORT = "0.002"  # CPU minutes


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give what fuzzes a reader of its own; the status, and what the report says."""

    def fuzzed(minutes: str, read: Callable[[Path], None]) -> tuple[int, dict[str, Any]]:
        reader = fuzz.Reader(".txt", lambda path: path.write_bytes(bytes(range(200))), read)
        monkeypatch.setitem(fuzz.READERS, "sample", reader)
        options = ["--json", str(tmp_path / "a.json"), "--keep", str(tmp_path / "kept")]
        status = fuzz.main([*options, "--minutes", minutes, "sample"])
        return status, json.loads((tmp_path / "a.json").read_text())["details"]["readers"]["sample"]

    return fuzzed


def _refuse(path: Path) -> None:
    if path.read_bytes() != bytes(range(200)):
        raise FormatError(path, "is damaged")


def test_minutes_add_up_and_files_are_read_once(run: Run) -> None:
    status, first = run(SHORT, _refuse)
    assert status == 0
    assert first["minutes"] >= float(SHORT)
    assert first["read"] + first["refused"] == first["next"] > 0
    assert run(SHORT, _refuse) == (0, first)  # it is done
    _, more = run("0.004", _refuse)
    assert more["minutes"] >= 0.004
    assert more["read"] + more["refused"] == more["next"] > first["next"]


def test_faults_are_kept_and_tried_again(run: Run, tmp_path: Path) -> None:
    def stumble(path: Path) -> None:
        if path.read_bytes() == fuzz.damaged(bytes(range(200)), 3):
            raise ZeroDivisionError("at three")

    status, first = run(SHORT, stumble)
    assert status == 1
    assert first["faults"] == {"3": "ZeroDivisionError: at three"}
    kept = (tmp_path / "kept" / "sample-3.txt").read_bytes()
    assert kept == fuzz.damaged(bytes(range(200)), 3)
    status, mended = run(SHORT, _refuse)
    assert (status, mended["faults"], mended["next"]) == (0, {}, first["next"])
    assert mended["read"] + mended["refused"] == first["next"]
