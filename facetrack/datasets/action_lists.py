"""Lists of clips with the class of each: Kinetics-400, Something-Something-V1, plain folders.

Kay et al., "The Kinetics human action video dataset", 2017 (arXiv 1705.06950); Goyal et al., "The
'something something' video database for learning and evaluating visual common sense", ICCV 2017.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facetrack.errors import FormatError, InputError
from facetrack.formats.textfile import read_text

_LIMIT: Final = 1 << 28  # bytes of a list
_VIDEOS: Final = (".mp4", ".webm", ".mkv", ".avi")
_SPLITS: Final = {"train": ("train",), "test": ("val", "validate", "validation", "test")}


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """One clip: a video, or a folder of its frames."""

    path: Path
    label: int  # place of its class in `ClipList.classes`
    subject: str = ""  # whom it was taken of; one subject belongs on one side of any split


@dataclass(frozen=True, slots=True)
class ClipList:
    """Clips of one split."""

    classes: tuple[str, ...]  # in the order of the labels
    clips: tuple[LabelledClip, ...]
    missing: tuple[str, ...] = ()  # those of the list that are not there


def read_clips(root: Path, form: str, split: str) -> ClipList:
    """Read the clips of one split, train or test, in one of `FORMS`.

    Of `kinetics`: `train.csv` and `validate.csv` (or `val.csv`) as published, and the clips in
    `SPLIT/LABEL`, `LABEL` or beside the lists. Of `something`: the published lists
    `something-something-v1-*.csv` and folders of frames. Of `folder`: CLASS/clip.mp4, and
    `subjects.csv` (clip,subject) where the part of the names up to the first `_` is none. Test is
    the published validation list; of a folder, every fifth subject.
    """
    if form not in FORMS or split not in _SPLITS:
        raise InputError(f"clips are {', '.join(FORMS)}, of train or test; got {form!r}, {split!r}")
    found = FORMS[form](root, split)
    if not found.clips:
        lacking = f" (missing: {found.missing[0]}, ...)" if found.missing else ""
        raise InputError(f"{root}: none of the {split} clips is there{lacking}")
    return found


def _kinetics(root: Path, split: str) -> ClipList:
    names = {row["label"] for _, row in _rows(_list_of(root, "train"), ("label",))}
    classes = tuple(sorted(names))
    clips, missing = [], []
    path = _list_of(root, split)
    for number, row in _rows(path, ("label", "youtube_id", "time_start", "time_end")):
        label = row["label"]
        if label not in names:
            raise FormatError(path, f"the class {label!r} is not one of train", line=number)
        try:
            start, stop = (int(float(row[key])) for key in ("time_start", "time_end"))
        except ValueError as error:
            raise FormatError(path, f"times must be seconds: {error}", line=number) from error
        name = f"{row['youtube_id']}_{start:06d}_{stop:06d}"
        place = _find(
            root, (Path(path.stem) / label, Path(split) / label, Path(label), Path()), name
        )
        if place is None:
            missing.append(name)
        else:
            clips.append(LabelledClip(place, classes.index(label), row["youtube_id"]))
    return ClipList(classes, tuple(clips), tuple(missing))


def _something(root: Path, split: str) -> ClipList:
    labels = _named(root, "something-something-v1-labels.csv")
    classes = tuple(line for line in read_text(labels, limit=_LIMIT).splitlines() if line)
    part = "train" if split == "train" else "validation"
    path = _named(root, f"something-something-v1-{part}.csv")
    clips, missing = [], []
    for number, line in enumerate(read_text(path, limit=_LIMIT).splitlines(), 1):
        name, _, label = line.partition(";")
        if label not in classes:
            cause = f"expected id;label with a label of {labels.name}, got {line!r}"
            raise FormatError(path, cause, line=number)
        place = next((p for p in (root / name, root / "frames" / name) if p.is_dir()), None)
        if place is None:
            missing.append(name)
        else:
            clips.append(LabelledClip(place, classes.index(label), name))
    return ClipList(classes, tuple(clips), tuple(missing))


def _folder(root: Path, split: str) -> ClipList:
    classes = tuple(sorted(path.name for path in root.iterdir() if path.is_dir()))
    paths = [(p, i) for i, name in enumerate(classes) for p in _videos(root / name)]
    known: dict[str, str] = {}
    if (root / "subjects.csv").is_file():
        rows = _rows(root / "subjects.csv", ("clip", "subject"))
        known = {row["clip"]: row["subject"] for _, row in rows}
    subjects = {path: known.get(path.stem, path.stem.partition("_")[0]) for path, _ in paths}
    tested = set(sorted(set(subjects.values()))[4::5])
    clips = [
        LabelledClip(path, label, subjects[path])
        for path, label in paths
        if (subjects[path] in tested) == (split == "test")
    ]
    return ClipList(classes, tuple(clips))


FORMS: Final[dict[str, Callable[[Path, str], ClipList]]] = {
    "kinetics": _kinetics,
    "something": _something,
    "folder": _folder,
}


def _list_of(root: Path, split: str) -> Path:
    names = [f"{name}.csv" for name in _SPLITS[split]]
    found = next((root / name for name in names if (root / name).is_file()), None)
    if found is None:
        cause = f"the list {' or '.join(names)} is missing"
        raise FormatError(root, cause, remedy="put it beside the clips")
    return found


def _named(root: Path, name: str) -> Path:
    if not (root / name).is_file():
        raise FormatError(root / name, "the list is missing", remedy="put it beside the clips")
    return root / name


def _rows(path: Path, needed: Iterable[str]) -> list[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(read_text(path, limit=_LIMIT).splitlines())
    lacking = [name for name in needed if name not in (reader.fieldnames or ())]
    if lacking:
        raise FormatError(path, f"the column {lacking[0]!r} is missing", line=1)
    rows = []
    for row in reader:
        if any(row[name] is None for name in needed):
            raise FormatError(path, "a row has too few columns", line=reader.line_num)
        rows.append((reader.line_num, row))
    return rows


def _find(root: Path, folders: Iterable[Path], name: str) -> Path | None:
    places = (root / folder / f"{name}{end}" for folder in folders for end in _VIDEOS)
    return next((place for place in places if place.is_file()), None)


def _videos(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in _VIDEOS)
