"""Sentences for training: their pixels each time a little different, and windows of features.

The trunk runs once over a sentence; the windows of its words are cut from the features, so that
frames that several windows share are computed once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facetrack.landmarks.procrustes import Similarity
from facetrack.lips.clips import RATE, SIDE, LipClip
from facetrack.lips.datasets import LabelledClip
from facetrack.lips.views import Change, View
from facetrack.lips.windows import Window, wide
from facetrack.lips.windows import own as of_word
from facetrack.lips.words import Word

_ELSEWHERE: Final = 4  # frames from every word's middle, from which on a window holds no word

Rng = np.random.Generator
Floats = npt.NDArray[np.float32]
Made = tuple[Floats, Floats, list[tuple[Window, str]], tuple[Word, ...]]


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How sentences are changed in training."""

    turn: float = 4.0  # degrees, standard deviation
    scale: float = 0.05  # fraction, standard deviation
    shift: float = 2.0  # pixels of the crop, standard deviation
    light: float = 0.2  # of the logarithm of gamma, standard deviation
    context: int = 7  # frames kept around the words: as many as a draw from 0 to twice this says
    off_centre: int = 2  # frames by which a word may lie beside the middle of its window
    variable: float = 0.5  # share of windows that are cut shorter at random, never into the word
    elsewhere: int = 1  # windows of each sentence that hold no word
    hidden: float = 0.3  # share of sentences with a masked square, and of those with masked frames
    # if not negative, a window is the word's frames and up to so many on each side
    margin: int = -1
    # a clip is up to so much faster or slower: 0.25 for 0.8 to 1.25 times its frames
    pace: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Some sentences, and windows in them."""

    pixels: Tensor  # (B, T, H, W)
    points: Tensor  # (B, T, 40)
    mask: Tensor  # (B, T)
    windows: tuple[Window, ...]  # with `clip` the number within the batch
    labels: Tensor  # (N,), of the windows
    said: tuple[tuple[str, ...], ...]  # the words of each sentence


class Sentences:
    """Clips with words that lie somewhere in them; `classes` has one for each word, "" for none."""

    def __init__(
        self, clips: Sequence[LabelledClip], classes: Mapping[str, int], augmentation: Augmentation
    ) -> None:
        self.clips, self.classes, self.augmentation = clips, classes, augmentation

    def augmented(self, numbers: npt.NDArray[np.int64], view: View, rng: Rng) -> Batch:
        """Return sentences, by number, with what cameras, heads and cuts may bring."""
        return self._batch([self._varied(int(n), view, rng) for n in numbers])

    def plain(self, numbers: Sequence[int], view: View, *, own: bool = False) -> Batch:
        """Return sentences, by number, as they are; `own` windows hold the word's frames alone."""
        made = []
        for number in numbers:
            one = self.clips[number]
            shown = [of_word(0, w) if own else wide(0, w.centre(RATE)) for w in one.words]
            windows = [(w, word.text) for w, word in zip(shown, one.words, strict=True)]
            pixels, points = view.pixels(one.clip.pixels), view.points(one.clip.points)
            made.append((pixels, points, windows, one.words))
        return self._batch(made)

    def _varied(self, number: int, view: View, rng: Rng) -> Made:
        a, one = self.augmentation, self.clips[number]
        one = _paced(one, a.pace, rng) if a.pace else one
        first, stop = _kept(one, a.context, rng)
        change = _change(a, rng)
        crops = one.clip.pixels[first:stop]
        curve = 255 * (np.arange(256) / 255) ** math.exp(a.light * rng.standard_normal())
        pixels = view.pixels(curve.astype(np.uint8)[crops], change)
        points = view.points(one.clip.points[first:stop], change)
        points += rng.normal(0, 0.02, points.shape[1:]).astype(np.float32)
        if rng.random() < a.hidden:
            _hide_square(pixels, rng)
        if rng.random() < a.hidden:
            begin, length = rng.integers(len(pixels)), rng.integers(1, 4)
            pixels[begin : begin + length], points[begin : begin + length] = 0, 0
        windows = [(_window(word, a, rng), word.text) for word in one.words]
        windows += [(w, "") for w in _elsewhere(one, a, rng)]
        moved = [(Window(0, w.first - first, w.start - first, w.stop - first), text)
                 for w, text in windows]  # fmt: skip
        return pixels, points, moved, one.words

    def _batch(self, made: Sequence[Made]) -> Batch:
        longest = max(len(pixels) for pixels, *_ in made)
        shape = (len(made), longest)
        pixels = np.zeros((*shape, *made[0][0].shape[1:]), dtype=np.float32)
        points = np.zeros((*shape, made[0][1].shape[1]), dtype=np.float32)
        mask = np.zeros(shape, dtype=np.float32)
        windows, labels = [], []
        for i, (p, q, ws, _) in enumerate(made):
            pixels[i, : len(p)], points[i, : len(p)], mask[i, : len(p)] = p, q, 1
            for w, text in ws:
                windows.append(Window(i, w.first, w.start, w.stop))
                labels.append(self.classes[text])
        return Batch(
            torch.from_numpy(pixels),
            torch.from_numpy(points),
            torch.from_numpy(mask),
            tuple(windows),
            torch.tensor(labels),
            tuple(tuple(word.text for word in words) for *_, words in made),
        )


def _paced(one: LabelledClip, pace: float, rng: Rng) -> LabelledClip:
    """Show a clip faster or slower: each frame is the nearest one of it."""
    longer = (1 + pace) ** rng.uniform(-1, 1)
    count = max(round(longer * len(one.clip)), 1)
    frames = np.minimum((np.arange(count) / longer).round().astype(int), len(one.clip) - 1)
    c = one.clip
    clip = LipClip(c.pixels[frames], c.points[frames], c.tracked[frames], c.start, c.source)
    words = (Word(w.text, longer * w.start, longer * w.stop) for w in one.words)
    return LabelledClip(clip, tuple(words))


def _kept(one: LabelledClip, context: int, rng: Rng) -> tuple[int, int]:
    """Choose the stretch of a sentence that is looked at: its words, and some of what is around."""
    first, stop = one.words[0].frames(RATE)[0], one.words[-1].frames(RATE)[1]
    before, after = rng.integers(0, 2 * context + 1, 2).tolist()
    first, stop = max(first - before, 0), min(stop + after, len(one.clip))
    return (first, stop) if stop > first else (0, len(one.clip))


def _change(a: Augmentation, rng: Rng) -> Change:
    scale = math.exp(a.scale * rng.standard_normal())
    angle = math.radians(a.turn * rng.standard_normal())
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    middle = (SIDE - 1) / 2
    dx, dy = (a.shift * rng.standard_normal(2)).tolist()
    shift = (middle - (cos - sin) * middle + dx, middle - (sin + cos) * middle + dy)
    return Change(Similarity(cos, sin, *shift), bool(rng.random() < 0.5))


def _window(word: Word, a: Augmentation, rng: Rng) -> Window:
    """Return a window that holds the whole word, or as much of it as a whole window can."""
    if a.margin >= 0:
        before, after = rng.integers(0, a.margin + 1, 2).tolist()
        whole = of_word(0, word)
        return Window(0, whole.first, whole.start - before, whole.stop + after)
    whole = wide(0, word.centre(RATE) + int(rng.integers(-a.off_centre, a.off_centre + 1)))
    start, stop = whole.start, whole.stop
    if rng.random() < a.variable:
        first, end = word.frames(RATE)
        start = int(rng.integers(start, max(first - 1, start) + 1))
        stop = int(rng.integers(min(end + 1, stop), stop + 1))
    return Window(0, whole.first, start, stop)


def _elsewhere(one: LabelledClip, a: Augmentation, rng: Rng) -> list[Window]:
    centres = np.array([word.centre(RATE) for word in one.words])
    frames = np.arange(len(one.clip))
    far = frames[(np.abs(frames[:, None] - centres) >= _ELSEWHERE).all(axis=1)]
    return [wide(0, int(c)) for c in rng.choice(far, min(a.elsewhere, len(far)), replace=False)]


def _hide_square(pixels: npt.NDArray[np.float32], rng: Rng) -> None:
    height, width = pixels.shape[1:]
    side = int(rng.integers(height // 6, height // 3))
    y, x = int(rng.integers(-side // 2, height)), int(rng.integers(-side // 2, width))
    pixels[:, max(y, 0) : max(y + side, 0), max(x, 0) : max(x + side, 0)] = 0
