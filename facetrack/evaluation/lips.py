"""How well words are read from lips: of GRID's sentences, with and without their boundaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.evaluation.lip_reject import NEAR, Heard, spotting_measures, spotting_table
from facetrack.lips.clips import RATE
from facetrack.lips.datasets import Item, LabelledClip
from facetrack.lips.preparing import Prepared
from facetrack.lips.reader import LipReader, load_reader, stacked
from facetrack.lips.rejection import NOTHING, energy
from facetrack.lips.spotting import Spotted, best_sentence
from facetrack.lips.stream import ReadWord, read_clip
from facetrack.lips.views import View
from facetrack.lips.windows import Window, own, tight, wide
from facetrack.lips.words import GRID_SLOTS, GRID_WORDS, SLOT_NAMES, Word
from facetrack.parallel import Map
from facetrack.reporting.intervals import mean_interval
from facetrack.reporting.plots import new_figure, save_figure
from facetrack.reporting.tables import Part, Table

REMOVED: Final = (0, 1, 2, 3, 4, 5)
_AROUND: Final = 4  # frames on both sides of a word, of which the harder variant removes

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class ClipWords:
    """What was said in a clip, and what was read."""

    key: str
    said: tuple[str, ...]
    wide: tuple[str, ...]  # boundaries given, within the whole sentence
    tight: tuple[str, ...]  # boundaries given, by the words alone
    heard: tuple[Heard, ...]  # while frames come, without the grammar, nothing rejected
    ruled: tuple[Heard, ...]  # with the grammar; the energy is that of the whole sentence
    frames: int
    thinned: dict[int, tuple[str, ...]]  # from windows with so many frames removed
    thinned_near: dict[int, tuple[str, ...]]  # the same, removed around the word
    placed: bool  # the reader itself found the words: there was no alignment


def score_sentences(
    items: Sequence[Item],
    crops: Path,
    *,
    reader: str,
    seed: int = 0,
    robust: bool = False,
    map_: Map = map,
) -> dict[str, Any]:
    """Read prepared sentences of GRID and score what was read."""
    # `interval` is of 95 %, over sentences. With `robust`, each clip's trunk runs anew for each
    # word and number of frames removed. `placed`: clips without an alignment, whose words the
    # reader itself placed, in the order that is known, where they are likeliest.
    clips = list(map_(partial(_read_item, crops=crops, reader=reader, seed=seed, robust=robust),
                      items))  # fmt: skip
    right = np.array([_right(clip.wide, clip.said) for clip in clips])
    interval = None
    if len(clips) > 1:
        found = mean_interval(right.mean(axis=1), np.random.default_rng(seed))
        interval = [found.low, found.high]
    return {
        "accuracy": right.mean(),
        "interval": interval,
        "slots": _by_slot([clip.wide for clip in clips], clips),
        "tight": _by_slot([clip.tight for clip in clips], clips),
        "tight_accuracy": np.mean([_right(clip.tight, clip.said) for clip in clips]),
        **spotting_measures(
            [clip.heard for clip in clips],
            [clip.ruled for clip in clips],
            said=len(clips) * len(GRID_SLOTS),
            hours=sum(clip.frames for clip in clips) / RATE / 3600,
            reject=load_reader(reader).reject,
        ),
        "words": list(GRID_WORDS),
        "confusion": _confusion(clips),
        "removed": _removed([clip.thinned for clip in clips], clips),
        "removed_near": _removed([clip.thinned_near for clip in clips], clips),
        "clips": {clip.key: " ".join(clip.wide) for clip in clips},
        "talkers": _by_talker(clips),
        "placed": sum(clip.placed for clip in clips),
    }


def thinned(
    one: LabelledClip, word: Word, removed: int, rng: np.random.Generator, *, near: bool
) -> npt.NDArray[np.int64]:
    """Take frames out of the window of 29 around a word, one of its own left; return the rest."""
    # `near`: from the word and four frames on both sides; else from anywhere.
    whole = wide(0, word.centre(RATE))
    frames = np.arange(max(whole.start, 0), min(whole.stop, len(one.clip)))
    first, stop = word.frames(RATE)
    around = (frames >= first - _AROUND) & (frames < stop + _AROUND)
    offered = frames[around & (frames != word.centre(RATE))] if near else frames
    offered = offered[offered != word.centre(RATE)]
    gone = rng.choice(offered, min(removed, len(offered)), replace=False)
    return frames[~np.isin(frames, gone)]


def _read_item(item: Item, *, crops: Path, reader: str, seed: int, robust: bool) -> ClipWords:
    loaded = load_reader(reader)
    (one,) = Prepared([item], crops)
    features = loaded.features(one.clip)
    placed = all(word.start == word.stop for word in one.words)
    one = _placed_words(loaded, one, features) if placed else one
    whole = loaded.read(features, [own(0, word) for word in one.words])
    short = [_alone(loaded, features, tight(0, word), word) for word in one.words]
    free = read_clip(loaded, one.clip, reject=NOTHING)
    logits = loaded.frames(features)
    ruled = best_sentence(logits, loaded.words, GRID_SLOTS)
    known = energy(logits[ruled[0].first : ruled[-1].stop])
    rng = np.random.default_rng([seed, *item.key.encode()])
    counts = REMOVED if robust else ()
    return ClipWords(
        item.key,
        tuple(word.text for word in one.words),
        _texts(whole, loaded.words),
        _texts(np.concatenate(short), loaded.words),
        tuple(_as_heard(one, _in_frames(one, word), word.energy) for word in free),
        tuple(_as_heard(one, word, known) for word in ruled),
        len(one.clip),
        {n: _thinned_words(loaded, one, n, rng, near=False) for n in counts},
        {n: _thinned_words(loaded, one, n, rng, near=True) for n in counts},
        placed,
    )


def _placed_words(reader: LipReader, one: LabelledClip, features: Floats) -> LabelledClip:
    """Place the words of a sentence where, in their order, they are likeliest."""
    order = [[word.text] for word in one.words]
    found = best_sentence(reader.frames(features), reader.words, order)
    words = (Word(w.text, w.first / RATE, w.stop / RATE) for w in found)
    return replace(one, words=tuple(words))


def _alone(reader: LipReader, features: Floats, window: Window, word: Word) -> Floats:
    """Read a word from a few frames alone, as if there were no others."""
    start, stop = max(window.start, 0), min(window.stop, len(features))
    within = own(0, word)
    moved = Window(0, within.first - start, within.start - start, within.stop - start)
    return reader.read(features[start:stop], [moved])


def _as_heard(one: LabelledClip, word: Spotted, known: float) -> Heard:
    """Say which of the words that are said was heard, with its middle where it is."""
    said = [
        n for n, other in enumerate(one.words)
        if other.text == word.text and abs(other.centre(RATE) - word.centre) <= NEAR
    ]  # fmt: skip
    return Heard(word.probability, known, said[0] if said else -1)


def _in_frames(one: LabelledClip, word: ReadWord) -> Spotted:
    first, last = (round((time - one.clip.start) * RATE) for time in (word.start, word.stop))
    return Spotted(word.text, first, last + 1, word.probability)


def _thinned_words(
    reader: LipReader, one: LabelledClip, removed: int, rng: np.random.Generator, *, near: bool
) -> tuple[str, ...]:
    """Read each word from what is left of its window, which is a clip of its own."""
    pixels, points = reader.view.pixels(one.clip.pixels), View.points(one.clip.points)
    read: list[str] = []
    for word in one.words:
        left = thinned(one, word, removed, rng, near=near)
        first, stop = word.frames(RATE)
        mine = np.flatnonzero((left >= first) & (left < stop))
        features = reader.seen(stacked(pixels[left]), stacked(points[left]))
        read += _texts(reader.frames(features)[mine].mean(axis=0, keepdims=True), reader.words)
    return tuple(read)


def _texts(logits: Floats, words: Sequence[str]) -> tuple[str, ...]:
    """Return the likeliest word of each window, whether or not none is likelier."""
    said = [i for i, word in enumerate(words) if word]
    return tuple(words[said[int(row[said].argmax())]] for row in logits)


def _right(read: Sequence[str], said: Sequence[str]) -> list[float]:
    return [float(a == b) for a, b in zip(read, said, strict=True)]


def _by_slot(read: Sequence[Sequence[str]], clips: Sequence[ClipWords]) -> dict[str, float]:
    right = np.array([_right(words, clip.said) for words, clip in zip(read, clips, strict=True)])
    return dict(zip(SLOT_NAMES, right.mean(axis=0).tolist(), strict=True))


def _by_talker(clips: Sequence[ClipWords]) -> dict[str, list[int]]:
    """Count the words right and all, by the talker with whom a clip's name begins, as `s2_...`."""
    found: dict[str, list[int]] = {}
    for clip in clips:
        talker, _, sentence = clip.key.rpartition("_")
        if sentence and talker:
            counts = found.setdefault(talker, [0, 0])
            counts[0] += int(sum(_right(clip.wide, clip.said)))
            counts[1] += len(clip.said)
    return found


def _removed(
    read: Sequence[Mapping[int, Sequence[str]]], clips: Sequence[ClipWords]
) -> dict[str, float]:
    return {
        str(n): float(
            np.mean([_right(one[n], clip.said) for one, clip in zip(read, clips, strict=True)])
        )
        for n in (read[0] if read else {})
    }


def _confusion(clips: Sequence[ClipWords]) -> list[list[int]]:
    """Count what was read (columns) for what was said (rows)."""
    index = {word: i for i, word in enumerate(GRID_WORDS)}
    counts = np.zeros((len(index), len(index)), dtype=int)
    for clip in clips:
        for read, said in zip(clip.wide, clip.said, strict=True):
            counts[index[said], index[read]] += 1
    found: list[list[int]] = counts.tolist()
    return found


def plot_confusion(path: Path, details: Mapping[str, Any]) -> None:
    """Draw which words were taken for which."""
    counts = np.array(details["confusion"], dtype=float)
    figure = new_figure(11, 10)
    axes = figure.add_subplot()
    shown = axes.imshow(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), cmap="Blues")
    places = range(len(counts))
    axes.set_xticks(places, details["words"], rotation=90, fontsize=7)
    axes.set_yticks(places, details["words"], fontsize=7)
    axes.set(xlabel="read", ylabel="said")
    axes.set_title("words read from lips, share of each word that was said")
    figure.colorbar(shown, ax=axes, shrink=0.7)
    save_figure(figure, path)


def lip_table(details: Mapping[str, Any]) -> list[Part]:
    """Lay out the measures for a person."""
    ends = details["interval"]
    whose = "Several talkers'" if len(details.get("talkers", {})) > 1 else "One talker's"
    between = f" (95 %: {ends[0]:.3f} to {ends[1]:.3f})" if ends else ""
    parts: list[Part] = [
        f"{whose} 51 words, boundaries given, wide context: {details['accuracy']:.3f} right"
        f"{between}; tight context {details['tight_accuracy']:.3f}.",
        Table(
            ["context", *SLOT_NAMES],
            [
                ["wide, the sentence", *(details["slots"][name] for name in SLOT_NAMES)],
                ["tight, the word +-2 frames", *(details["tight"][name] for name in SLOT_NAMES)],
            ],
        ),
        "",
        *spotting_table(details),
    ]
    if details.get("removed"):
        names = {"removed": "anywhere in the window", "removed_near": "of the word +-4 frames"}
        parts += [
            "",
            Table(
                ["frames removed", *details["removed"]],
                [[label, *details[key].values()] for key, label in names.items()],
            ),
        ]
    if details.get("talkers"):
        rows = [[name, *counts] for name, counts in details["talkers"].items()]
        parts += ["", Table(["talker", "words right", "of"], rows)]
    if details.get("placed"):
        parts.append(f"{details['placed']} clips have no alignment: the reader placed their words "
                     "itself, in the order that is known, which favours it.")  # fmt: skip
    return [*parts, "", _confused(details)]


def _confused(details: Mapping[str, Any]) -> Table:
    """List the ten commonest mistakes."""
    counts, words = np.array(details["confusion"]), details["words"]
    np.fill_diagonal(counts, 0)
    rows = []
    for place in np.argsort(-counts, axis=None, kind="stable")[:10].tolist():
        said, read = divmod(place, len(words))
        if counts[said, read]:
            rows.append([words[said], words[read], int(counts[said, read])])
    return Table(["said", "read", "times"], rows)
