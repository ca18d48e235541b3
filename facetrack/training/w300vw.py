"""The training clips of 300-VW: labelled frames as pictures, neighbouring ones as real motion."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.datasets.w300vw import CATEGORIES, Clip, Truth, load
from facetrack.errors import FormatError, InputError
from facetrack.opening import open_source
from facetrack.video.images import ImageFolder

Grey = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]

EVERY: Final = 50  # labelled frames: 1,900 pictures of the challenge's 95,192 frames
_MARGIN: Final = 0.5  # of the face's size, on each side: what is kept of a frame
_WIDEST: Final = 230  # px: wider faces are shrunk, as pictures of 300-W come
_CALIBRATES: Final = 5  # every so manieth clip, where no other pairs calibrate


@dataclass(frozen=True, slots=True)
class ClipFrame:
    """A labelled frame, cut out around its face."""

    name: str  # the clip's and the frame's number; of a pair they end in `_a` and `_b`
    points: Points  # (68, 2) in pixels of the picture; without one, of the frame
    grey: Grey | None = None

    def read_grey(self) -> Grey:
        """Return the picture, shape (H, W), uint8."""
        assert self.grey is not None  # pairs that give their motion alone are not looked at
        return self.grey


@dataclass(frozen=True, slots=True)
class ClipFrames:
    """What training takes from clips."""

    pictures: tuple[ClipFrame, ...]
    pairs: tuple[ClipFrame, ...]  # neighbouring frames, `NAME_a` and `NAME_b`, with points alone
    calibration: tuple[ClipFrame, ...]  # of people whom `pictures` do not show
    unreliable: int  # labelled frames that the challenge left out


def training_clips(root: str | os.PathLike[str], ids: Sequence[str] = ()) -> list[Clip]:
    """List the clips of 300-VW, or of one clip's folder, from which models may be trained.

    Raises InputError if one of `ids` belongs to the test or to nothing, FormatError if it is not
    there.
    """
    folder = Path(root)
    if (folder / "annot").is_dir():
        folder, ids = folder.parent, [*ids, folder.resolve().name]
    for clip_id in ids:
        refuse_test_clip(clip_id)
        if clip_id not in CATEGORIES["train"]:
            raise InputError(f"300-VW has no clip {clip_id!r}; clips are named like 001")
        if not (folder / clip_id).is_dir():
            raise FormatError(folder, f"clip {clip_id} is not there")
    if not ids and not any((folder / i).is_dir() for i in CATEGORIES["train"]):
        there = test_clips(folder)
        if there:
            raise InputError(
                f"{folder}: holds test clips alone ({' '.join(there)}), which training must not see"
            )
    return [clip for clip in load(folder, category="train") if not ids or clip.id in ids]


def test_clips(root: Path) -> list[str]:
    """Name the test clips that a copy of 300-VW holds."""
    ids = (i for category in ("1", "2", "3") for i in CATEGORIES[category])
    return [i for i in ids if (root / i).is_dir()]


def refuse_test_clip(clip_id: str) -> None:
    """Refuse a clip that models are tested on."""
    for category in ("1", "2", "3"):
        if clip_id in CATEGORIES[category]:
            raise InputError(
                f"{clip_id} is a test clip of 300-VW (category {category}), which training must "
                f"not see; training clips are {' '.join(CATEGORIES['train'][:3])} ..."
            )


def refuse_test_folder(folder: Path) -> None:
    """Refuse pictures that lie in a clip that models are tested on."""
    for place in (folder.absolute(), folder.absolute().parent):
        if (place / "annot").is_dir():
            refuse_test_clip(place.name)


def read_frames(clips: Sequence[Clip], *, every: int = EVERY, calibrate: bool) -> ClipFrames:
    """Read each `every`-th reliable labelled frame as a picture, and pairs half-way between them.

    With `calibrate` each fifth clip gives no picture to learn from and its pairs calibrate instead.
    Raises InputError, FormatError, VideoError.
    """
    if every < 2:
        raise InputError(f"of 300-VW every second frame is the most, got every {every}")
    if calibrate and len(clips) < 2:
        raise InputError("a single clip of 300-VW cannot calibrate the fit quality as well")
    pictures, pairs, calibration = list[ClipFrame](), list[ClipFrame](), list[ClipFrame]()
    for position, clip in enumerate(clips, start=1):
        truth = clip.read_truth()
        neighbours = _neighbours(clip, truth, every)
        pairs += neighbours.values()
        if calibrate and (position % _CALIBRATES == 0 or position == len(clips) < _CALIBRATES):
            calibration += _cut_out(clip, neighbours)
        else:
            chosen = zip(truth.frames[::every].tolist(), truth.points[::every], strict=True)
            pictures += _cut_out(
                clip, {n: ClipFrame(f"{clip.id}-{n + 1:06}", points) for n, points in chosen}
            )
    unreliable = sum(len(clip.excluded & clip.labels.keys()) for clip in clips)
    return ClipFrames(tuple(pictures), tuple(pairs), tuple(calibration), unreliable)


def _neighbours(clip: Clip, truth: Truth, every: int) -> dict[int, ClipFrame]:
    """Take frames half-way between the pictures, each with the next one where it is labelled."""
    pairs = {}
    numbers = truth.frames.tolist()
    for k in range(every // 2, len(numbers) - 1, every):
        if numbers[k + 1] == numbers[k] + 1:
            name = f"{clip.id}-{numbers[k] + 1:06}"
            pairs[numbers[k]] = ClipFrame(f"{name}_a", truth.points[k])
            pairs[numbers[k + 1]] = ClipFrame(f"{name}_b", truth.points[k + 1])
    return pairs


def _cut_out(clip: Clip, frames: Mapping[int, ClipFrame]) -> list[ClipFrame]:
    """Give frames their pictures; what the decoder does not give is left out."""
    found = []
    for number, grey in _greys(clip, frames.keys()):
        cut = _around(grey, frames[number].points)
        if cut is not None:
            found.append(replace(frames[number], grey=cut[0], points=cut[1]))
    return found


def _greys(clip: Clip, numbers: Set[int]) -> Iterator[tuple[int, Grey]]:
    """Decode frames of a clip, each as grey values."""
    with open_source(clip.video) as source:
        if isinstance(source, ImageFolder):
            for position, number in enumerate(clip.pictures):
                if number in numbers:
                    yield number, source.read(position).grey
            return
        for frame in source:
            if frame.index in numbers:
                yield frame.index, frame.grey


def _around(grey: Grey, points: Points) -> tuple[Grey, Points] | None:
    """Cut the face out with a margin, no wider than training needs; None where there is none."""
    low, high = points.min(axis=0), points.max(axis=0)
    size = np.array([grey.shape[1], grey.shape[0]])
    margin = _MARGIN * (high - low)
    left, top = np.clip(np.floor(low - margin), 0, size).astype(int).tolist()
    right, bottom = np.clip(np.ceil(high + margin) + 1, 0, size).astype(int).tolist()
    if right - left < 2 or bottom - top < 2:
        return None
    cut, moved = grey[top:bottom, left:right], points - (left, top)
    factor = min(1.0, _WIDEST / float(high[0] - low[0]))
    if factor == 1:
        return np.ascontiguousarray(cut), moved
    to = (max(1, round(cut.shape[1] * factor)), max(1, round(cut.shape[0] * factor)))
    small = np.asarray(cv2.resize(cut, to, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    exact = np.array(to) / (cut.shape[1], cut.shape[0])
    return small, (moved + 0.5) * exact - 0.5
