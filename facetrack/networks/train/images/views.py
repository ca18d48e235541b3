"""How pictures are looked at: cut, mirrored and normalised, in training at random."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facetrack.datasets.image_classes import Bytes, Pictures
from facetrack.errors import InputError

_SCALES: Final = (0.08, 1.0)  # of the area, of a random crop
_RATIOS: Final = (3 / 4, 4 / 3)  # of its sides
_TRIES: Final = 10
_RESIZED: Final = 256 / 224  # short side against the central crop of a test

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class View:
    """How pictures become inputs of a network."""

    form: str  # "padded": small ones of one size, shifted within a border; "cropped" at random
    size: int  # pixels of an input's sides
    pad: int = 4  # border of zeros
    shrink: int = 1  # means of so many pixels in each direction are taken first
    cutout: int = 0  # side of a square that is erased
    flip: bool = True
    # of red, green and blue, as shares of 255
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    deviation: tuple[float, float, float] = (0.229, 0.224, 0.225)

    def __post_init__(self) -> None:
        if self.form not in ("padded", "cropped") or min(self.size, self.shrink) < 1:
            raise InputError(f"views are padded or cropped, sizes 1 or more; got {self}")


class PictureBatches:
    """Batches of pictures and labels on a device of torch; `threads` decode files."""

    def __init__(
        self, pictures: Pictures, view: View, device: str = "cpu", threads: int = 1
    ) -> None:
        self._view, self._device, self._threads = view, device, threads
        self.labels = torch.from_numpy(pictures.labels)
        self._pictures: Any = pictures.pictures
        if view.form == "padded":
            if not isinstance(self._pictures, np.ndarray):
                raise InputError("padded views are of pictures of one size: CIFAR, arrays")
            self._pictures = shrunk(self._pictures, view.shrink)
            if self._pictures.shape[1:3] != (view.size, view.size):
                seen = "x".join(map(str, self._pictures.shape[1:3]))
                raise InputError(f"pictures are {seen}, and not of the view's size {view.size}")
        self.count = len(self.labels)

    def plain(self, numbers: Numbers) -> tuple[Tensor, Tensor]:
        """Return inputs, (n, 3, size, size), and labels, as a test sees them."""
        if self._view.form == "padded":
            return self._normalised(self._pictures[numbers], numbers)
        return self._decoded(numbers, [None] * len(numbers))

    def augmented(self, numbers: Numbers, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Return inputs and labels, each time a little different."""
        if self._view.form == "padded":
            return self._normalised(_varied(self._pictures[numbers], self._view, rng), numbers)
        return self._decoded(numbers, rng.spawn(len(numbers)))

    def _decoded(self, numbers: Numbers, rngs: Iterable[Any]) -> tuple[Tensor, Tensor]:
        def one(number: int, rng: np.random.Generator | None) -> Bytes:
            picture = self._pictures[number]
            view = self._view
            return central(picture, view.size) if rng is None else cut(picture, view, rng)

        with ThreadPoolExecutor(self._threads) as pool:
            taken = list(pool.map(one, numbers.tolist(), rngs))
        return self._normalised(np.stack(taken), numbers)

    def _normalised(self, pictures: Bytes | Floats, numbers: Numbers) -> tuple[Tensor, Tensor]:
        x = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
        x = x.to(self._device, torch.float32) / 255
        mean, deviation = (
            torch.tensor(v, device=self._device)[:, None, None]
            for v in (self._view.mean, self._view.deviation)
        )
        return (x - mean) / deviation, self.labels[numbers].to(self._device)


def shrunk(pictures: Bytes, by: int) -> Bytes | Floats:
    """Average squares of pixels."""
    if by == 1:
        return pictures
    n, height, width, _ = pictures.shape
    parts = pictures[:, : height // by * by, : width // by * by].astype(np.float32)
    means: Floats = parts.reshape(n, height // by, by, width // by, by, 3).mean(axis=(2, 4))
    return means


def _varied(pictures: Any, view: View, rng: np.random.Generator) -> Any:
    """Shift each picture within its border, mirror half of them, erase a square."""
    n, height, width, _ = pictures.shape
    mean = 255 * np.array(view.mean)
    border = ((0, 0), (view.pad, view.pad), (view.pad, view.pad), (0, 0))
    padded = np.pad(pictures - mean.astype(np.float32), border)  # 0 is the mean: not black
    out = np.empty((n, height, width, 3), np.float32)
    tops, lefts = rng.integers(0, 2 * view.pad + 1, (2, n))
    mirrored = rng.random(n) < 0.5 * view.flip
    centres = rng.integers(0, (height, width), (n, 2))
    for i in range(n):
        one = padded[i, tops[i] : tops[i] + height, lefts[i] : lefts[i] + width]
        out[i] = one[:, ::-1] if mirrored[i] else one
        if view.cutout:
            (y, x), half = centres[i], view.cutout // 2
            out[i, max(y - half, 0) : y + half, max(x - half, 0) : x + half] = 0
    return out + mean.astype(np.float32)


def cut(picture: Bytes, view: View, rng: np.random.Generator) -> Bytes:
    """Cut a part of random size and shape (Szegedy et al., CVPR 2015), and mirror half of them."""
    height, width = picture.shape[:2]
    top = left = 0
    rows, columns = height, width
    for _ in range(_TRIES):
        area = height * width * rng.uniform(*_SCALES)
        ratio = np.exp(rng.uniform(*np.log(_RATIOS)))
        tall, wide = round(np.sqrt(area / ratio)), round(np.sqrt(area * ratio))
        if 0 < tall <= height and 0 < wide <= width:
            rows, columns = tall, wide
            top, left = rng.integers(height - tall + 1), rng.integers(width - wide + 1)
            break
    else:
        rows = columns = min(height, width)
        top, left = (height - rows) // 2, (width - columns) // 2
    part = picture[top : top + rows, left : left + columns]
    resized: Any = cv2.resize(part, (view.size, view.size), interpolation=cv2.INTER_LINEAR)
    mirrored: Bytes = resized[:, ::-1] if view.flip and rng.random() < 0.5 else resized
    return mirrored


def with_short_side(picture: Bytes, short: int) -> Any:
    """Scale a picture so that its short side has a length."""
    height, width = picture.shape[:2]
    factor = short / min(height, width)
    size = max(round(width * factor), short), max(round(height * factor), short)
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return cv2.resize(picture, size, interpolation=how)


def central(picture: Bytes, size: int) -> Bytes:
    """Bring the short side to 256 / 224 of a size, and cut the centre."""
    resized = with_short_side(picture, round(size * _RESIZED))
    top, left = (resized.shape[0] - size) // 2, (resized.shape[1] - size) // 2
    centre: Bytes = resized[top : top + size, left : left + size]
    return centre
