"""300-VW: videos with 68 points in every frame (Shen et al., ICCV-W 2015; method.md, 5)."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError, InputError
from facetrack.formats.mat import read_mat_vector
from facetrack.formats.picture import SUFFIXES
from facetrack.formats.pts import read_pts

Category = Literal["1", "2", "3", "train", "all"]

_FRAME_FILE: Final = re.compile(r"\d{1,9}", re.ASCII)  # without its suffix


CATEGORIES: Final[dict[str, tuple[str, ...]]] = {
    name: tuple(ids.split())
    for name, ids in {
        "1": "114 124 125 126 150 158 401 402 505 506 507 508 509 510 511 514 515 518 519 520 521 "
        "522 524 525 537 538 540 541 546 547 548",
        "2": "203 208 211 212 213 214 218 224 403 404 405 406 407 408 409 412 550 551 553",
        "3": "410 411 516 517 526 528 529 530 531 533 557 558 559 562",
        "train": "001 002 003 004 007 009 010 011 013 015 016 017 018 019 020 022 025 027 028 029 "
        "031 033 034 035 037 039 041 043 044 046 047 048 049 053 057 059 112 113 115 119 120 123 "
        "138 143 144 160 204 205 223 225",
    }.items()
}


@dataclass(frozen=True, slots=True)
class Truth:
    """The labels of one clip."""

    frames: npt.NDArray[np.int64]  # (n,), from 0, ascending; excluded ones are left out
    points: npt.NDArray[np.float64]  # (n, 68, 2), pixels, centres at integers from 0


@dataclass(frozen=True, slots=True)
class Pairing:
    """Which labels belong to which decoded frames; frames from 0."""

    truth: Truth  # of decoded frames
    labels_without_frame: tuple[int, ...]  # the decoder did not give them
    frames_without_label: tuple[int, ...]  # excluded ones are not among them
    positions: npt.NDArray[np.int64]  # in the decoded frames: the number, unless pictures lack


@dataclass(frozen=True, slots=True)
class Clip:
    """One video of the data set; frames from 0."""

    id: str  # three digits
    category: str  # "1", "2", "3" or "train"
    video: Path  # or the folder of its frames
    labels: dict[int, Path]  # .pts of each labelled frame
    excluded: frozenset[int]  # the challenge declared their labels unreliable
    pictures: tuple[int, ...] = field(default=(), repr=False)  # frames of a folder, as read

    def number(self, position: int) -> int:
        """Return the number, from 0, of a decoded frame."""
        return self.pictures[position] if self.pictures else position

    def read_truth(self) -> Truth:
        """Read all labels but the excluded ones."""
        frames = [frame for frame in sorted(self.labels) if frame not in self.excluded]
        points = np.array([read_pts(self.labels[frame]) for frame in frames], dtype=np.float64)
        return Truth(np.array(frames, dtype=np.int64), points.reshape(-1, 68, 2))

    def pair(self, n_decoded: int) -> Pairing:
        """Pair labels and decoded frames by their number; the counts may differ at the end."""
        truth = self.read_truth()
        numbers = [self.number(position) for position in range(n_decoded)]
        position_of = {number: position for position, number in enumerate(numbers)}
        decoded = np.isin(truth.frames, numbers)
        paired = Truth(truth.frames[decoded], truth.points[decoded])
        known = self.labels.keys() | self.excluded
        return Pairing(
            paired,
            tuple(truth.frames[~decoded].tolist()),
            tuple(number for number in numbers if number not in known),
            np.array([position_of[frame] for frame in paired.frames.tolist()], dtype=np.int64),
        )


def load(root: str | os.PathLike[str], *, category: Category | int = "all") -> list[Clip]:
    """List the clips of a copy of the data set in the order of the official lists.

    The folder holds `001/vid.avi` or `001/imgs/000001.jpg`, `001/annot/000001.pts` and so on. The
    frames that the challenge left out as unreliable are known; a file `extra/001.mat` with a vector
    `error`, numbered from 1, stands for what is known of its clip. "all" are the test categories.
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
    """Name the clips of a category that a copy of the data set lacks; see `load`."""
    return tuple(i for _, i in _wanted(category) if not (Path(root) / i).is_dir())


def _wanted(category: Category | int) -> list[tuple[str, str]]:
    name = str(category)
    names: Iterable[str] = ("1", "2", "3") if name == "all" else (name,)
    if name != "all" and name not in CATEGORIES:
        raise InputError(f"category must be 1, 2, 3, train or all, got {category!r}")
    return [(name, i) for name in names for i in CATEGORIES[name]]


def _load_clip(root: Path, category: str, clip_id: str) -> Clip:
    folder = root / clip_id
    video, pictures = _frames(folder)
    files = [f for f in (folder / "annot").glob("*.pts") if _FRAME_FILE.fullmatch(f.stem)]
    labels = {int(file.stem) - 1: file for file in sorted(files)}
    if not labels or min(labels) < 0:
        cause = "frames must be numbered from 1" if labels else "holds no files like 000001.pts"
        raise FormatError(folder / "annot", cause)
    listed = root / "extra" / f"{clip_id}.mat"
    excluded = _read_excluded(listed) if listed.exists() else unreliable(clip_id)
    return Clip(clip_id, category, video, labels, excluded, pictures)


def _frames(folder: Path) -> tuple[Path, tuple[int, ...]]:
    """Find the video of a clip, or the folder of its frames and their numbers from 0."""
    video, images = folder / "vid.avi", folder / "imgs"
    if video.is_file():
        return video, ()
    if not images.is_dir():
        cause = "no such file, nor a folder imgs beside it"
        raise FormatError(video, cause, remedy="restore the clip or remove its folder")
    files = [file for file in images.iterdir() if file.suffix.lower() in SUFFIXES]
    numbers = sorted(int(f.stem) - 1 for f in files if _FRAME_FILE.fullmatch(f.stem))
    if not numbers or len(set(numbers)) < len(files) or numbers[0] < 0:
        cause = "the frames must be pictures like 000001.jpg, numbered from 1, each once"
        raise FormatError(images, cause, remedy="restore the clip or remove its folder")
    return images, tuple(numbers)


def unreliable(clip_id: str) -> frozenset[int]:
    """Name the frames of a clip that the challenge left out because their labels are unreliable."""
    ends = [span.split("-") for span in _unreliable_spans().get(clip_id, "").split()]
    return frozenset(n for e in ends for n in range(int(e[0]) - 1, int(e[-1])))


@cache
def _unreliable_spans() -> dict[str, str]:
    text = files(__package__).joinpath("w300vw_unreliable.json").read_text(encoding="utf-8")
    spans: dict[str, str] = json.loads(text)["frames"]
    return spans


def _read_excluded(path: Path) -> frozenset[int]:
    """Read the unreliable frames of a clip, as numbers from 0."""
    numbers = read_mat_vector(path, "error")
    if not ((numbers >= 1) & (numbers == np.rint(numbers)) & (numbers < 1e9)).all():
        raise FormatError(path, "vector 'error' must hold whole frame numbers from 1")
    return frozenset(int(number) - 1 for number in numbers)
