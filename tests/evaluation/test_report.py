"""JSON files and tables."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from facetrack.errors import OutputError
from facetrack.evaluation.errors import summary
from facetrack.evaluation.report import document, summary_cells, table, write_json


def test_a_document_has_what_every_report_has(tmp_path: Path) -> None:
    errors = summary([0.02, 0.04, np.inf])
    content = document(command="facetrack x", model="m", summary=errors, n=3, details={"a": 1})
    write_json(tmp_path / "r.json", content)
    read = json.loads((tmp_path / "r.json").read_text())
    assert read["version"]
    assert {k: read[k] for k in ("command", "model", "n", "mean", "median", "details")} == {
        "command": "facetrack x", "model": "m", "n": 3, "mean": 3, "median": 3,
        "details": {"a": 1},
    }  # fmt: skip
    assert read["found"] == pytest.approx(2 / 3, abs=1e-5)
    assert read["auc08"] == pytest.approx((0.75 + 0.5) / 3, abs=1e-5)
    assert read["over08"] == pytest.approx(1 / 3, abs=1e-5)


def test_numbers_of_numpy_are_written_and_nan_is_null(tmp_path: Path) -> None:
    content = {"a": np.float64("nan"), "b": np.arange(2), "c": (np.bool_(True), np.int64(3))}
    write_json(tmp_path / "r.json", content)
    text = (tmp_path / "r.json").read_text()
    assert json.loads(text) == {"a": None, "b": [0, 1], "c": [True, 3]}


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="nowhere"):
        write_json(tmp_path / "nowhere" / "r.json", {})


def test_tables_are_aligned() -> None:
    lines = table(["name", "value"], [["a", 1.5], ["longer", float("nan")]]).splitlines()
    assert lines == ["name    value", "------  -----", "a       1.500", "longer      -"]


def test_summaries_read_in_per_cent() -> None:
    cells = summary_cells(summary([0.02, 0.04, np.inf, np.inf]))
    assert cells == ("50.0", "3.00", "3.00", "0.312", "50.0")
    assert summary_cells(summary([np.inf]))[1] == "-"
