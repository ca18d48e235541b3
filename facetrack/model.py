"""Model files: arrays plus JSON in one .npz, a schema version, a checksum, never a pickle."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from facetrack.errors import FormatError, ModelError
from facetrack.formats.archive import Arrays, checksum, read_archive, write_archive
from facetrack.tracking.face_model import FaceModel
from facetrack.tracking.packing import pack, unpack

SCHEMA = 1
KIND = "facetrack model"
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
    if meta["checksum"] != checksum(arrays):
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
    write_archive(path, arrays, description, kind=KIND, schema=SCHEMA)


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
        meta["checksum"] == checksum(arrays),
        meta["card"],
    )


def _shipped() -> Path:
    return Path(str(resources.files("facetrack.models")))


def _read(path: Path) -> tuple[Arrays, dict[str, Any]]:
    try:
        arrays, meta = read_archive(path, kind=KIND, schema=SCHEMA)
    except FormatError as error:
        raise ModelError(path, error.cause, remedy=error.remedy) from error
    for entry, kind in (("name", str), ("card", dict)):
        if not isinstance(meta.get(entry), kind):
            raise ModelError(path, f"the entry {entry!r} is missing or wrong")
    return arrays, meta
