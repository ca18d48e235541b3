"""Model files of every kind: arrays, a card and a checksum in one .npz, never a pickle.

A file says of which kind it is; who reads a kind registers it, or names it in the entry points
`facetrack.models` of a package, which is imported when the first file of that kind is met.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from facetrack.errors import FormatError, InputError, ModelError
from facetrack.formats.archive import (
    Arrays,
    checksum,
    read_any_archive,
    read_description,
    write_archive,
)

DEFAULT_MODEL: Final = "default"
ENTRY_POINTS: Final = "facetrack.models"  # name: the kind; value: the `ModelKind`

Description = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ModelKind(Generic[T]):
    """One kind of model file, and how it becomes a model.

    Attributes
    ----------
    name : str
        What the files say of themselves.
    title : str
        What a person calls it, for instance "landmark tracker".
    schema : int
        The newest version of its contents that `load` knows.
    load : callable (arrays, description) -> model
        May raise LookupError, TypeError or ValueError where an entry is missing or wrong.
    """

    name: str
    title: str
    schema: int
    load: Callable[[Arrays, Description], T]

    def write(self, path: str | os.PathLike[str], arrays: Arrays, description: Description) -> None:
        """Write a file of this kind: beside, then renamed.

        Parameters
        ----------
        path : path-like
            Ends in .npz.
        arrays : dict of str to ndarray
        description : mapping
            All that is no array, JSON-able; `name` and `card` must be there.

        Raises
        ------
        InputError
            If the description lacks its name or card.
        OutputError
            If the file cannot be written.
        """
        for entry, of_type in _ENTRIES:
            if not isinstance(description.get(entry), of_type):
                raise InputError(f"a model's description needs the entry {entry!r}")
        write_archive(path, arrays, description, kind=self.name, schema=self.schema)

    def read(self, name: str | os.PathLike[str] | None = None) -> T:
        """Read a file that must be of this kind.

        Parameters
        ----------
        name : str or path-like, optional
            As for `find_model`.

        Returns
        -------
        T
            The model.

        Raises
        ------
        ModelError
            If there is no such model, it is of another kind or of a newer schema, or the file is
            cut short, changed, or no model at all.
        """
        path = find_model(name)
        arrays, meta = _read(path)
        self._check(path, meta)
        return self._load(path, arrays, meta)

    def describe(self, name: str | os.PathLike[str] | None = None) -> dict[str, Any]:
        """Read what a file of this kind says of itself, quickly: its arrays are not looked at.

        Parameters
        ----------
        name : str or path-like, optional
            As for `find_model`.

        Returns
        -------
        dict
            With `name`, `card`, `checksum`, and what else the kind writes.

        Raises
        ------
        ModelError
            As `read`, as far as the damage shows.
        """
        path = find_model(name)
        try:
            meta = read_description(path, noun="model")
        except FormatError as error:
            raise ModelError(path, error.cause, remedy=error.remedy) from error
        _check_entries(path, meta)
        self._check(path, meta)
        return meta

    def _check(self, path: Path, meta: Description) -> None:
        if meta["kind"] != self.name:
            cause = f"a model of kind {meta['kind']!r}, but no {self.title}"
            raise ModelError(path, cause, remedy="`facetrack models` says what each file is")
        _check_schema(path, self, meta)

    def _load(self, path: Path, arrays: Arrays, meta: Description) -> T:
        _check_schema(path, self, meta)
        if meta["checksum"] != checksum(arrays):
            raise ModelError(path, "the checksum does not match", remedy="copy or train it again")
        try:
            loaded = self.load(arrays, meta)
        except (LookupError, TypeError, ValueError) as error:
            raise ModelError(path, f"an entry is missing or wrong: {error}") from error
        LOADED[meta["name"]] = meta["checksum"]
        return loaded


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What can be said of a model file without loading it.

    Attributes
    ----------
    name : str
        The model's, or the file's where that is no model.
    path : Path
    bytes : int
        Size of the file.
    kind : str
        Empty if the file is no model.
    schema : int
    checksum_ok : bool
    card : dict
        Data, terms and measures as stored in the file.
    problem : str
        Why this program cannot load it, and what helps; empty if it can.
    """

    name: str
    path: Path
    bytes: int
    kind: str
    schema: int
    checksum_ok: bool
    card: dict[str, Any]
    problem: str = ""


_ENTRIES: Final = (("name", str), ("card", dict))  # of every description
# Checksums of the models that this process has loaded, by name: reports of measurements say them.
LOADED: Final[dict[str, str]] = {}
_registered: Final[dict[str, ModelKind[Any]]] = {}


def register_kind(kind: ModelKind[Any]) -> None:
    """Make a kind known; doing so again changes nothing.

    Parameters
    ----------
    kind : ModelKind

    Raises
    ------
    InputError
        If another one has its name.
    """
    if _registered.setdefault(kind.name, kind) != kind:
        raise InputError(f"there is another kind of models called {kind.name!r}")


def kinds() -> list[str]:
    """List the kinds that this program or an installed package can load.

    Returns
    -------
    list of str
        Their names, sorted; no package is imported for it.
    """
    return sorted({*_registered, *(point.name for point in entry_points(group=ENTRY_POINTS))})


def find_kind(name: str) -> ModelKind[Any]:
    """Find a kind; the package that brings it is imported.

    Parameters
    ----------
    name : str

    Returns
    -------
    ModelKind

    Raises
    ------
    InputError
        If no package brings it, or that package cannot be imported.
    """
    if name not in _registered:
        for point in entry_points(group=ENTRY_POINTS, name=name):
            try:
                register_kind(point.load())
            except Exception as error:  # whatever a third-party package raises
                raise InputError(f"{point.value} cannot be imported: {error}") from error
    if name not in _registered:
        raise InputError(f"the kind {name!r} is unknown here (known: {', '.join(kinds())})")
    return _registered[name]


def find_model(name: str | os.PathLike[str] | None = None) -> Path:
    """Find the file of a model.

    Parameters
    ----------
    name : str or path-like, optional
        A name in the shipped models, or the path of a file; the shipped default without it.

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


def read_model(name: str | os.PathLike[str] | None = None) -> tuple[ModelKind[Any], Any]:
    """Read a model of whatever kind.

    Parameters
    ----------
    name : str or path-like, optional
        As for `find_model`.

    Returns
    -------
    kind : ModelKind
    model : object
        What the kind's `load` made.

    Raises
    ------
    ModelError
        If there is no such model, its kind is unknown or its schema newer than what is known, or
        the file is cut short, changed, or no model at all.
    """
    path = find_model(name)
    arrays, meta = _read(path)
    kind = _kind_of(path, meta)
    return kind, kind._load(path, arrays, meta)


def describe(path: str | os.PathLike[str]) -> ModelInfo:
    """Describe one model file without building the model.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    ModelInfo
        Also of a model that this program cannot load: its `problem` says why.

    Raises
    ------
    ModelError
        If it is no model file.
    """
    path = Path(path)
    arrays, meta = _read(path)
    checksum_ok = meta["checksum"] == checksum(arrays)
    problem = "" if checksum_ok else "the checksum does not match; copy or train it again"
    try:
        _check_schema(path, _kind_of(path, meta), meta)
    except ModelError as error:
        problem = _reason(error)
    return ModelInfo(
        meta["name"],
        path,
        path.stat().st_size,
        meta["kind"],
        meta["schema"],
        checksum_ok,
        meta["card"],
        problem,
    )


def list_models(folder: str | os.PathLike[str] | None = None) -> list[ModelInfo]:
    """Describe every .npz file of a folder.

    Parameters
    ----------
    folder : path-like, optional
        The shipped models without it.

    Returns
    -------
    list of ModelInfo
        Sorted by file; those that cannot be loaded, or are no models, with their `problem`.
    """
    place = Path(folder) if folder is not None else _shipped()
    found = []
    for path in sorted(place.glob("*.npz")):
        try:
            found.append(describe(path))
        except ModelError as error:
            size = path.stat().st_size if path.is_file() else 0
            found.append(ModelInfo(path.stem, path, size, "", 0, False, {}, _reason(error)))
    return found


def _shipped() -> Path:
    return Path(str(resources.files("facetrack.models")))


def _read(path: Path) -> tuple[Arrays, dict[str, Any]]:
    try:
        arrays, meta = read_any_archive(path, noun="model")
    except FormatError as error:
        raise ModelError(path, error.cause, remedy=error.remedy) from error
    _check_entries(path, meta)
    return arrays, meta


def _check_entries(path: Path, meta: Description) -> None:
    for entry, of_type in _ENTRIES:
        if not isinstance(meta.get(entry), of_type):
            cause = f"kind {meta['kind']!r}, but no model: the entry {entry!r} is missing or wrong"
            raise ModelError(path, cause)


def _kind_of(path: Path, meta: Description) -> ModelKind[Any]:
    try:
        return find_kind(meta["kind"])
    except InputError as error:
        remedy = "update Facetrack or install the package of this kind"
        raise ModelError(path, str(error), remedy=remedy) from error


def _check_schema(path: Path, kind: ModelKind[Any], meta: Description) -> None:
    if meta["schema"] > kind.schema:
        cause = f"schema {meta['schema']}, this version reads up to {kind.schema}"
        raise ModelError(path, cause, remedy="update Facetrack or the package of this kind")


def _reason(error: ModelError) -> str:
    """Give an error's text without the path."""
    return f"{error.cause}; {error.remedy}" if error.remedy else error.cause
