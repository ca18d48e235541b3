"""JSON files of reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facetrack.errors import OutputError
from facetrack.formats.modelfile import ModelKind
from facetrack.reporting.envelope import document, write_json
from facetrack.reporting.results import results_page


def test_a_document_has_what_every_report_has(tmp_path: Path) -> None:
    measures = {"mean": 3.0, "found": 2 / 3}
    content = document(command="facetrack x", model="m", n=3, details={"a": 1}, measures=measures)
    write_json(tmp_path / "r.json", content)
    read = json.loads((tmp_path / "r.json").read_text())
    assert read.pop("version")
    assert read == {
        "command": "facetrack x", "model": "m", "n": 3, "mean": 3, "found": 0.666667,
        "details": {"a": 1},
    }  # fmt: skip


def test_the_checksum_is_of_the_model_that_was_loaded(tmp_path: Path) -> None:
    kind = ModelKind("toy of reports", "toy", schema=1, load=lambda arrays, meta: None)
    kind.write(tmp_path / "toy.npz", {"w": np.zeros(1)}, {"name": "reported", "card": {}})
    report: dict[str, Any] = {"command": "facetrack x", "model": "reported", "n": 3, "details": {}}
    assert "checksum" not in document(**report)
    kind.read(tmp_path / "toy.npz")
    said = kind.describe(tmp_path / "toy.npz")["checksum"]
    content = document(**report)
    assert content["checksum"] == said
    page = results_page(content, [], title="t", written="2026-01-02")
    assert f"model reported ({said[:16]}), n = 3" in page


def test_numbers_of_numpy_are_written_and_nan_is_null(tmp_path: Path) -> None:
    content = {"a": np.float64("nan"), "b": np.arange(2), "c": (np.bool_(True), np.int64(3))}
    write_json(tmp_path / "r.json", content)
    text = (tmp_path / "r.json").read_text()
    assert json.loads(text) == {"a": None, "b": [0, 1], "c": [True, 3]}


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="nowhere"):
        write_json(tmp_path / "nowhere" / "r.json", {})
