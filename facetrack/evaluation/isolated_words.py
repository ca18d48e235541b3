"""How well words are read of clips that hold one each: LRW, LRW-1000 and AVLetters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.evaluation.lips import REMOVED
from facetrack.lips.datasets import TEST, Item
from facetrack.lips.preparing import Prepared
from facetrack.lips.reader import load_reader, stacked
from facetrack.lips.views import View
from facetrack.parallel import Map
from facetrack.reporting.intervals import mean_interval
from facetrack.reporting.tables import Part, Table

# Per cent of the words right, Martinez et al., "Lipreading using temporal convolutional networks",
# ICASSP 2020.
PAPER: Final = {"lrw": 85.3, "lrw1000": 41.4}


def score_isolated(
    items: Sequence[Item],
    crops: Path,
    *,
    data: str,
    reader: str,
    robust: bool = False,
    seed: int = 0,
    map_: Map = map,
) -> dict[str, Any]:
    """Read the prepared clips of the test part, each as a whole."""
    # `interval` is of 95 %, over clips; `unknown` are words that the model does not know. The
    # reader goes by its name or file, so that a worker process can load it.
    tested = [item for item in items if item.part == TEST]
    if not tested:
        raise InputError(f"no clip of the test part of {data} could be prepared")
    counts = REMOVED if robust else REMOVED[:1]
    work = partial(_right, crops=crops, reader=reader, counts=counts, seed=seed)
    right = np.array(list(map_(work, tested)), dtype=float)
    between = mean_interval(right[:, 0], np.random.default_rng(seed)) if len(tested) > 1 else None
    said = sorted({item.words[0].text for item in tested})
    return {
        "accuracy": float(right[:, 0].mean()),
        "interval": None if between is None else [between.low, between.high],
        "removed": dict(zip(map(str, counts), right.mean(axis=0).tolist(), strict=True)),
        "paper": PAPER.get(data),
        "talkers": _by_talker(tested, right[:, 0]) if data.startswith("avletters") else {},
        "clips": len(tested),
        "words": said,
        "unknown": sorted(set(said) - set(load_reader(reader).words)),
    }


def _right(item: Item, *, crops: Path, reader: str, counts: Sequence[int], seed: int) -> list[bool]:
    """Return whether the word of a clip is read right, by the number of frames removed."""
    loaded = load_reader(reader)
    (one,) = Prepared([item], crops)
    pixels, points = loaded.view.pixels(one.clip.pixels), View.points(one.clip.points)
    rng = np.random.default_rng([seed, *item.key.encode()])
    found = []
    for removed in counts:
        gone = rng.choice(len(pixels), min(removed, len(pixels) - 1), replace=False)
        seen = loaded.seen(
            stacked(np.delete(pixels, gone, axis=0)), stacked(np.delete(points, gone, axis=0))
        )
        logits = loaded.frames(seen).mean(axis=0)
        found.append(loaded.words[int(logits.argmax())] == item.words[0].text)
    return found


def _by_talker(items: Sequence[Item], right: npt.NDArray[np.float64]) -> dict[str, float]:
    """Return the share that is right of each talker, who is the first part of a key."""
    of = np.array([item.key.partition("/")[0] for item in items])
    return {str(talker): float(right[of == talker].mean()) for talker in np.unique(of)}


def isolated_table(details: Mapping[str, Any]) -> list[Part]:
    """Lay the measures out for a person."""
    ends = details["interval"]
    between = f" (95 %: {100 * ends[0]:.1f} to {100 * ends[1]:.1f})" if ends else ""
    paper = f"; the paper reports {details['paper']} %" if details["paper"] else ""
    parts: list[Part] = [
        f"{100 * details['accuracy']:.1f} % of {details['clips']} words right{between}{paper}."
    ]
    if len(details.get("talkers", {})) > 1:
        shares = (f"{100 * share:.1f}" for share in details["talkers"].values())
        parts += ["", Table(["talker", *details["talkers"]], [["% right", *shares]])]
    if details["unknown"]:
        number, names = len(details["unknown"]), ", ".join(details["unknown"][:5])
        parts.append(f"The model does not know {number} of the words: {names}.")
    if len(details["removed"]) > 1:
        shares = (f"{100 * share:.1f}" for share in details["removed"].values())
        parts += ["", Table(["frames removed", *details["removed"]], [["% right", *shares]])]
    return parts
