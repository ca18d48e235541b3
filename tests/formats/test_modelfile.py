"""Model files of several kinds: who registers one reads it, the others are listed."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from facetrack.errors import InputError, ModelError
from facetrack.formats import modelfile
from facetrack.formats.archive import write_archive
from facetrack.formats.modelfile import (
    ModelKind,
    describe,
    find_kind,
    kinds,
    list_models,
    read_model,
    register_kind,
)

WEIGHTS = np.arange(6.0).reshape(2, 3)
DESCRIPTION: dict[str, Any] = {"name": "sums", "card": {"terms": "none"}, "factor": 2}


def _load(arrays, description):
    return description["factor"] * arrays["weights"]


SUMS = ModelKind("test sums", "sums of a test", 2, _load)


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every test begin with what the installed packages bring."""
    monkeypatch.setattr(modelfile, "_registered", {})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sums.npz"
    SUMS.write(path, {"weights": WEIGHTS}, DESCRIPTION)
    return path


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Install a package that brings the kind of the test; give its module, which is empty."""
    site = tmp_path / "site"
    information = site / "sums_of_others-1.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: sums-of-others\nVersion: 1\n"
    )
    (information / "entry_points.txt").write_text(
        "[facetrack.models]\ntest sums = sums_of_others:SUMS\n"
    )
    monkeypatch.syspath_prepend(site)
    yield site / "sums_of_others.py"
    sys.modules.pop("sums_of_others", None)


def _problem(path: Path) -> str:
    (info,) = list_models(path.parent)
    with pytest.raises(ModelError) as caught:
        read_model(path)
    assert str(caught.value) == f"{path}: {info.problem}"
    return info.problem


def test_a_registered_kind_is_read(file: Path) -> None:
    register_kind(SUMS)
    kind, model = read_model(file)
    assert kind is SUMS
    assert_array_equal(model, 2 * WEIGHTS)
    assert_array_equal(SUMS.read(file), model)
    assert describe(file).problem == ""
    assert describe(file).kind == "test sums"


def test_models_of_unknown_kinds_are_listed_with_what_helps(file: Path) -> None:
    problem = _problem(file)
    assert "the kind 'test sums' is unknown here (known: facetrack " in problem
    assert "install the package of this kind" in problem
    (info,) = list_models(file.parent)
    assert info.checksum_ok
    assert info.card == DESCRIPTION["card"]


def test_a_newer_schema_is_listed_with_what_helps(file: Path) -> None:
    register_kind(ModelKind(SUMS.name, SUMS.title, SUMS.schema - 1, _load))
    assert _problem(file).startswith("schema 2, this version reads up to 1; update")


def test_a_wrong_checksum_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register_kind(SUMS)
    with monkeypatch.context() as patched:
        patched.setattr("facetrack.formats.archive.checksum", lambda arrays: "0")
        SUMS.write(tmp_path / "sums.npz", {"weights": WEIGHTS}, DESCRIPTION)
    assert _problem(tmp_path / "sums.npz").startswith("the checksum does not match")


def test_files_that_are_no_models_are_listed(tmp_path: Path) -> None:
    np.savez(tmp_path / "numbers.npz", a=WEIGHTS)
    assert _problem(tmp_path / "numbers.npz").startswith("not a model file, or cut short")
    (tmp_path / "numbers.npz").unlink()
    (tmp_path / "folder.npz").mkdir()
    (info,) = list_models(tmp_path)
    assert (info.name, info.kind, info.bytes) == ("folder", "", 0)
    assert info.problem


def test_an_archive_of_ours_without_a_card_is_no_model(tmp_path: Path) -> None:
    write_archive(tmp_path / "anna.npz", {}, {"model": "1"}, kind="facetrack profile", schema=1)
    assert _problem(tmp_path / "anna.npz").startswith("kind 'facetrack profile', but no model")


def test_a_folder_is_listed_by_file(file: Path) -> None:
    SUMS.write(file.with_name("more.npz"), {}, DESCRIPTION)
    (file.parent / "notes.txt").touch()
    assert [info.path.name for info in list_models(file.parent)] == ["more.npz", "sums.npz"]


@pytest.mark.parametrize("missing", ["weights", "factor"])
def test_a_loader_that_misses_an_entry_is_one_error(missing: str, tmp_path: Path) -> None:
    register_kind(SUMS)
    arrays = {"weights": WEIGHTS} if missing != "weights" else {}
    description = {key: value for key, value in DESCRIPTION.items() if key != missing}
    SUMS.write(tmp_path / "sums.npz", arrays, description)
    with pytest.raises(ModelError, match=f"an entry is missing or wrong: '{missing}'"):
        read_model(tmp_path / "sums.npz")


@pytest.mark.parametrize("missing", ["name", "card"])
def test_a_model_is_not_written_without_its_card(missing: str, tmp_path: Path) -> None:
    description = {key: value for key, value in DESCRIPTION.items() if key != missing}
    with pytest.raises(InputError, match=missing):
        SUMS.write(tmp_path / "sums.npz", {}, description)
    assert not list(tmp_path.iterdir())


def test_a_name_is_taken_once() -> None:
    register_kind(SUMS)
    register_kind(SUMS)
    with pytest.raises(InputError, match="another kind of models called 'test sums'"):
        register_kind(ModelKind(SUMS.name, "something else", 1, _load))
    assert find_kind(SUMS.name) is SUMS


def test_a_package_brings_a_kind_and_is_imported_when_it_is_needed(
    file: Path, package: Path
) -> None:
    package.write_text(
        "from facetrack.formats.modelfile import ModelKind\n"
        "SUMS = ModelKind('test sums', 'sums', 2, lambda arrays, _: arrays['weights'].sum())\n"
    )
    assert {"facetrack model", "test sums"} <= set(kinds())
    assert "sums_of_others" not in sys.modules
    kind, model = read_model(file)
    assert (kind.title, model) == ("sums", WEIGHTS.sum())


@pytest.mark.parametrize(
    "source", ["import a_missing_package", "raise RuntimeError('no device')", "SUMS = 3", ""]
)
def test_a_package_that_does_not_work_is_a_problem_of_its_models_only(
    source: str, file: Path, package: Path
) -> None:
    package.write_text(source)
    assert "sums_of_others:SUMS cannot be imported: " in _problem(file)


def test_the_landmark_tracker_is_declared_as_everybody_declares_a_kind() -> None:
    (point,) = importlib.metadata.entry_points(group=modelfile.ENTRY_POINTS, name="facetrack model")
    assert find_kind("facetrack model") is point.load()
