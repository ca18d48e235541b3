# SPDX-License-Identifier: GPL-3.0-or-later
"""Which predictions belong to which truth, and to which picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facetrack.errors import InputError

VIDEO_SUFFIXES: Final = (".avi", ".mp4", ".mkv", ".mov", ".webm")


@dataclass(frozen=True, slots=True)
class Pair:
    """Predictions and truth of one video or folder of pictures."""

    name: str
    predictions: Path
    truth: Path


def find_pairs(predictions: Path, truth: Path) -> list[Pair]:
    """Pair predictions with truths."""
    annotated = sorted(truth.glob("*/annot")) if truth.is_dir() else []
    if not annotated:
        return [Pair(truth.stem, predictions, truth)]
    pairs = []
    for folder in annotated:
        name = folder.parent.name
        candidates = (f"{name}.csv", f"{name}.npz", f"{name}/annot", name, f"{name}-pts/face_0")
        found = [predictions / c for c in candidates if (predictions / c).exists()]
        if found:
            pairs.append(Pair(name, found[0], folder))
    if not pairs:
        raise InputError(
            f"nothing pairs: {predictions} holds nothing named as the folders of {truth}, such as "
            f"{annotated[0].parent.name}.csv"
        )
    return pairs


def common_pairs(
    predictions: Sequence[Path], truth: Path
) -> tuple[list[tuple[Pair, ...]], list[str]]:
    """Pair several predictions with the same truths."""
    found = [{pair.name: pair for pair in find_pairs(one, truth)} for one in predictions]
    shared = [name for name in found[0] if all(name in one for one in found)]
    if not shared:
        raise InputError(f"nothing pairs: no video of {truth} is in all of the predictions")
    left_out = sorted({name for one in found for name in one} - set(shared))
    notes = [f"left out, since one of the predictions lacks it: {name}" for name in left_out]
    return [tuple(one[name] for one in found) for name in shared], notes


def picture_of(pair: Pair, key: str | int) -> tuple[Path, int | None] | None:
    """Find the picture, or the video and the frame's number, that a frame's truth belongs to."""
    truth = pair.truth
    if isinstance(key, str):
        found = [p for p in truth.glob(f"{key}.*") if p.suffix.lower() != ".pts"]
        return (found[0], None) if found else None
    folder = truth.parent
    stems = ("vid", pair.name, truth.stem)
    for stem in stems:
        for suffix in VIDEO_SUFFIXES:
            if (folder / f"{stem}{suffix}").exists():
                return folder / f"{stem}{suffix}", key
    return None
