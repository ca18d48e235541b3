"""Where the files of a pain archive lie: copies in circulation are nested and renamed.

Below the archive's folder, every kind has SUBJECT/SEQUENCE/SEQUENCE001 with its suffix, the next
frame 002 and so on; see `KINDS`.
"""

from __future__ import annotations

import filecmp
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facetrack.errors import FormatError

SUBJECT: Final = re.compile(r"\d{3}-[a-z]{2}\d{3}")
_DEPTH: Final = 3  # levels below the archive's folder
_IGNORED: Final = (".DS_Store", "Thumbs.db", "__MACOSX")
_LETTERS: Final = re.compile(r"[^a-z]")
_NUMBER: Final = re.compile(r"(\d{1,9})(?:_aam|_facs)?")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of files, one for each frame."""

    folder: str  # below the archive's folder
    suffix: str  # follows the frame's number in their names


KINDS: Final[dict[str, Kind]] = {
    "images": Kind("Images", ".png"),
    "landmarks": Kind("AAM_landmarks", "_aam.txt"),
    "pspi": Kind("Frame_Labels/PSPI", "_facs.txt"),
    "facs": Kind("Frame_Labels/FACS", "_facs.txt"),
}
# By the letters of a folder's name: upper and lower case, blanks and underscores vary.
_NAMES: Final = {
    _LETTERS.sub("", Path(kind.folder).name.lower()): name for name, kind in KINDS.items()
}


@dataclass(frozen=True, slots=True)
class FrameFiles:
    """The files of one kind in a sequence's folder."""

    by_number: Mapping[int, Path]  # of the frame
    problems: tuple[str, ...]  # files that cannot be told apart


def frame_name(kind: str, sequence: str, number: int) -> str:
    """Return the name of a frame's file of one of `KINDS`."""
    return f"{sequence}{number:03}{KINDS[kind].suffix}"


def find_folders(root: str | os.PathLike[str]) -> dict[str, Path]:
    """Find the folders of subjects by `KINDS`, all of them; of identical copies the first."""
    top = Path(root)
    if not top.is_dir():
        raise FormatError(top, "no such folder")
    found: dict[str, list[Path]] = {name: [] for name in KINDS}
    for folder in _below(top, _DEPTH):
        parts = folder.relative_to(top).parts
        kinds = [_NAMES.get(_LETTERS.sub("", part.lower())) for part in parts]
        known = [kind for kind in kinds if kind is not None]
        if known and any(SUBJECT.fullmatch(child.name) for child in _folders(folder)):
            found[known[-1]].append(folder)
    for kind, candidates in found.items():
        if not candidates:
            raise FormatError(
                top,
                f"no {KINDS[kind].folder} with folders of subjects such as 042-ll042 within "
                f"{_DEPTH} levels",
                remedy="give the folder that holds Images, AAM_landmarks and Frame_Labels",
            )
        for other in candidates[1:]:
            if not _identical(candidates[0], other):
                raise FormatError(
                    candidates[0], f"its copy {other} differs", remedy="move one of them away"
                )
    return {kind: candidates[0] for kind, candidates in found.items()}


def sequences(folders: Mapping[str, Path]) -> list[tuple[str, str]]:
    """List all pairs of subject and sequence that any of the folders holds, sorted."""
    return sorted(
        {
            (subject.name, sequence.name)
            for folder in folders.values()
            for subject in _folders(folder)
            if SUBJECT.fullmatch(subject.name)
            for sequence in _folders(subject)
        }
    )


def frame_files(folder: Path) -> FrameFiles:
    """List the frames' files of one kind in a sequence's folder; none if it is missing."""
    found: dict[int, Path] = {}
    problems = []
    files = sorted(_listed(folder), key=lambda file: file.name)
    for file in files:
        # A sequence's name may end in digits itself.
        rest = file.stem.removeprefix(folder.name)
        match = _NUMBER.fullmatch(rest) or re.search(_NUMBER.pattern + "$", file.stem)
        if match is None or not file.is_file():
            problems.append(f"{file}: no frame's number in its name; left out")
        elif found.setdefault(int(match[1]), file) != file:
            problems.append(f"{file}: {found[int(match[1])].name} is of the same frame; left out")
    return FrameFiles(found, tuple(problems))


def _below(top: Path, depth: int) -> Iterator[Path]:
    """Walk the folders below, except those of subjects."""
    for folder in _folders(top):
        if not SUBJECT.fullmatch(folder.name):
            yield folder
            if depth > 1:
                yield from _below(folder, depth - 1)


def _folders(folder: Path) -> list[Path]:
    return [path for path in _listed(folder) if path.is_dir()]


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.name not in _IGNORED)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise FormatError(folder, f"cannot be listed ({error.strerror})") from error


def _identical(first: Path, second: Path) -> bool:
    """Compare the subjects' folders in two places, byte for byte."""
    one, other = (
        {
            file.relative_to(top)
            for subject in _folders(top)
            if SUBJECT.fullmatch(subject.name)
            for file in subject.rglob("*")
            if file.is_file() and not set(file.parts) & set(_IGNORED)
        }
        for top in (first, second)
    )
    if one != other:
        return False
    return all(filecmp.cmp(first / file, second / file, shallow=False) for file in sorted(one))
