"""A class from a few examples in videos; all that the recogniser knows stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.actions.classes import CLASSES
from facetrack.actions.films import Acted
from facetrack.actions.looks import Looks, resampled
from facetrack.actions.recogniser import WINDOW, Recogniser, relative
from facetrack.actions.train.faces import LITTLE, MOST, add_class, windows
from facetrack.errors import InputError

_EVERY: Final = 2  # frames between clips
_FALSE: Final = 0.01  # of clips without the class that may show it
_FEWEST: Final = 2  # examples
_HALF: Final = 0.5

Floats = npt.NDArray[np.float64]
Span = tuple[float, float]


def cut_examples(looks: Looks, spans: Sequence[Span]) -> tuple[list[Floats], Floats]:
    """Cut the clips out of a video that show an action, and those that do not.

    Spans are the first and last moment of each time that it is shown, seconds. Relative looks, each
    (n, WINDOW, values): first by span the clips that hold most of it, none where the face is lost;
    then those that hold little of any.
    """
    even = resampled(looks)
    shown: list[list[Floats]] = [[] for _ in spans]
    others: list[Floats] = []
    during = [(even.times >= start - 1e-6) & (even.times <= stop + 1e-6) for start, stop in spans]
    for stop in range(WINDOW, len(even.times) + 1, _EVERY):
        part = slice(stop - WINDOW, stop)
        if not np.isfinite(even.values[part]).all():
            continue
        shares = [d[part].sum() / max(min(d.sum(), WINDOW), 1) for d in during]
        best = int(np.argmax(shares)) if shares else -1
        if best >= 0 and shares[best] >= MOST:
            shown[best].append(relative(even.values, stop))
        elif best < 0 or shares[best] <= LITTLE:
            others.append(relative(even.values, stop))
    return [_stacked(clips, looks) for clips in shown], _stacked(others, looks)


def rehearsal(films: Sequence[Acted], each: int = 10) -> Floats:
    """Take `each` clips or so of every class that is known, and of none: (n, WINDOW, values).

    Relative looks; an `InputError` says that the films hold no clip.
    """
    kept: dict[str, list[Floats]] = {name: [] for name in (*CLASSES, "")}
    for acted in films:
        clips = windows(acted)
        shown = (clips.labels == 1).any(axis=1) if acted.name else np.full(len(clips.labels), True)
        kept[acted.name] += list(clips.values[shown][::5])  # neighbours are alike
    found = [clip for clips in kept.values() for clip in clips[:: len(clips) // each + 1]]
    if not found:
        raise InputError("the films hold no clip to rehearse")
    return np.array(found)


def teach(known: Recogniser, name: str, shown: Sequence[Floats], others: Floats) -> Recogniser:
    """Add a class to a recogniser, from what `cut_examples` shows in all videos.

    `others`, (m, WINDOW, values), are clips without it, those of `rehearsal` included. Scores of
    the old classes are those of `known`, bit by bit. The class counts from the probability on that
    one of a hundred of the others reaches, or a half. An `InputError` says that the class is known,
    or there are too few examples, or no others.
    """
    if name in known.classes:
        raise InputError(f"{known.name} knows {name!r} already; choose another name")
    examples = [clips for clips in shown if len(clips)]
    if len(examples) < _FEWEST:
        raise InputError(
            f"{name!r} is seen well in {len(examples)} of {len(shown)} examples, and takes "
            f"{_FEWEST} or more: each needs a second of video about it in which the face is seen"
        )
    if not len(others):
        raise InputError("there is no clip without the new class; give films, or longer videos")
    wider = add_class(known, name, np.concatenate(examples), others)
    usual = np.quantile([wider.see(clip).probabilities[-1] for clip in others], 1 - _FALSE)
    offered = [*known.card.get("offered", []), name]
    return replace(
        wider,
        thresholds={**wider.thresholds, name: max(_HALF, float(usual))},
        card={**wider.card, "offered": offered},
    )


def _stacked(clips: Sequence[Floats], looks: Looks) -> Floats:
    return np.array(clips).reshape(-1, WINDOW, looks.values.shape[1])
