"""Model files: arrays plus JSON in one .npz, a schema version, a checksum, never a pickle."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError, ModelError
from facetrack.formats.atomic import atomic_path
from facetrack.formats.npz import read_whole_npz
from facetrack.tracking.face_model import FaceModel
from facetrack.tracking.packing import Arrays, pack, unpack

SCHEMA = 1
DEFAULT_MODEL = "default"


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What can be said of a model file.

    Attributes
    ----------
    name : str
    path : Path
    bytes : int
        Size of the file.
    schema : int
    checksum_ok : bool
    card : dict
        Data, terms and measures as stored in the file.
    """

    name: str
    path: Path
    bytes: int
    schema: int
    checksum_ok: bool
    card: dict[str, Any]


def load_model(name: str | os.PathLike[str] | None = None) -> FaceModel:
    """Load a model.

    Parameters
    ----------
    name : str or path-like, optional
        A name in the shipped models, or the path of a file; the shipped default without it.

    Returns
    -------
    FaceModel

    Raises
    ------
    ModelError
        If there is no such model, or the file is cut short, changed, of a newer schema, or no
        model at all.
    """
    path = find_model(name)
    arrays, meta = _read(path)
    if meta["checksum"] != _checksum(arrays):
        raise ModelError(path, "the checksum does not match", remedy="copy or train it again")
    try:
        return unpack(arrays, meta)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(path, f"an entry is missing or wrong: {error}") from error


def find_model(name: str | os.PathLike[str] | None = None) -> Path:
    """Find the file of a model.

    Parameters
    ----------
    name : str or path-like, optional
        As for `load_model`.

    Returns
    -------
    Path

    Raises
    ------
    ModelError
        If there is no such file.
    """
    name = DEFAULT_MODEL if name is None else name
    path = Path(name)
    if path.suffix == ".npz" or path.exists():
        if not path.is_file():
            raise ModelError(path, "no such file")
        return path
    shipped = _shipped() / f"{name}.npz"
    if not shipped.is_file():
        names = ", ".join(sorted(p.stem for p in _shipped().glob("*.npz"))) or "none"
        raise ModelError(str(name), "no such model", remedy=f"shipped models: {names}")
    return shipped


def save_model(model: FaceModel, path: str | os.PathLike[str]) -> None:
    """Save a model: written beside, then renamed.

    Parameters
    ----------
    model : FaceModel
    path : path-like
        Ends in .npz.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    arrays, description = pack(model)
    meta = {
        "schema": SCHEMA,
        "kind": "facetrack model",
        **description,
        "checksum": _checksum(arrays),
    }
    text = json.dumps(meta, allow_nan=False, indent=1)
    with atomic_path(path) as temporary, open(temporary, "wb") as stream:
        members: dict[str, Any] = {"meta": np.frombuffer(text.encode(), dtype=np.uint8), **arrays}
        np.savez(stream, **members)


def list_models(folder: str | os.PathLike[str] | None = None) -> list[ModelInfo]:
    """Describe the models of a folder.

    Parameters
    ----------
    folder : path-like, optional
        The shipped models without it.

    Returns
    -------
    list of ModelInfo
        Sorted by name; files that are no models are left out.
    """
    place = Path(folder) if folder is not None else _shipped()
    found = []
    for path in sorted(place.glob("*.npz")):
        try:
            found.append(describe(path))
        except ModelError:
            continue
    return found


def describe(path: str | os.PathLike[str]) -> ModelInfo:
    """Describe one model file without building the model.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    ModelInfo

    Raises
    ------
    ModelError
        If it is no model file.
    """
    path = Path(path)
    arrays, meta = _read(path)
    return ModelInfo(
        meta["name"],
        path,
        path.stat().st_size,
        meta["schema"],
        meta["checksum"] == _checksum(arrays),
        meta["card"],
    )


def _shipped() -> Path:
    return Path(str(resources.files("facetrack.models")))


def _read(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """Read all members at once: a flipped byte shows only when its member is read."""
    try:
        arrays = read_whole_npz(path)
        meta = json.loads(bytes(arrays.pop("meta")).decode())
    except (FormatError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelError(
            path, "not a model file, or cut short or damaged", remedy="copy it again"
        ) from error
    if not isinstance(meta, dict) or meta.get("kind") != "facetrack model":
        raise ModelError(path, "an archive, but not a Facetrack model")
    if not isinstance(meta.get("schema"), int) or meta["schema"] > SCHEMA:
        raise ModelError(
            path,
            f"schema {meta.get('schema')}, this version reads up to {SCHEMA}",
            remedy="update Facetrack",
        )
    for entry, kind in (("name", str), ("checksum", str), ("card", dict)):
        if not isinstance(meta.get(entry), kind):
            raise ModelError(path, f"the entry {entry!r} is missing or wrong")
    return arrays, meta


def _checksum(arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    digest = hashlib.sha256()
    for key in sorted(arrays):
        array = arrays[key]
        digest.update(f"{key} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
