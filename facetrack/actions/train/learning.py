"""From a folder of acted looks to a recogniser's file, measured on people who were set aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from facetrack.actions.classes import CLASSES, SYNTHETIC_ONLY
from facetrack.actions.films import read_films
from facetrack.actions.recogniser import Recogniser
from facetrack.actions.train.bank import ActionNetwork
from facetrack.actions.train.faces import Clips, recogniser_of, together, train, windows
from facetrack.errors import InputError
from facetrack.networks.train.fitting import Report, Schedule
from facetrack.version import installed_version

CHECKPOINT: Final = "recogniser.npz"
_THRESHOLD: Final = 0.5


def learn(
    folder: Path,
    work: Path,
    *,
    name: str,
    more: Sequence[Clips] = (),
    terms: str = "",
    offered: Sequence[str] = (),
    epochs: int = 16,
    seed: int = 0,
    report: Report = lambda values: None,
) -> Recogniser:
    """Train a recogniser, or take up what was interrupted; its checkpoint lies in `work`.

    The folder has `train.*.npz` and `test.*.npz` of `films.write_acted`; `more` are clips of other
    origin to learn from, too; `offered` classes become signals. The card has the F1 of each class
    on clips of people who were set aside.
    """
    unknown = [action for action in offered if action not in CLASSES]
    if unknown:
        raise InputError(f"there is no action {unknown[0]!r}; choose from {', '.join(CLASSES)}")
    own, tested = (
        together([windows(film) for film in read_films(folder, split)])
        for split in ("train", "test")
    )
    clips = together([part for one in (own, *more) for part in (one, one.flipped())])
    work.mkdir(parents=True, exist_ok=True)
    schedule = Schedule(epochs, batch=64, rate=2e-3, seed=seed)
    network, scale = train(clips, schedule, checkpoint=work / CHECKPOINT, report=report)
    network.eval()
    card: dict[str, Any] = {
        "terms": terms,
        "version": installed_version(),
        "seed": seed,
        "clips": len(clips.labels),
        "offered": list(offered),
        "synthetic_only": sorted(SYNTHETIC_ONLY),
    }
    recogniser = recogniser_of(
        network,
        scale,
        name=name,
        classes=CLASSES,
        thresholds=dict.fromkeys(CLASSES, _THRESHOLD),
        levels=_levels(network, clips, scale),
        card=card,
    )
    return replace(recogniser, card={**card, "f1_synthetic": scores(recogniser, tested)})


def scores(recogniser: Recogniser, clips: Clips) -> dict[str, float]:
    """Measure the F1 of each class on clips; those of which nothing is said count for no class."""
    said = np.array([recogniser.see(clip).probabilities for clip in clips.values])
    found = {}
    for i, name in enumerate(recogniser.classes):
        known = np.isfinite(clips.labels[:, i])
        true, claimed = clips.labels[known, i] > 0.5, said[known, i] >= recogniser.thresholds[name]
        found[name] = round(
            float(2 * (true & claimed).sum() / max(true.sum() + claimed.sum(), 1)), 3
        )
    return found


@torch.no_grad()
def _levels(
    network: ActionNetwork, clips: Clips, scale: npt.NDArray[np.float64]
) -> dict[str, float]:
    """Return what lies between a class's strongest filter with the action and without."""
    x = torch.from_numpy((clips.values / scale).astype(np.float32))
    responses = network(x.transpose(1, 2)[..., None, None]).responses
    assert responses is not None
    peaks = responses.amax(dim=(2, 3, 4, 5)).numpy()
    levels = {}
    for i, name in enumerate(CLASSES):
        shown, absent = (peaks[clips.labels[:, i] == value, i] for value in (1.0, 0.0))
        if not len(shown) or not len(absent):
            raise InputError(f"no clip of {name!r}, or none without it: film more rounds")
        levels[name] = float(0.5 * (np.median(shown) + np.median(absent)))
    return levels
