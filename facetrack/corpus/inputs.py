"""From what the user typed to the videos that are meant, and to names for their results."""

from __future__ import annotations

import glob
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path, PurePath
from typing import Final

from facetrack.corpus.ledger import read_checkpoint, read_ledger
from facetrack.corpus.task import Outputs, identity, is_live
from facetrack.errors import FacetrackError, InputError, VideoError
from facetrack.formats.picture import SUFFIXES as PICTURES

_SUFFIXES: Final = """
.264 .265 .3g2 .3gp .apng .asf .avi .avif .divx .dv .f4v .flv .gif .h264 .h265 .heic .heif .hevc
.ivf .jfif .lrv .m1v .m2t .m2ts .m2v .m4v .mjpeg .mjpg .mkv .mod .mov .mp4 .mpeg .mpg .mts .mxf
.obu .ogv .qt .rm .rmvb .tod .ts .vob .vro .webm .wmv .y4m
"""  # and pictures that FFmpeg opens as videos, each by itself
VIDEOS: Final = tuple(_SUFFIXES.split())
SUMMARY: Final = "summary.csv"  # in the output folder, see `corpus.summary`
_SEQUENCE: Final = re.compile(r"%0?\d*d")
_LONGEST: Final = 200  # bytes of a name: most file systems take 255, with all that we add
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_OURS: Final = re.compile(r"\.overlay(\.part-\d+)?\.mp4$")


@dataclass(frozen=True, slots=True)
class Input:
    """One video that was found."""

    source: str | Path  # see `Task.source`
    place: PurePath  # of its results in the output folder, without suffix


@dataclass(slots=True)
class Found:
    """What was found."""

    inputs: list[Input]  # each once, in the order of the specs, in folders by name
    errors: list[FacetrackError]  # one for every spec that means nothing
    skipped: list[Path]  # no videos or pictures, or pictures beside videos: thumbnails


def find_inputs(specs: Iterable[str], *, skip: Path) -> Found:
    """Find the videos meant by files, folders, globs, cameras (number, /dev/video*) or "demo".

    A folder is searched with everything below, linked folders included; a folder in it that holds
    pictures and no video is one sequence. What lies in `skip`, the output folder, is not searched
    unless it was named itself.
    """
    search = _Search(skip.resolve())
    found: dict[str, Input] = {}
    errors: list[FacetrackError] = []
    for spec in specs:
        try:
            for item in search.expand(spec):
                found.setdefault(identity(item.source), item)
        except FacetrackError as error:
            errors.append(error)
    return Found(list(found.values()), errors, search.skipped)


class _Search:
    """Goes through folders, through each of them once, however they are linked."""

    def __init__(self, skip: Path) -> None:
        self._skip = skip
        self.skipped: list[Path] = []

    def expand(self, spec: str) -> list[Input]:
        """Find what one spec means."""
        if spec == "demo" or (spec.isascii() and spec.isdecimal()) or spec.startswith("/dev/video"):
            name = spec if spec == "demo" else f"camera-{PurePath(spec).name}"
            return [Input(spec, PurePath(name))]
        path = Path(spec)
        if not spec:
            raise InputError("the name of an input is empty")
        if _URL.match(spec):
            raise InputError(f"{spec}: a URL is not opened; download the video and name the file")
        if spec == "-":
            raise InputError("-: standard input is not read; name a file")
        if os.path.lexists(path):
            return self._found_at(path, path.parent)
        if _SEQUENCE.search(path.name):
            return [_sequence(path)]
        return self._matches(spec) if glob.has_magic(spec) else self._found_at(path, path.parent)

    def _matches(self, pattern: str) -> list[Input]:
        matches = sorted(glob.glob(pattern, recursive=True))
        if not matches:
            raise VideoError(pattern, "no file matches this pattern", remedy="check the name")
        root = Path(*takewhile(lambda part: not glob.has_magic(part), Path(pattern).parts))
        found = []
        for match in map(Path, matches):
            if match.is_dir() or match.suffix.lower() in VIDEOS + PICTURES:
                found += self._found_at(match, root, alone=False)
            else:
                self.skipped.append(match)
        if not found:
            raise VideoError(pattern, f"none of {len(matches)} matches is a video")
        return found

    def _found_at(self, path: Path, root: Path, *, alone: bool = True) -> list[Input]:
        """Take a file as it is; search a folder."""
        if not path.is_dir():
            if not path.exists():
                raise VideoError(path, "there is no such file or folder", remedy="check the name")
            return [] if _OURS.search(path.name) and not alone else [_file(path, root)]
        if not os.access(path, os.R_OK | os.X_OK):
            raise VideoError(path, "the folder cannot be read", remedy="check its permissions")
        found = list(self._below(path, path if alone else root))
        if not found and alone:
            raise VideoError(path, "the folder holds neither videos nor pictures")
        return found

    def _below(self, top: Path, root: Path) -> Iterator[Input]:
        been = {top.resolve()}
        for name, folders, files in os.walk(top, followlinks=True):
            folder = Path(name)
            inner = {f: (folder / f).resolve() for f in sorted(folders) if not f.startswith(".")}
            folders[:] = []
            for f, place in inner.items():  # a link may lead back to where we are
                if place != self._skip and place not in been:
                    been.add(place)
                    folders.append(f)
            visible = sorted(f for f in files if not f.startswith(".") and not _OURS.search(f))
            videos = [f for f in visible if PurePath(f).suffix.lower() in VIDEOS]
            pictures = [f for f in visible if PurePath(f).suffix.lower() in PICTURES]
            yield from (_file(folder / f, root) for f in videos)
            if pictures and not videos:
                place = folder.relative_to(root)
                yield Input(
                    folder, place if place.parts else PurePath(folder.resolve().name or "root")
                )
            taken = {*videos, *([] if videos else pictures)}
            self.skipped += [folder / f for f in visible if f not in taken]


def _sequence(pattern: Path) -> Input:
    """Take numbered pictures, as `img_%04d.png`, for the sequence that their folder is."""
    before, after = (re.escape(part) for part in _SEQUENCE.split(pattern.name, maxsplit=1))
    folder, numbered = pattern.parent, re.compile(rf"{before}\d+{after}", re.IGNORECASE)
    names = os.listdir(folder) if folder.is_dir() else []
    pictures = [name for name in names if PurePath(name).suffix.lower() in PICTURES]
    others = [name for name in pictures if not numbered.fullmatch(name)]
    if len(others) == len(pictures):
        raise VideoError(pattern, "no picture matches this pattern", remedy="check the name")
    if others:
        cause = f"{len(others)} other pictures lie beside the sequence, such as {min(others)}"
        raise VideoError(pattern, cause, remedy="give the sequence a folder of its own")
    return Input(folder, PurePath(folder.resolve().name or "root"))


def _file(path: Path, root: Path) -> Input:
    place = path.relative_to(root)
    return Input(path, place.with_name(place.stem) if place.stem else place)


class Namer:
    """Gives each input a place for its results that is its own, run after run.

    A place belongs to the input that the ledger or checkpoint there names. Other files
    are never overwritten: the next free name is taken.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken: set[str] = {str(folder / SUMMARY).casefold()}

    def outputs(self, item: Input) -> Outputs:
        """Choose the place of one input."""
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
    place = _short(item.place)
    yield place
    if isinstance(item.source, Path):
        parent = item.source.resolve().parent.name
        if parent:
            yield _short(place.with_name(f"{parent}_{place.name}"))
    number = 2
    while True:
        yield place.with_name(f"{place.name}-{number}")
        number += 1


def _short(place: PurePath) -> PurePath:
    """Shorten a name that leaves no room for what is written behind it."""
    encoded = os.fsencode(place.name)
    if len(encoded) <= _LONGEST:
        return place
    kept = encoded[: _LONGEST - 9].decode(errors="ignore")
    return place.with_name(f"{kept}~{hashlib.sha256(encoded).hexdigest()[:8]}")


def _owner(outputs: Outputs) -> str | None:
    """Read whose results lie at a place."""
    record = read_ledger(outputs.path("ledger")) or read_checkpoint(outputs.path("checkpoint"))
    if record is None or not isinstance(record.run_key["input"], dict):
        return None
    return str(record.run_key["input"].get("path"))
