"""`facetrack models`: what it says of sound, damaged and foreign files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from facetrack.cli.main import main
from facetrack.cli.models import as_json, as_text
from facetrack.formats.archive import write_archive
from facetrack.formats.modelfile import ModelInfo

CARD = {"data": "made by code", "terms": "none", "measures": {"mean": 2.5}}


def _info(folder: Path, *, checksum_ok: bool = True) -> ModelInfo:
    path = folder / "small.npz"
    return ModelInfo("small", path, 1_500_000, "facetrack model", 1, checksum_ok, CARD)


def test_text_names_size_schema_card_and_terms(tmp_path: Path) -> None:
    (tmp_path / "small.md").touch()
    assert as_text([_info(tmp_path)]).splitlines() == [
        "small: landmark tracker, 1.5 MB, schema 1, checksum right",
        f"  {tmp_path / 'small.npz'}",
        "  data: made by code",
        "  terms: none",
        f"  card: {tmp_path / 'small.md'}",
    ]


def test_a_wrong_checksum_is_not_overlooked(tmp_path: Path) -> None:
    assert "CHECKSUM WRONG" in as_text([_info(tmp_path, checksum_ok=False)])


def test_json_carries_the_whole_card(tmp_path: Path) -> None:
    report = json.loads(as_json([_info(tmp_path)]))
    assert report["command"] == "models"
    assert report["n"] == 1
    assert report["models"][0]["card"] == CARD
    assert report["models"][0]["kind"] == "facetrack model"


def test_a_foreign_archive_in_a_folder_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "numbers.npz", a=np.zeros(3))
    assert main(["models", str(tmp_path)]) == 1
    assert "numbers.npz\n  not a model file" in capsys.readouterr().out
    assert main(["models", "--json", str(tmp_path)]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["n"] == 0
    assert report["unreadable"] == [str(tmp_path / "numbers.npz")]


def test_a_model_of_an_unknown_kind_is_listed_with_what_helps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, description = tmp_path / "lips.npz", {"name": "lips", "card": CARD}
    write_archive(path, {"a": np.zeros(3)}, description, kind="lip reader", schema=1)
    assert main(["models", str(tmp_path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "lips: kind 'lip reader', 0.0 MB, schema 1, checksum right"
    assert lines[2].startswith("  CANNOT BE LOADED: the kind 'lip reader' is unknown here")
    assert "install the package" in lines[2]


def test_a_named_file_that_is_no_model_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04")
    assert main(["models", str(tmp_path / "cut.npz")]) == 1
    assert capsys.readouterr().err.startswith(f"facetrack: {tmp_path / 'cut.npz'}: ")


def test_a_missing_folder_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", str(tmp_path / "nowhere")]) == 1
    assert "no such file or folder" in capsys.readouterr().err


def test_an_empty_folder_is_said_to_be_empty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "no models found\n"


def test_shipped_models_have_right_checksums(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    names = [model["name"] for model in json.loads(capsys.readouterr().out)["models"]]
    assert "default" in names
