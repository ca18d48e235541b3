"""From what the user typed to the videos that are meant, and to names for their results."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from facetrack.corpus.ledger import read_checkpoint, read_ledger
from facetrack.corpus.task import Outputs, identity, is_live
from facetrack.errors import FacetrackError, InputError, VideoError
from facetrack.formats.picture import SUFFIXES as PICTURES

VIDEOS: Final = (
    ".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg",
    ".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv",
)  # fmt: skip
SUMMARY: Final = "summary.csv"  # in the output folder, see `corpus.summary`
_OURS: Final = re.compile(r"\.overlay(\.part-\d+)?\.mp4$")


@dataclass(frozen=True, slots=True)
class Input:
    """One video that was found.

    Attributes
    ----------
    source : str or Path
        See `Task.source`.
    place : PurePath
        Where its results belong, relative to the output folder, without suffix: its place in the
        folder that was searched.
    """

    source: str | Path
    place: PurePath


def find_inputs(specs: Iterable[str], *, skip: Path) -> tuple[list[Input], list[FacetrackError]]:
    """Find the videos that are meant.

    Parameters
    ----------
    specs : iterable of str
        Files, folders, globs, cameras (numbers or /dev/video*) or "demo". A folder is searched
        with everything below; a folder in it that holds pictures and no video is one sequence.
    skip : Path
        The output folder: what lies there is not searched, unless it was named itself.

    Returns
    -------
    inputs : list of Input
        Each once, in the order of the specs, in folders by name.
    errors : list of FacetrackError
        One for every spec that means nothing.
    """
    found: dict[str, Input] = {}
    errors: list[FacetrackError] = []
    for spec in specs:
        try:
            for item in _expand(spec, skip.resolve()):
                found.setdefault(identity(item.source), item)
        except FacetrackError as error:
            errors.append(error)
    return list(found.values()), errors


def _expand(spec: str, skip: Path) -> list[Input]:
    if spec == "demo" or (spec.isascii() and spec.isdecimal()) or spec.startswith("/dev/video"):
        return [Input(spec, PurePath(spec if spec == "demo" else f"camera-{PurePath(spec).name}"))]
    path = Path(spec)
    if not spec:
        raise InputError("the name of an input is empty")
    if os.path.lexists(path) or not glob.has_magic(spec):
        return _found_at(path, path.parent, skip)
    matches = sorted(glob.glob(spec, recursive=True))
    if not matches:
        raise VideoError(spec, "no file matches this pattern", remedy="check the name")
    fixed = [part for part in path.parts if not glob.has_magic(part)]
    root = Path(*fixed[: _first_magic(path)]) if fixed else Path()
    found = []
    for match in map(Path, matches):
        if match.is_dir() or match.suffix.lower() in VIDEOS + PICTURES:
            found += _found_at(match, root, skip, alone=False)
    if not found:
        raise VideoError(spec, f"none of {len(matches)} matches is a video")
    return found


def _first_magic(path: Path) -> int:
    return next(i for i, part in enumerate(path.parts) if glob.has_magic(part))


def _found_at(path: Path, root: Path, skip: Path, *, alone: bool = True) -> list[Input]:
    """Take a file as it is; search a folder."""
    if not path.is_dir():
        if not path.exists():
            raise VideoError(path, "there is no such file or folder", remedy="check the name")
        return [] if _OURS.search(path.name) and not alone else [_file(path, root)]
    if not os.access(path, os.R_OK | os.X_OK):
        raise VideoError(path, "the folder cannot be read", remedy="check its permissions")
    root = path if alone else root
    found = list(_search(path, root, skip))
    if not found and alone:
        raise VideoError(path, "the folder holds neither videos nor pictures")
    return found


def _search(top: Path, root: Path, skip: Path) -> Iterator[Input]:
    for name, folders, files in os.walk(top):
        folder = Path(name)
        folders[:] = sorted(
            f for f in folders if not f.startswith(".") and (folder / f).resolve() != skip
        )
        visible = sorted(f for f in files if not f.startswith(".") and not _OURS.search(f))
        videos = [f for f in visible if PurePath(f).suffix.lower() in VIDEOS]
        yield from (_file(folder / f, root) for f in videos)
        if not videos and any(PurePath(f).suffix.lower() in PICTURES for f in visible):
            place = folder.relative_to(root)
            yield Input(folder, place if place.parts else PurePath(folder.resolve().name or "root"))


def _file(path: Path, root: Path) -> Input:
    place = path.relative_to(root)
    return Input(path, place.with_name(place.stem) if place.stem else place)


class Namer:
    """Gives each input a place for its results that is its own, run after run.

    Parameters
    ----------
    folder : Path
        The output folder.

    Notes
    -----
    A place belongs to the input that the ledger or checkpoint lying there names. Files of anybody
    else are never overwritten: the next free name is taken.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken: set[str] = {str(folder / SUMMARY).casefold()}

    def outputs(self, item: Input) -> Outputs:
        """Choose the place of one input.

        Parameters
        ----------
        item : Input

        Returns
        -------
        Outputs
            A place of its own for every recording of a camera: what it saw comes once only.
        """
        mine = identity(item.source)
        for place in _names(item):
            outputs = Outputs(self._folder / place)
            names = {str(path).casefold() for path in outputs.all_paths()}
            if names & self._taken:
                continue
            occupied = any(os.path.lexists(path) for path in outputs.all_paths())
            if not occupied or (_owner(outputs) == mine and not is_live(item.source)):
                self._taken |= names
                return outputs
        raise AssertionError("there is always another number")


def _names(item: Input) -> Iterator[PurePath]:
    """Give the input's own name, that with its folder's, and then numbers."""
    place = item.place
    yield place
    if isinstance(item.source, Path):
        parent = item.source.resolve().parent.name
        if parent:
            yield place.with_name(f"{parent}_{place.name}")
    number = 2
    while True:
        yield place.with_name(f"{place.name}-{number}")
        number += 1


def _owner(outputs: Outputs) -> str | None:
    """Read whose results lie at a place."""
    record = read_ledger(outputs.path("ledger")) or read_checkpoint(outputs.path("checkpoint"))
    if record is None or not isinstance(record.order["input"], dict):
        return None
    return str(record.order["input"].get("path"))
