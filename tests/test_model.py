"""Model files: the same arrays come back, and whatever else lies there is named."""

from __future__ import annotations

import copy
import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from facetrack.errors import ModelError, OutputError
from facetrack.features.maps import MapSpec
from facetrack.fitting.box_fit import BoxPlacement
from facetrack.fitting.face_model import FaceModel
from facetrack.fitting.quality import QualityClassifier
from facetrack.formats.modelfile import ModelKind, describe, list_models
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.model import LANDMARK_TRACKER, load_model, save_model
from facetrack.regression.cascade import Cascade, Level

CARD = {"data": "made by code", "terms": "none", "measures": {"mean": 2.5}}
N_PARAMETERS = 6


def _random_model() -> FaceModel:
    rng = np.random.default_rng(0)

    def single(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    def level(map_index: int, k: int) -> Level:
        regressor = single(N_PARAMETERS, 68 * k + 1)
        return Level(map_index, 2 - map_index, 4.5, single(68, 128, k), single(68, k), regressor)

    def cascade(*levels: Level) -> Cascade:
        return Cascade((MapSpec(2, 2), MapSpec(1, 1)), single(136, N_PARAMETERS), levels)

    deviations = np.append(np.full(4, np.inf), [2.0, 1.0])
    n_evidence = 2 * 68 + N_PARAMETERS
    return FaceModel(
        name="toy",
        shape_model=ShapeModel(
            80 + 30 * rng.normal(size=(68, 2)),
            rng.normal(size=(136, N_PARAMETERS)),
            deviations,
            rng.normal(size=(68, 3)),
        ),
        placement=BoxPlacement(rng.normal(size=(5, 68, 2))),
        start=cascade(level(0, 1), level(1, 2)),
        refinement=cascade(level(1, 2)),
        tracking=cascade(level(1, 1)),
        quality=QualityClassifier(
            level(1, 1), single(n_evidence), single(n_evidence), single(n_evidence), -0.75
        ),
        card=CARD,
    )


def _with_half_precision(level: Level) -> Level:
    """Round a level's reduction as training does."""
    return replace(level, basis=level.basis.astype(np.float16).astype(np.float32))


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return _random_model()


@pytest.fixture(scope="module")
def file(model: FaceModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "toy.npz"
    save_model(model, path)
    return path


@pytest.fixture
def changed(file: Path, tmp_path: Path) -> Callable[..., Path]:
    """Give a function that writes the file with some members or entries replaced."""

    def write(*, members: dict[str, Any] | None = None, **entries: object) -> Path:
        with np.load(file) as archive:
            content: dict[str, Any] = dict(archive)
        content |= members or {}
        if entries:
            meta = json.loads(bytes(content["meta"])) | entries
            kept = {key: value for key, value in meta.items() if value is not None}
            content["meta"] = np.frombuffer(json.dumps(kept).encode(), np.uint8)
        path = tmp_path / "changed.npz"
        np.savez(path, **{key: array for key, array in content.items() if array is not None})
        return path

    return write


def contents(part: object) -> Any:
    """Take a model apart: every array as type, shape and bytes."""
    if isinstance(part, np.ndarray):
        return part.dtype.str, part.shape, part.tobytes()
    if isinstance(part, tuple):
        return [contents(element) for element in part]
    if is_dataclass(part):
        return {f.name: contents(getattr(part, f.name)) for f in fields(part) if f.compare}
    return part


def refused(path: Path) -> str:
    """Load a file that is no sound model; give the message."""
    with pytest.raises(ModelError) as caught:
        load_model(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


def test_every_array_and_number_comes_back(model: FaceModel, file: Path) -> None:
    assert contents(load_model(file)) == contents(model)


def test_the_same_model_makes_the_same_file(model: FaceModel, file: Path, tmp_path: Path) -> None:
    save_model(load_model(file), tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == file.read_bytes()


def test_copies_for_other_processes_are_equal(model: FaceModel) -> None:
    assert contents(pickle.loads(pickle.dumps(model))) == contents(model)
    assert contents(copy.deepcopy(model)) == contents(model)


def test_a_folder_that_is_missing_is_named(model: FaceModel, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="create the folder first"):
        save_model(model, tmp_path / "nowhere" / "toy.npz")


@pytest.mark.fuzz
def test_a_file_cut_anywhere_is_refused(file: Path, tmp_path: Path) -> None:
    content, path = file.read_bytes(), tmp_path / "cut.npz"

    @given(length=st.integers(0, len(content) - 1))
    @example(length=0)
    @example(length=len(content) - 1)
    def run(length: int) -> None:
        path.write_bytes(content[:length])
        refused(path)

    run()


@pytest.mark.fuzz
def test_a_changed_byte_is_refused_or_does_no_harm(
    model: FaceModel, file: Path, tmp_path: Path
) -> None:
    """Some bytes of an archive, such as its dates, mean nothing."""
    content, path, sound = file.read_bytes(), tmp_path / "changed.npz", contents(model)
    directory = content.index(b"PK\x01\x02")
    headers = [i for i in range(directory) if content.startswith(b"PK\x03\x04", i)]
    middle = [(a + b) // 2 for a, b in pairwise([*headers, directory])]
    places = st.one_of(
        st.integers(0, len(content) - 1),  # mostly in the arrays
        st.integers(directory, len(content) - 1),
        st.tuples(st.sampled_from(headers), st.integers(0, 200)).map(sum),
    )

    def found(place: int, value: int) -> bool:
        damaged = bytearray(content)
        damaged[place] ^= value
        path.write_bytes(damaged)
        try:
            loaded = load_model(path)
        except ModelError as error:
            return str(error).startswith(f"{path}: ")
        assert contents(loaded) == sound
        return False

    @given(place=places, value=st.integers(1, 255))
    def run(place: int, value: int) -> None:
        found(place, value)

    assert all(found(place, 1) for place in middle)  # every member is looked at
    run()


@pytest.mark.parametrize(
    ("offset", "value"),
    [(6, 109), (8, 1), (8, 0x20), (8, 0x40), (10, 99)],
    ids=["zip version", "encrypted", "patched", "strongly encrypted", "compression"],
)
def test_archives_that_zipfile_cannot_unpack_are_refused(
    file: Path, tmp_path: Path, offset: int, value: int
) -> None:
    content = bytearray(file.read_bytes())
    content[content.index(b"PK\x01\x02") + offset] = value
    path = tmp_path / "foreign.npz"
    path.write_bytes(content)
    refused(path)


@pytest.mark.parametrize(
    "header", [b"{'descr': ((((", b"{'descr': [)", b"1" * 5000, b"{}", b"\xff"]
)
def test_a_member_with_a_broken_header_is_refused(
    file: Path, tmp_path: Path, header: bytes
) -> None:
    path = tmp_path / "broken.npz"
    shutil.copy(file, path)
    with zipfile.ZipFile(path, "a") as archive:
        length = len(header).to_bytes(2, "little")
        archive.writestr("extra.npy", b"\x93NUMPY\x01\x00" + length + header)
    refused(path)


@pytest.mark.parametrize("content", [b"", b"weights\n1 2 3\n", b"PK\x05\x06" + 18 * b"\0"])
def test_files_of_another_kind_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "foreign.npz"
    path.write_bytes(content)
    assert "not a model file" in refused(path)


def test_a_single_array_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "array.npz"
    with path.open("wb") as stream:
        np.save(stream, np.zeros(3))
    assert "not a model file" in refused(path)


def test_foreign_archives_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "foreign.npz"
    np.savez(path, points=np.zeros((68, 2)))
    assert "not a model file" in refused(path)
    np.savez(path, meta=np.frombuffer(b'{"kind": "something else"}', np.uint8))
    assert "not a Facetrack model" in refused(path)
    np.savez(path, meta=np.frombuffer(b"[1, 2]", np.uint8))
    assert "not a Facetrack model" in refused(path)


def test_pickles_are_never_loaded(changed, tmp_path: Path) -> None:
    trace = tmp_path / "executed"
    bomb = np.array([_Bomb(trace)], dtype=object)
    refused(changed(members={"shape/mean": bomb}))
    refused(changed(members={"meta": bomb}))
    with (tmp_path / "bare.npz").open("wb") as stream:
        pickle.dump(_Bomb(trace), stream)
    refused(tmp_path / "bare.npz")
    assert not trace.exists()


class _Bomb:
    """Leaves a trace when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trace,)


def test_a_newer_schema_asks_for_an_update(changed) -> None:
    message = refused(changed(schema=LANDMARK_TRACKER.schema + 1))
    assert f"schema {LANDMARK_TRACKER.schema + 1}" in message
    assert "update Facetrack" in message


@pytest.mark.parametrize("schema", [None, "1"])
def test_a_schema_that_is_no_number_is_refused(changed, schema) -> None:
    assert "schema" in refused(changed(schema=schema))


def test_a_changed_number_is_found_by_the_checksum(model: FaceModel, changed) -> None:
    mean = model.shape_model.mean.copy()
    mean[0, 0] = np.nextafter(mean[0, 0], np.inf)
    assert "checksum" in refused(changed(members={"shape/mean": mean}))
    assert "checksum" in refused(changed(members={"extra": mean}))
    assert "checksum" in refused(changed(checksum="0"))


@pytest.mark.parametrize("member", ["shape/mean", "start/1/regressor", "quality/weights", "meta"])
def test_a_missing_array_is_refused(changed, member: str) -> None:
    refused(changed(members={member: None}))


@pytest.mark.parametrize("entry", ["name", "checksum", "cascades", "quality_level", "card"])
def test_a_missing_entry_is_refused(changed, entry: str) -> None:
    refused(changed(**{entry: None}))


def test_an_entry_of_another_kind_is_refused(changed) -> None:
    assert "missing or wrong" in refused(changed(quality_bias="much"))


def test_an_unknown_name_lists_the_shipped_models() -> None:
    with pytest.raises(ModelError, match=r"dfault: no such model; shipped models: .*default"):
        load_model("dfault")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert refused(tmp_path / "nothing.npz").endswith("no such file")
    (tmp_path / "folder.npz").mkdir()
    refused(tmp_path / "folder.npz")


def test_the_default_ships() -> None:
    model = load_model()
    assert contents(load_model("default")) == contents(model)
    assert model.name == "default"
    assert model.card["terms"]


def test_shipped_models_are_small() -> None:
    assert all(info.bytes < 15e6 for info in list_models())


def test_a_file_is_described_without_building_the_model(file: Path, changed) -> None:
    info = describe(file)
    assert (info.name, info.path, info.schema, info.card) == (
        "toy",
        file,
        LANDMARK_TRACKER.schema,
        CARD,
    )
    assert info.bytes == file.stat().st_size
    assert info.checksum_ok
    assert not describe(changed(checksum="0")).checksum_ok


@pytest.mark.parametrize("entry", ["name", "checksum", "card"])
def test_a_description_needs_every_entry(changed, entry: str) -> None:
    with pytest.raises(ModelError):
        describe(changed(**{entry: None}))


def test_a_sound_model_has_no_problem(file: Path) -> None:
    info = describe(file)
    assert (info.kind, info.problem) == ("facetrack model", "")
    shipped = [info.name for info in list_models() if not info.problem]
    names = ["appearance", "default", "expression", "expression_binary", "lips", "pain_demo"]
    assert shipped == names


def test_a_model_of_another_kind_is_no_landmark_tracker(tmp_path: Path) -> None:
    lips = ModelKind("lip reader", "lip reader", 1, lambda arrays, description: arrays)
    lips.write(tmp_path / "lips.npz", {}, {"name": "lips", "card": {}})
    message = refused(tmp_path / "lips.npz")
    assert "a model of kind 'lip reader', but no landmark tracker; `facetrack models`" in message
