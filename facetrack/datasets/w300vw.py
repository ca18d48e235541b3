"""300-VW: videos with 68 points in every frame (Shen et al., ICCV-W 2015; method.md, 5)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError, InputError
from facetrack.formats.mat import read_mat_vector
from facetrack.formats.pts import read_pts

Category = Literal["1", "2", "3", "train", "all"]

_FRAME_FILE: Final = re.compile(r"\d{1,9}\.pts", re.ASCII)


def _ids(text: str) -> tuple[str, ...]:
    return tuple(text.split())


CATEGORIES: Final[dict[str, tuple[str, ...]]] = {
    "1": _ids(
        "114 124 125 126 150 158 401 402 505 506 507 508 509 510 511 514 515 518 519 520 521 522 "
        "524 525 537 538 540 541 546 547 548"
    ),
    "2": _ids("203 208 211 212 213 214 218 224 403 404 405 406 407 408 409 412 550 551 553"),
    "3": _ids("410 411 516 517 526 528 529 530 531 533 557 558 559 562"),
    "train": _ids(
        "001 002 003 004 007 009 010 011 013 015 016 017 018 019 020 022 025 027 028 029 031 033 "
        "034 035 037 039 041 043 044 046 047 048 049 053 057 059 112 113 115 119 120 123 138 143 "
        "144 160 204 205 223 225"
    ),
}


@dataclass(frozen=True, slots=True)
class Truth:
    """The labels of one clip.

    Attributes
    ----------
    frames : ndarray, shape (n,), int64
        Numbers of the labelled frames from 0, ascending; excluded ones are left out.
    points : ndarray, shape (n, 68, 2), float64
        Landmarks (x, y) in pixels, pixel centres at integers from 0.
    """

    frames: npt.NDArray[np.int64]
    points: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pairing:
    """Which labels belong to which decoded frames.

    Attributes
    ----------
    truth : Truth
        The labels of frames that were decoded.
    labels_without_frame : tuple of int
        Labelled frames, from 0, that the decoder did not give.
    frames_without_label : tuple of int
        Decoded frames, from 0, without a label; excluded ones are not among them.
    """

    truth: Truth
    labels_without_frame: tuple[int, ...]
    frames_without_label: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Clip:
    """One video of the data set.

    Attributes
    ----------
    id : str
        Three digits.
    category : str
        "1", "2", "3" or "train".
    video : Path
        The video.
    labels : dict of int to Path
        The .pts file of each labelled frame, numbered from 0.
    excluded : frozenset of int
        Frames, from 0, whose label the challenge declared unreliable.
    """

    id: str
    category: str
    video: Path
    labels: dict[int, Path]
    excluded: frozenset[int]

    def read_truth(self) -> Truth:
        """Read all labels but the excluded ones.

        Returns
        -------
        Truth

        Raises
        ------
        FormatError
            If a .pts file is broken.
        """
        frames = [frame for frame in sorted(self.labels) if frame not in self.excluded]
        points = np.array([read_pts(self.labels[frame]) for frame in frames], dtype=np.float64)
        return Truth(np.array(frames, dtype=np.int64), points.reshape(-1, 68, 2))

    def pair(self, n_decoded: int) -> Pairing:
        """Pair labels and decoded frames by their number; the counts may differ at the end.

        Parameters
        ----------
        n_decoded : int
            Number of frames that the decoder gave, decoding from the start.

        Returns
        -------
        Pairing

        Raises
        ------
        FormatError
            If a .pts file is broken.
        """
        truth = self.read_truth()
        decoded = truth.frames < n_decoded
        known = self.labels.keys() | self.excluded
        return Pairing(
            Truth(truth.frames[decoded], truth.points[decoded]),
            tuple(truth.frames[~decoded].tolist()),
            tuple(frame for frame in range(n_decoded) if frame not in known),
        )


def load(root: str | os.PathLike[str], *, category: Category | int = "all") -> list[Clip]:
    """List the clips of a copy of the data set.

    Parameters
    ----------
    root : path-like
        The folder with `001/vid.avi`, `001/annot/000001.pts` and so on; unreliable frames in
        `extra/001.mat`, vector `error`, numbered from 1.
    category : {"1", "2", "3", "train", "all"} or int
        "all" are the three test categories together.

    Returns
    -------
    list of Clip
        In the order of the official lists; clips that are not there are left out:
        `missing_clips` names them.

    Raises
    ------
    InputError
        If there is no such category.
    FormatError
        If no clip is there, or one lacks its video or its labels, or its list of unreliable
        frames is broken.
    """
    folder = Path(root)
    wanted = _wanted(category)
    clips = [_load_clip(folder, name, i) for name, i in wanted if (folder / i).is_dir()]
    if not clips:
        cause = f"none of the {len(wanted)} clips of category {category} is there"
        raise FormatError(folder, cause, remedy=f"folders such as {wanted[0][1]} are expected")
    return clips


def missing_clips(
    root: str | os.PathLike[str], *, category: Category | int = "all"
) -> tuple[str, ...]:
    """Name the clips of a category that a copy of the data set lacks.

    Parameters
    ----------
    root : path-like
        As for `load`.
    category : {"1", "2", "3", "train", "all"} or int
        As for `load`.

    Returns
    -------
    tuple of str
        Their ids; a report names them beside its figures.

    Raises
    ------
    InputError
        If there is no such category.
    """
    return tuple(i for _, i in _wanted(category) if not (Path(root) / i).is_dir())


def _wanted(category: Category | int) -> list[tuple[str, str]]:
    name = str(category)
    names: Iterable[str] = ("1", "2", "3") if name == "all" else (name,)
    if name != "all" and name not in CATEGORIES:
        raise InputError(f"category must be 1, 2, 3, train or all, got {category!r}")
    return [(name, i) for name in names for i in CATEGORIES[name]]


def _load_clip(root: Path, category: str, clip_id: str) -> Clip:
    folder = root / clip_id
    video = folder / "vid.avi"
    if not video.is_file():
        raise FormatError(video, "no such file", remedy="restore the clip or remove its folder")
    files = [f for f in (folder / "annot").glob("*.pts") if _FRAME_FILE.fullmatch(f.name)]
    labels = {int(file.stem) - 1: file for file in sorted(files)}
    if not labels or min(labels) < 0:
        cause = "frames must be numbered from 1" if labels else "holds no files like 000001.pts"
        raise FormatError(folder / "annot", cause)
    return Clip(clip_id, category, video, labels, _read_excluded(root / "extra" / f"{clip_id}.mat"))


def _read_excluded(path: Path) -> frozenset[int]:
    """Read the unreliable frames of a clip, as numbers from 0; most clips have no list."""
    if not path.exists():
        return frozenset()
    numbers = read_mat_vector(path, "error")
    if not ((numbers >= 1) & (numbers == np.rint(numbers)) & (numbers < 1e9)).all():
        raise FormatError(path, "vector 'error' must hold whole frame numbers from 1")
    return frozenset(int(number) - 1 for number in numbers)
