"""Expression channels of another program, named as ARKit names them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError, InputError
from facetrack.formats.npz import read_whole_npz


def read_picture_channels(
    path: str | os.PathLike[str], channels: Sequence[str]
) -> dict[str, npt.NDArray[np.float64]]:
    """Read channels by picture, in [0, 1]; NaN without a face."""
    # .npz with `names` (n,), `scores` (n, c) and `categories` (c,).
    arrays = read_whole_npz(path)
    columns, known = _columns(path, arrays, channels)
    names, scores = arrays.get("names"), arrays.get("scores")
    if names is None or scores is None or scores.shape != (len(names), known):
        raise FormatError(path, f"names and scores are not of n and n x {known} entries")
    chosen = scores.astype(np.float64)[:, columns]
    return {str(name): score for name, score in zip(names, chosen, strict=True)}


def read_clip_channels(
    path: str | os.PathLike[str], channels: Sequence[str]
) -> dict[str, npt.NDArray[np.float64]]:
    """Read channels by clip, (frames, len(channels)); NaN without a face."""
    # .npz with `categories` (c,), and an array (frames, c) for each clip.
    arrays = read_whole_npz(path)
    columns, known = _columns(path, arrays, channels)
    wrong = [clip for clip, a in arrays.items() if a.ndim != 2 or a.shape[1] != known]
    if wrong:
        raise FormatError(path, f"{wrong[0]!r} has no {known} channels a frame")
    return {clip: scores.astype(np.float64)[:, columns] for clip, scores in arrays.items()}


def mirrored_channels(channels: Sequence[str]) -> list[str]:
    """Name the channels of the mirrored face, in the same order."""
    swap = {"Left": "Right", "Right": "Left"}
    return [
        next((name.removesuffix(side) + swap[side] for side in swap if name.endswith(side)), name)
        for name in channels
    ]


def _columns(
    path: str | os.PathLike[str], arrays: dict[str, npt.NDArray[Any]], wanted: Sequence[str]
) -> tuple[list[int], int]:
    """Take the categories out; return where the wanted ones stand, and how many there are."""
    if "categories" not in arrays:
        raise FormatError(path, "the array 'categories' with the channels' names is missing")
    known = [str(name) for name in arrays.pop("categories")]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise InputError(f"{path}: has no channel {unknown[0]!r}; it has {', '.join(known)}")
    return [known.index(name) for name in wanted], len(known)
