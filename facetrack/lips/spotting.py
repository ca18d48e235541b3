"""Words without given boundaries: frame by frame, or as a sentence of a grammar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["Spotted", "best_sentence", "spot"]

_SWITCH: Final = 4.0  # logarithm of how much likelier another word must be, all in all, to be begun
_FEWEST: Final = 2  # frames of a word without a grammar

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spotted:
    """A word that was found.

    Attributes
    ----------
    text : str
    first, stop : int
        Its first frame, and the one after its last.
    probability : float
        Among all words, by the mean over its frames.
    """

    text: str
    first: int
    stop: int
    probability: float

    @property
    def centre(self) -> int:
        """The frame in its middle."""
        return (self.first + self.stop) // 2


def spot(logits: npt.NDArray[np.float32], words: Sequence[str]) -> list[Spotted]:
    """Divide speech into words, whichever they are.

    Parameters
    ----------
    logits : ndarray, shape (T, classes), float32
        Of each frame of a stretch of speech.
    words : sequence of str
        Of the classes.

    Returns
    -------
    list of Spotted
        In time, one after the other.

    Notes
    -----
    The likeliest way through the frames, where each begin of a word costs 4 (Viterbi 1967).
    """
    if not len(logits):
        return []
    scores = _log_softmax(logits)
    frames, classes = scores.shape
    total, came = scores[0].copy(), np.zeros((frames, classes), dtype=np.int64)
    for t in range(1, frames):
        best = int(total.argmax())
        change = total[best] - _SWITCH > total
        came[t] = np.where(change, best, np.arange(classes))
        total = np.where(change, total[best] - _SWITCH, total) + scores[t]
    path = [int(total.argmax())]
    for t in range(frames - 1, 0, -1):
        path.append(int(came[t, path[-1]]))
    path.reverse()
    edges = [0, *(t for t in range(1, frames) if path[t] != path[t - 1]), frames]
    return [
        _word(logits, words, first, stop, path[first])
        for first, stop in pairwise(edges)
        if stop - first >= _FEWEST
    ]


def best_sentence(
    logits: npt.NDArray[np.float32], words: Sequence[str], slots: Sequence[Sequence[str]]
) -> list[Spotted]:
    """Divide speech into one word of each slot, in their order.

    Parameters
    ----------
    logits : ndarray, shape (T, classes), float32
        Of each frame of a stretch of speech.
    words : sequence of str
    slots : sequence of sequence of str
        The grammar.

    Returns
    -------
    list of Spotted
        One for each slot, one after the other; empty if there are fewer frames than slots.

    Notes
    -----
    The likeliest way through the frames that passes one word of each slot.
    """
    scores = _log_softmax(logits)
    frames = len(scores)
    if frames < len(slots):
        return []
    columns = [[words.index(word) for word in slot] for slot in slots]
    total = np.full(len(words), -np.inf)
    total[columns[0]] = scores[0, columns[0]]
    came = np.tile(np.arange(len(words)), (frames, 1))
    for t in range(1, frames):
        stay = total.copy()
        for before, now in pairwise(columns):
            best = before[int(stay[before].argmax())]
            begins = [c for c in now if stay[best] > stay[c]]
            total[begins], came[t, begins] = stay[best], best
        total = total + scores[t]
    path = [columns[-1][int(total[columns[-1]].argmax())]]
    for t in range(frames - 1, 0, -1):
        path.append(int(came[t, path[-1]]))
    path.reverse()
    edges = [0, *(t for t in range(1, frames) if path[t] != path[t - 1]), frames]
    return [_word(logits, words, first, stop, path[first]) for first, stop in pairwise(edges)]


def _word(
    logits: npt.NDArray[np.float32], words: Sequence[str], first: int, stop: int, number: int
) -> Spotted:
    mean = _log_softmax(logits[first:stop].mean(axis=0, keepdims=True))
    return Spotted(words[number], first, stop, float(np.exp(mean[0, number])))


def _log_softmax(logits: npt.NDArray[np.float32]) -> Floats:
    raised = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    found: Floats = raised - np.log(np.exp(raised).sum(axis=1, keepdims=True))
    return found
