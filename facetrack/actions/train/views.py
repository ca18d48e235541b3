"""From clips on disk to what a network sees: which frames, at which size, which part of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facetrack.actions.sampling import Indices, segments, stretches
from facetrack.errors import InputError
from facetrack.networks.train.images.views import with_short_side
from facetrack.opening import open_seekable

# Of ImageNet's pictures, RGB in [0, 1].
_MEAN: Final = np.array([0.485, 0.456, 0.406], dtype=np.float32)
_DEVIATION: Final = np.array([0.229, 0.224, 0.225], dtype=np.float32)
SAMPLINGS: Final = ("segments", "stretch")

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class View:
    """How clips are looked at."""

    sampling: str  # one frame of each of equal parts ("segments"), or neighbouring ones ("stretch")
    frames: int
    every: int = 1  # distance of the frames of a stretch
    size: int = 224  # side of the square that the network sees, pixels
    # shortest and longest short side of frames in training; the shortest in tests
    short: tuple[int, int] = (256, 320)
    flip: bool = True  # mirrored clips are of the same class: not where classes know left and right
    clips: int = 1  # of one clip in tests: stretches, or segments drawn anew
    crops: int = 1  # 1 or 3 squares of each

    def __post_init__(self) -> None:
        if self.sampling not in SAMPLINGS or self.crops not in (1, 3):
            raise InputError(f"frames are sampled by {', '.join(SAMPLINGS)}; crops are 1 or 3")
        if self.size > self.short[0] or min(self.frames, self.every, self.clips) < 1:
            raise InputError(f"a view of {self.size} px needs longer short sides: {self.short}")


def training_view(path: Path, view: View, rng: np.random.Generator) -> Tensor:
    """Take one random view of a clip (a video or a folder of frames), (3, frames, size, size).

    RGB, standardised as ImageNet's pictures.
    """
    short = int(rng.integers(view.short[0], view.short[1] + 1))
    (taken,) = _take(path, view, 1, short, rng)
    height, width = taken.shape[1:3]
    top, left = (int(rng.integers(0, side - view.size + 1)) for side in (height, width))
    crop = taken[:, top : top + view.size, left : left + view.size]
    return _tensor(crop[:, :, ::-1] if view.flip and rng.random() < 0.5 else crop)


def views_of_test(path: Path, view: View) -> Tensor:
    """Take all views of a clip that are averaged in tests, (clips * crops, 3, frames, size, size).

    See `training_view`.
    """
    views = []
    for taken in _take(path, view, view.clips, view.short[0], None):
        height, width = taken.shape[1:3]
        room = np.array([height - view.size, width - view.size])
        for share in (0.5,) if view.crops == 1 else (0.0, 0.5, 1.0):
            along = np.where(room == room.max(), share, 0.5)
            top, left = (room * along).astype(int).tolist()
            views.append(_tensor(taken[:, top : top + view.size, left : left + view.size]))
    return torch.stack(views)


def _take(
    path: Path, view: View, clips: int, short: int, rng: np.random.Generator | None
) -> list[Image]:
    """Read frames of some clips of a video, each (frames, H, W, 3), RGB, by their short side."""
    video = open_seekable(path)
    try:
        chosen = _chosen(video.n_frames, view, clips, rng)
        numbers = np.unique(chosen).tolist()
        read = {i: with_short_side(video.frame(i).image, short)[..., ::-1] for i in numbers}
    finally:
        video.close()
    return [np.stack([read[i] for i in indices]) for indices in chosen.tolist()]


def _chosen(n_frames: int, view: View, clips: int, rng: np.random.Generator | None) -> Indices:
    if view.sampling == "stretch":
        return stretches(n_frames, view.frames, view.every, clips, rng)
    if clips == 1 or rng is not None:
        return np.stack([segments(n_frames, view.frames, rng) for _ in range(clips)])
    draws = (np.random.default_rng(i) for i in range(clips))  # the same ones in every test
    return np.stack([segments(n_frames, view.frames, draw) for draw in draws])


def _tensor(frames: Image) -> Tensor:
    scaled = (frames.astype(np.float32) / 255 - _MEAN) / _DEVIATION
    return torch.from_numpy(np.ascontiguousarray(scaled.transpose(3, 0, 1, 2)))
