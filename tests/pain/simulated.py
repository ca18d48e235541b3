"""Frames of people who were made up: a latent score, and features that show it in part."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facetrack.landmarks.markup import MARKUPS
from facetrack.model import load_model
from facetrack.pain.frames import Frames
from facetrack.pain.geometry import unit_shape

Floats = npt.NDArray[np.float64]

STEP = 1 / 15
MEAN = unit_shape(load_model().shape_model.mean)
HOG, DEEP = 40, 24
_DRIFTS = 8


def _latent(frames: int, rng: np.random.Generator) -> Floats:
    """Give a score over time: nothing, with some episodes."""
    found = np.zeros(frames)
    for _ in range(rng.integers(1, 3)):
        start, length, height = (
            rng.integers(0, frames - 20),
            rng.integers(12, 25),
            rng.uniform(2, 9),
        )
        found[start : start + length] += height * np.hanning(length)[: frames - start]
    return found


def _drift(frames: int, rng: np.random.Generator) -> Floats:
    """Give what else moves slowly, such as the head: by it a frame is like its neighbours."""
    t = np.arange(frames)[:, None] * STEP
    return np.asarray(np.sin(rng.uniform(0.5, 2, _DRIFTS) * t + rng.uniform(0, 6, _DRIFTS)))


def simulate(subjects: int, *, sequences: int = 3, frames: int = 60, seed: int = 0) -> Frames:
    """Make frames up.

    Every source shows the score in its own directions, by how much differs from person to person;
    noise, a person's own look and slow movements lie over it.
    """
    rng = np.random.default_rng(seed)
    sizes = {"shape": 98, "hog": HOG, "deep": DEEP}
    shown = {source: rng.normal(0, 1, size) / 3 for source, size in sizes.items()}
    moved = {source: rng.normal(0, 0.5, (_DRIFTS, size)) for source, size in sizes.items()}
    who: list[npt.NDArray[np.str_]] = []
    numbers: list[npt.NDArray[np.intp]] = []
    times, labels = [], []
    values: dict[str, list[Floats]] = {source: [] for source in sizes}
    for subject in range(subjects):
        look = {source: rng.normal(0, 0.5, size) for source, size in sizes.items()}
        gain = rng.uniform(0.8, 1.2)
        for _ in range(sequences):
            latent = _latent(frames, rng)
            drift = _drift(frames, rng)
            for source, size in sizes.items():
                noise = rng.normal(0, 0.2, (frames, size))
                found = np.outer(gain * latent, shown[source]) + drift @ moved[source]
                values[source].append(found + look[source] + noise)
            who.append(np.full(frames, f"9{subject:02d}-sy{subject:03d}"))
            numbers.append(np.full(frames, len(numbers)))
            times.append(np.arange(frames) * STEP)
            labels.append(np.round(latent))
    whole = {source: np.concatenate(parts) for source, parts in values.items()}
    points = MEAN[list(MARKUPS[49])].ravel() + 0.02 * whole["shape"]
    return Frames(
        np.concatenate(who),
        np.concatenate(numbers),
        np.concatenate(times),
        np.concatenate(labels),
        np.full((sum(map(len, labels)), 6), np.nan),
        {"shape": points, "hog": whole["hog"].astype(np.float16), "deep": whole["deep"]},
    )


def shuffled(frames: Frames, seed: int = 0) -> Frames:
    """Give every sequence the labels of another one; all are of one length."""
    count = len(np.unique(frames.sequences))
    labels = frames.labels.reshape(count, -1)
    order = np.random.default_rng(seed).permutation(count)
    return Frames(
        frames.subjects,
        frames.sequences,
        frames.times,
        labels[order].ravel(),
        frames.units,
        frames.values,
    )
