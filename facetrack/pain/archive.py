"""Reading the UNBC-McMaster shoulder pain archive, or a corpus in its layout.

Images/SUBJECT/SEQUENCE/SEQUENCE001.png
AAM_landmarks/SUBJECT/SEQUENCE/SEQUENCE001_aam.txt
Frame_Labels/PSPI/SUBJECT/SEQUENCE/SEQUENCE001_facs.txt
Frame_Labels/FACS/SUBJECT/SEQUENCE/SEQUENCE001_facs.txt
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError, VideoError
from facetrack.face import read_only_points
from facetrack.formats.picture import picture_size, read_grey
from facetrack.formats.textfile import read_text
from facetrack.landmarks.markup import MARKUPS
from facetrack.pain.archive_folders import FrameFiles, find_folders, frame_files, sequences
from facetrack.pain.pspi import CLOSED_EYES, MAX_PSPI, pspi

Points = npt.NDArray[np.float64]
T = TypeVar("T")

DESCRIPTION: Final = "synthetic.json"  # in the folder of a corpus that was made
_MAX_BYTES: Final = 1 << 16
_MAX_DESCRIPTION: Final = 1 << 28
_INNER: Final = ((60, 48, (61, 67)), (64, 54, (63, 65)))  # inner corner, outer one, next ones
_INNER_AT: Final = 0.2  # its median place between them in 2811 annotated faces
_SMALL_FILE: Final = 4096  # bytes: photographs take more
_BLACK: Final = 8  # grey value
_STRONGEST: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class ArchiveFrame:
    """One frame with its labels."""

    number: int  # of the files' names
    image: Path  # missing or useless only where `problem` says so
    pspi: float  # of the PSPI file, 0 to 16; NaN where `problem` says that it cannot be read
    units: Mapping[int, float] | None  # by action unit; None: no FACS file, still assessable
    points: Points | None  # (68, 2) pixels as the file says, top left at 0; see `_read_points`
    problem: str = ""  # why the frame cannot be assessed


@dataclass(frozen=True, slots=True, eq=False)
class ArchiveSequence:
    """One film of one person; frames by number, of which some may be missing."""

    subject: str
    name: str
    frames: tuple[ArchiveFrame, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Archive:
    """What a folder holds."""

    root: Path
    sequences: tuple[ArchiveSequence, ...]  # by subject and name
    problems: tuple[str, ...]  # one line each, beginning with the file or folder
    disagreements: tuple[str, ...]  # action units make another score than the file, which counts
    frame_rate: float | None  # frames per second, where the corpus says it: one that was made does

    @property
    def subjects(self) -> tuple[str, ...]:
        """Who is in it, sorted; also those of whom no frame can be assessed."""
        return tuple(sorted({sequence.subject for sequence in self.sequences}))


def read_archive(root: str | os.PathLike[str]) -> Archive:
    """Read all labels and landmarks, and of the images what tells whether they can be used.

    The four folders are found under any of the names that are in circulation, also nested up to
    three levels deep (Lucey, Cohn, Prkachin, Solomon and Matthews, Painful data: the UNBC-McMaster
    shoulder pain expression archive database, FG 2011).
    """
    reader = _Reader(find_folders(root))
    found = tuple(reader.sequence(*names) for names in sequences(reader.folders))
    for subject in sorted({sequence.subject for sequence in found}):
        frames = [frame for s in found if s.subject == subject for frame in s.frames]
        if all(frame.problem for frame in frames):
            why = f"; the first: {frames[0].problem}" if frames else ""
            reader.problems.append(f"{subject}: none of its {len(frames)} frames can be used{why}")
    if reader.unrated:
        reader.problems.append(
            f"{reader.folders['facs']}: action unit 43 without intensity in {reader.unrated} "
            "frames; counted as present"
        )
    return Archive(
        Path(root), found, tuple(reader.problems), tuple(reader.disagreements), _frame_rate(root)
    )


class _Reader:
    """Reads sequences and notes what is wrong on the way."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self.folders = folders
        self.problems: list[str] = []
        self.disagreements: list[str] = []
        self.unrated = 0  # frames with action unit 43 and no intensity

    def sequence(self, subject: str, name: str) -> ArchiveSequence:
        files: dict[str, FrameFiles] = {}
        for kind, folder in self.folders.items():
            files[kind] = frame_files(folder / subject / name)
            self.problems.extend(files[kind].problems)
        numbers = sorted(set().union(*(found.by_number for found in files.values())))
        frames = [self._frame(subject, name, number, files) for number in numbers]
        return ArchiveSequence(subject, name, tuple(self._fitting(frames, files["landmarks"])))

    def _frame(
        self, subject: str, name: str, number: int, files: Mapping[str, FrameFiles]
    ) -> ArchiveFrame:
        problems: list[str] = []  # those that keep the frame from being assessed

        def read(kind: str, reader: Callable[[Path], T], notes: list[str]) -> T | None:
            path = files[kind].by_number.get(number)
            try:
                if path is None:
                    place = self.folders[kind] / subject / name
                    raise FormatError(place, f"no file of frame {number}")
                return reader(path)
            except FormatError as error:
                notes.append(str(error))
                return None

        score = read("pspi", _read_score, problems)
        points = read("landmarks", _read_points, problems)
        image = read("images", _checked_picture, problems)
        units = read("facs", self._units, self.problems)
        self.problems.extend(problems)
        if score is not None and units is not None and pspi(units) != score:
            self.disagreements.append(
                f"{files['pspi'].by_number[number]}: says {score:g}, its action units make "
                f"{float(pspi(units)):g}"
            )
        return ArchiveFrame(
            number,
            image or files["images"].by_number.get(number, Path()),
            np.nan if score is None else score,
            None if units is None else MappingProxyType(units),
            points,
            problems[0] if problems else "",
        )

    def _units(self, path: Path) -> dict[int, float]:
        """Read rows of action unit and intensity; an empty file says that there is none."""
        units: dict[int, float] = {}
        for unit, *rest in _numbers(path):
            intensity = rest[0] if rest and np.isfinite(rest[0]) else 0.0
            if unit == CLOSED_EYES:  # listed is closed, whatever the intensity
                self.unrated += intensity == 0
                intensity = 1.0
            if not (unit.is_integer() and 0 <= intensity <= _STRONGEST):
                raise FormatError(
                    path, f"action unit {unit:g} has the intensity {intensity:g}, 0 to 5 expected"
                )
            units[int(unit)] = max(intensity, units.get(int(unit), 0.0))
        return units

    def _fitting(self, frames: list[ArchiveFrame], files: FrameFiles) -> list[ArchiveFrame]:
        """Mark frames whose landmarks are those of pictures of another size."""
        usable = [frame for frame in frames if not frame.problem]
        if not usable:
            return frames
        size = np.array(picture_size(usable[0].image))
        points = np.stack([frame.points for frame in usable if frame.points is not None])
        inside = float(((points >= 0) & (points < size)).all(axis=2).mean())
        reach = points.reshape(-1, 2).max(axis=0) / size
        if inside > 0.75 and reach.max() > 0.5:
            return frames
        width, height = size.tolist()
        problem = (
            f"{files.by_number[usable[0].number].parent}: the landmarks reach to "
            f"({reach[0] * width:.0f}, {reach[1] * height:.0f}) and do not fit pictures of "
            f"{width} x {height}; these are of another size than the archive's"
        )
        self.problems.append(problem)
        return [frame if frame.problem else replace(frame, problem=problem) for frame in frames]


def _numbers(path: Path) -> list[list[float]]:
    """Read the numbers of every line that is not empty."""
    rows = []
    for line, text in enumerate(read_text(path, limit=_MAX_BYTES).split("\n"), start=1):
        try:
            if "_" in text:  # Python's way to group digits
                raise ValueError(f"could not convert string to float: {text.strip()!r:.40}")
            row = [float(word) for word in text.split()]
        except ValueError as error:
            raise FormatError(path, f"a number expected, {error}", line=line) from error
        if row:
            rows.append(row)
    return rows


def _read_score(path: Path) -> float:
    rows = _numbers(path)
    if len(rows) != 1 or len(rows[0]) != 1:
        raise FormatError(path, f"{sum(map(len, rows))} numbers, one expected")
    (score,) = rows[0]
    if not (0 <= score <= MAX_PSPI and score.is_integer()):
        raise FormatError(
            path, f"a score of {score:g}, a whole number from 0 to {MAX_PSPI} expected"
        )
    return score


def _read_points(path: Path) -> Points:
    rows = _numbers(path)
    if len(rows) != 66 or {len(row) for row in rows} != {2}:
        raise FormatError(path, f"{len(rows)} points, 66 of x and y expected")
    if not np.isfinite(rows).all():
        raise FormatError(path, "some points are nan")
    points = np.empty((68, 2))
    points[list(MARKUPS[66])] = rows
    for inner, outer, beside in _INNER:
        points[inner] = points[outer] + _INNER_AT * (points[list(beside)].mean(0) - points[outer])
    return read_only_points(points)


def _checked_picture(path: Path) -> Path:
    """Find pictures that are black or empty, which take few bytes; others are not decoded."""
    try:
        small = path.stat().st_size < _SMALL_FILE
    except OSError as error:
        raise FormatError(path, f"cannot be read ({error.strerror})") from error
    if small and read_grey(path).max() < _BLACK:
        raise VideoError(path, "the picture is black")
    return path


def _frame_rate(root: str | os.PathLike[str]) -> float | None:
    path = Path(root) / DESCRIPTION
    if not path.is_file():
        return None
    try:
        return float(json.loads(read_text(path, limit=_MAX_DESCRIPTION))["frame_rate"])
    except (ValueError, TypeError, LookupError) as error:
        raise FormatError(path, f"no frame rate ({error})") from error
