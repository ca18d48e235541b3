"""Model files: arrays plus JSON in one .npz, a schema version, a checksum, never a pickle."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facetrack.errors import ModelError
from facetrack.features.maps import MapSpec
from facetrack.formats.atomic import atomic_path
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.regression.cascade import Cascade, Level
from facetrack.tracking.face_model import BoxPlacement, FaceModel
from facetrack.tracking.quality import QualityClassifier

SCHEMA = 1
DEFAULT_MODEL = "default"

Arrays = dict[str, npt.NDArray[Any]]


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
    path = _find(name)
    arrays, meta = _read(path)
    if meta["checksum"] != _checksum(arrays):
        raise ModelError(path, "the checksum does not match", remedy="copy or train it again")
    try:
        return _unpack(arrays, meta)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(path, f"an entry is missing or wrong: {error}") from error


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
    arrays = _pack(model)
    meta = {
        "schema": SCHEMA,
        "kind": "facetrack model",
        "name": model.name,
        "quality_bias": model.quality.bias,
        "cascades": {
            "start": _describe_cascade(model.start),
            "tracking": _describe_cascade(model.tracking),
        },
        "quality_level": _describe_level(model.quality.level),
        "card": model.card,
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


def _find(name: str | os.PathLike[str] | None) -> Path:
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


def _read(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """Read all members at once: a flipped byte shows only when its member is read."""
    try:
        # a stream of our own: numpy leaves the file open when the archive is cut short
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ModelError(path, "not a model file")
            arrays = {key: archive[key] for key in archive.files}
        meta = json.loads(bytes(arrays.pop("meta")).decode())
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        if isinstance(error, ModelError):
            raise
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
    return arrays, meta


def _checksum(arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    digest = hashlib.sha256()
    for key in sorted(arrays):
        array = arrays[key]
        digest.update(f"{key} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _describe_level(level: Level) -> dict[str, Any]:
    return {"map_index": level.map_index, "shrink": level.shrink, "spacing": level.spacing}


def _describe_cascade(cascade: Cascade) -> dict[str, Any]:
    return {
        "maps": [[spec.shrink, spec.radius] for spec in cascade.maps],
        "levels": [_describe_level(level) for level in cascade.levels],
    }


def _pack_level(level: Level, prefix: str) -> Arrays:
    return {
        f"{prefix}/basis": level.basis,
        f"{prefix}/offset": level.offset,
        f"{prefix}/regressor": level.regressor,
    }


def _pack(model: FaceModel) -> Arrays:
    shape = model.shape_model
    arrays: Arrays = {
        "shape/mean": shape.mean,
        "shape/basis": shape.basis,
        "shape/deviations": shape.deviations,
        "shape/mean_3d": shape.mean_3d,
        "placement/shapes": model.placement.shapes,
        "quality/mean": model.quality.mean,
        "quality/scale": model.quality.scale,
        "quality/weights": model.quality.weights,
        **_pack_level(model.quality.level, "quality/level"),
    }
    for name, cascade in (("start", model.start), ("tracking", model.tracking)):
        arrays[f"{name}/basis"] = cascade.basis
        for number, level in enumerate(cascade.levels):
            arrays |= _pack_level(level, f"{name}/{number}")
    return arrays


def _unpack_level(arrays: Arrays, prefix: str, meta: Mapping[str, Any]) -> Level:
    return Level(
        int(meta["map_index"]),
        int(meta["shrink"]),
        float(meta["spacing"]),
        arrays[f"{prefix}/basis"],
        arrays[f"{prefix}/offset"],
        arrays[f"{prefix}/regressor"],
    )


def _unpack_cascade(arrays: Arrays, name: str, meta: Mapping[str, Any]) -> Cascade:
    return Cascade(
        tuple(MapSpec(int(shrink), int(radius)) for shrink, radius in meta["maps"]),
        arrays[f"{name}/basis"],
        tuple(
            _unpack_level(arrays, f"{name}/{number}", level)
            for number, level in enumerate(meta["levels"])
        ),
    )


def _unpack(arrays: Arrays, meta: Mapping[str, Any]) -> FaceModel:
    return FaceModel(
        name=str(meta["name"]),
        shape_model=ShapeModel(
            arrays["shape/mean"],
            arrays["shape/basis"],
            arrays["shape/deviations"],
            arrays["shape/mean_3d"],
        ),
        placement=BoxPlacement(arrays["placement/shapes"]),
        start=_unpack_cascade(arrays, "start", meta["cascades"]["start"]),
        tracking=_unpack_cascade(arrays, "tracking", meta["cascades"]["tracking"]),
        quality=QualityClassifier(
            _unpack_level(arrays, "quality/level", meta["quality_level"]),
            arrays["quality/mean"],
            arrays["quality/scale"],
            arrays["quality/weights"],
            float(meta["quality_bias"]),
        ),
        card=dict(meta["card"]),
    )
