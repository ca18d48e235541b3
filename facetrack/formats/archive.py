"""Archives of our own: arrays plus JSON in one .npz, a kind, a schema version, a checksum."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError
from facetrack.formats.atomic import atomic_path
from facetrack.formats.npz import read_npz, read_whole_npz

Arrays = dict[str, npt.NDArray[Any]]


def write_archive(
    path: str | os.PathLike[str],
    arrays: Mapping[str, npt.NDArray[Any]],
    description: Mapping[str, Any],
    *,
    kind: str,
    schema: int,
) -> None:
    """Write an archive of a `kind`: beside, then renamed. The description is JSON-able."""
    meta = {"schema": schema, "kind": kind, **description, "checksum": checksum(arrays)}
    text = json.dumps(meta, allow_nan=False, indent=1)
    with atomic_path(path) as temporary, open(temporary, "wb") as stream:
        members: dict[str, Any] = {"meta": np.frombuffer(text.encode(), dtype=np.uint8), **arrays}
        np.savez(stream, **members)


def read_archive(
    path: str | os.PathLike[str], *, kind: str, schema: int
) -> tuple[Arrays, dict[str, Any]]:
    """Read an archive, all members at once: a flipped byte shows only when its member is read.

    Return arrays and the description with `schema`, `kind` and `checksum`; compare the last with
    `checksum`. Raises FormatError if it is damaged, of another kind, or newer than `schema`.
    """
    noun = kind.removeprefix("facetrack ")
    arrays, meta = read_any_archive(path, noun=noun)
    if meta["kind"] != kind:
        raise FormatError(path, f"an archive, but not a Facetrack {noun}")
    if meta["schema"] > schema:
        cause = f"schema {meta['schema']}, this version reads up to {schema}"
        raise FormatError(path, cause, remedy="update Facetrack")
    return arrays, meta


def read_any_archive(path: str | os.PathLike[str], *, noun: str) -> tuple[Arrays, dict[str, Any]]:
    """Read an archive of any kind and schema; the noun is for the message of a FormatError."""
    try:
        arrays = read_whole_npz(path)
        text = arrays.pop("meta")
    except (FormatError, KeyError) as error:
        raise _damaged(path, noun) from error
    return arrays, _meta(path, text, noun)


def read_description(path: str | os.PathLike[str], *, noun: str) -> dict[str, Any]:
    """Read what an archive says of itself, and no array: the checksum is not compared."""
    try:
        text = read_npz(path, required=["meta"])["meta"]
    except FormatError as error:
        raise _damaged(path, noun) from error
    return _meta(path, text, noun)


def _damaged(path: str | os.PathLike[str], noun: str) -> FormatError:
    cause = f"not a {noun} file, or cut short or damaged"
    return FormatError(path, cause, remedy="copy it again")


def _meta(path: str | os.PathLike[str], text: npt.NDArray[Any], noun: str) -> dict[str, Any]:
    try:
        meta = json.loads(bytes(text).decode())
    except (TypeError, ValueError, RecursionError) as error:
        raise _damaged(path, noun) from error
    for entry, of_type in (("kind", str), ("schema", int), ("checksum", str)):
        if not isinstance(meta, dict) or not isinstance(meta.get(entry), of_type):
            cause = f"an archive, but not a Facetrack {noun}: no right entry {entry!r}"
            raise FormatError(path, cause)
    return dict(meta)


def checksum(arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """Digest the names, types, shapes and values of arrays."""
    digest = hashlib.sha256()
    for key in sorted(arrays):
        array = arrays[key]
        digest.update(f"{key} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
