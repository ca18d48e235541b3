"""Words without given boundaries: any words one after the other, or a sentence of a grammar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

_LENGTH, _SPREAD = 5.5, 0.48  # frames: median of GRID's words (s1, training); and of its logarithm
_LONGEST: Final = 22  # frames
# Chosen on the sentences of s1 that were set aside: how likely a frame is no word's, and how much
# the length counts beside the frames, without and with a grammar.
_QUIET, _WEIGHT = 0.1, 1.0
_QUIET_BESIDE, _WEIGHT_RULED = 0.5, 2.0

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spotted:
    """A word that was found."""

    text: str
    first: int  # frame
    stop: int  # the frame after its last
    probability: float  # among all words, by the mean over its frames

    @property
    def centre(self) -> int:
        """The frame in its middle."""
        return (self.first + self.stop) // 2


def spot(logits: npt.NDArray[np.float32], words: Sequence[str]) -> list[Spotted]:
    """Find words in speech, whichever they are, by the logits (T, classes) of each frame; in time.

    The likeliest way through the frames (Viterbi 1967) among words whose length in frames is
    log-normal (explicit durations: Rabiner, Proc. IEEE 77(2), 1989, IV D) and a filler that takes
    the frames that are no word's.
    """
    scores = _log_softmax(logits)
    quiet, total = _quiet(scores, words, _QUIET), _summed(scores)
    said = np.array([i for i, word in enumerate(words) if word])
    lengths, best = _lengths(_WEIGHT), np.zeros(len(total))
    ways: list[tuple[int, int] | None] = [None]
    for t in range(1, len(total)):
        best[t] = best[t - 1] + quiet[t - 1]
        score, length, column = _ending(total[:, said], best, t, lengths)
        ways.append((t - length, int(said[column])) if score > best[t] else None)
        best[t] = max(score, best[t])
    found, t = [], len(total) - 1
    while t > 0:
        way = ways[t]
        if way is not None:
            found.append(_word(logits, words, way[0], t, way[1]))
        t = t - 1 if way is None else way[0]
    return found[::-1]


def best_sentence(
    logits: npt.NDArray[np.float32], words: Sequence[str], slots: Sequence[Sequence[str]]
) -> list[Spotted]:
    """Find one word of each slot of a grammar, in their order and without a pause between them.

    As `spot`; the filler takes what lies before the first word and after the last one. Empty if
    there are fewer frames than slots.
    """
    if len(logits) < len(slots):
        return []
    scores = _log_softmax(logits)
    beside = np.concatenate([[0.0], np.cumsum(_quiet(scores, words, _QUIET_BESIDE))])
    lengths, best, ways = _lengths(_WEIGHT_RULED), beside, []
    for slot in slots:
        columns = [words.index(word) for word in slot]
        total = _summed(scores[:, columns])
        ends = [_ending(total, best, t, lengths) for t in range(1, len(total))]
        best = np.array([-np.inf, *(score for score, _, _ in ends)])
        ways.append([(0, 0), *((length, columns[c]) for _, length, c in ends)])
    stop, found = int((best + beside[-1] - beside).argmax()), []
    for way in reversed(ways):
        length, number = way[stop]
        found.append(_word(logits, words, stop - length, stop, number))
        stop -= length
    return found[::-1]


def _ending(total: Floats, best: Floats, t: int, lengths: Floats) -> tuple[float, int, int]:
    """Return the score of the likeliest word that ends before frame t, its length and column."""
    n = min(len(lengths), t)
    before = slice(t - n, t)
    offered = total[t] - total[before][::-1] + (best[before][::-1] + lengths[:n])[:, None]
    length, column = divmod(int(offered.argmax()), offered.shape[1])
    return float(offered[length, column]), length + 1, column


def _lengths(weight: float) -> Floats:
    """Return the weighted logarithm of how likely words of 1, 2, ... frames are."""
    logs = np.log(np.arange(1, _LONGEST + 1))
    chance = -((logs - np.log(_LENGTH)) ** 2) / (2 * _SPREAD**2) - logs
    found: Floats = weight * (chance - np.log(_SPREAD * np.sqrt(2 * np.pi)))
    return found


def _quiet(scores: Floats, words: Sequence[str], least: float) -> Floats:
    """Return how likely each frame is no word's, as far as the network was taught that."""
    known = [i for i, word in enumerate(words) if not word]
    found: Floats = np.maximum(scores[:, known].max(axis=1, initial=-np.inf), np.log(least))
    return found


def _summed(scores: Floats) -> Floats:
    return np.concatenate([np.zeros((1, scores.shape[1])), np.cumsum(scores, axis=0)])


def _word(
    logits: npt.NDArray[np.float32], words: Sequence[str], first: int, stop: int, number: int
) -> Spotted:
    mean = _log_softmax(logits[first:stop].mean(axis=0, keepdims=True))
    return Spotted(words[number], first, stop, float(np.exp(mean[0, number])))


def _log_softmax(logits: npt.NDArray[np.float32]) -> Floats:
    raised = logits.astype(np.float64)
    return raised - np.logaddexp.reduce(raised, axis=1, keepdims=True)
