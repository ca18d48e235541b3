"""A person's own words, learned from a few takes each, and told apart by warping in time.

What a trained reader's trunk sees in each frame and the mouth's landmarks are compared by dynamic
time warping (Sakoe and Chiba 1978) with every take: nothing of the words has to be known to the
reader, and two takes suffice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.formats.archive import Arrays
from facetrack.formats.modelfile import Description, ModelKind, register_kind
from facetrack.lips._kernels import warped
from facetrack.lips.activity import activity, lip_opening, speech
from facetrack.lips.clips import LipClip
from facetrack.lips.reader import LipReader
from facetrack.lips.views import View

_AROUND: Final = 3  # frames kept on both sides of what the activity calls speech
_MOVED_UP: Final = 6  # frames by which averaging widens speech on each side
_LOOSE: Final = 1.25  # of the farthest take of the same word: beyond it is another word
_TRUNK_SHARE: Final = 0.5
_SMALL: Final = View((16, 12), 64.0)
_PARTS: Final = ("seen", "points", "pixels")

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """One take of a word."""

    seen: Floats  # (T, features), by the reader's trunk
    points: Floats  # (T, 40), landmarks about their mean over the take; (T, 0) where not known
    pixels: Floats  # (T, 192), the crop in 16 x 12 pixels: what simpler ways are compared on


@dataclass(frozen=True, slots=True)
class Answer:
    """Which word a take is."""

    text: str  # empty if it is none of the words
    nearest: str  # the likeliest word in any case
    probability: float  # of `nearest` among the words
    distance: float  # to the nearest take of it


@dataclass(frozen=True, slots=True, eq=False)
class EnrolledWords:
    """The words of a person."""

    words: tuple[str, ...]  # sorted
    takes: tuple[Take, ...]
    labels: tuple[int, ...]  # the word of each take
    # Mean distances between takes, of trunk and points: what distances are measured in.
    scales: tuple[float, float]
    farthest: float  # distance beyond which a take is none of the words
    reader: str  # checksum of the reader that saw them
    version: str = ""  # checksum of the file; empty before it is written

    def tell(self, take: Take) -> Answer:
        """Decide which word a take is."""
        distances, labels = self.distances(take), np.array(self.labels)
        nearest = np.array([distances[labels == n].min() for n in range(len(self.words))])
        best = int(nearest.argmin())
        raised = np.exp(-(nearest - nearest[best]) / max(0.25 * nearest[best], 1e-6))
        text = self.words[best]
        accepted = nearest[best] <= self.farthest
        return Answer(text if accepted else "", text, float(1 / raised.sum()), float(nearest[best]))

    def distances(self, take: Take) -> npt.NDArray[np.float64]:
        """Measure how far a take is from each enrolled one, (takes,)."""
        return np.array([_distance(take, other, self.scales) for other in self.takes])

    def alike(self) -> tuple[str, str, float] | None:
        """Find the two words that look most alike; None with a single word.

        How far they are apart is in units of the distance between takes of one word: below 1.2 they
        are told apart by luck.
        """
        pairs = _pairs(self.takes, self.scales)
        labels = np.array(self.labels)
        same = labels[:, None] == labels[None]
        np.fill_diagonal(same, val=False)
        within = pairs[same].mean() if same.any() else np.nan
        found = None
        for a in range(len(self.words)):
            for b in range(a + 1, len(self.words)):
                apart = pairs[np.ix_(labels == a, labels == b)].min() / within
                if found is None or apart < found[2]:
                    found = self.words[a], self.words[b], float(apart)
        return found

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write a file: beside, then renamed."""
        arrays = {
            **{key: np.concatenate([getattr(t, key) for t in self.takes]) for key in _PARTS},
            "lengths": np.array([len(take.seen) for take in self.takes]),
            "labels": np.array(self.labels),
        }
        description = {
            "name": "words",
            "card": {"about": "one person's own words, enrolled from a few takes"},
            "words": list(self.words),
            "scales": list(self.scales),
            "farthest": self.farthest,
            "reader": self.reader,
        }
        LIP_WORDS.write(path, arrays, description)


def spoken_part(clip: LipClip) -> tuple[int, int] | None:
    """Find the word in an untrimmed clip, by the mouth's activity.

    Returns the first frame, and the one after the last, of the liveliest stretch of speech with a
    few frames around it; None where the mouth does not speak.
    """
    lively = activity([lip_opening(points) for points in clip.points])
    parts = speech(lively)
    if not parts:
        return None
    first, stop = max(parts, key=lambda part: float((lively[part[0] : part[1]] ** 2).sum()))
    inward = max(min(_MOVED_UP, (stop - first - 4) // 2), 0) - _AROUND
    return max(first + inward, 0), min(stop - inward, len(clip))


def take_of(reader: LipReader, clip: LipClip) -> Take:
    """Describe the word in an untrimmed clip, or all of it where the mouth does not speak."""
    first, stop = spoken_part(clip) or (0, len(clip))
    return take_of_part(clip.part(first, stop), reader.features(clip)[first:stop])


def take_of_part(part: LipClip, seen: Floats) -> Take:
    """Describe a trimmed word, of which the trunk saw (T, features)."""
    points = View.points(part.points)
    if np.isnan(points).any():
        points = points[:, :0]
    pixels = _SMALL.pixels(part.pixels).reshape(len(part), -1)
    return Take(seen, points - points.mean(axis=0), pixels)


def enrol(
    takes: Sequence[tuple[str, Take]],
    reader: str,
    *,
    tell: Callable[[str], None] = lambda line: None,
) -> EnrolledWords:
    """Learn words from takes, two or more of each word, as a reader of this checksum sees them.

    `tell` takes a line about words that have one take only; an `InputError` refuses less than two.
    """
    words = tuple(sorted({word for word, _ in takes}))
    if len(words) < 2:
        raise InputError(f"words are told apart: two or more are needed, got {len(words)}")
    labels = tuple(words.index(word) for word, _ in takes)
    for number, word in enumerate(words):
        if labels.count(number) == 1:
            tell(f"{word}: one take only; how it varies is not known, record another one")
    made = tuple(take for _, take in takes)
    scales = tuple(_mean_apart(made, key) for key in (lambda t: t.seen, lambda t: t.points))
    pairs = _pairs(made, (scales[0], scales[1]))
    np.fill_diagonal(pairs, np.inf)
    same = np.array(labels)[:, None] == np.array(labels)[None]
    nearest = np.where(same, pairs, np.inf).min(axis=1)
    known = nearest[np.isfinite(nearest)]
    farthest = float(_LOOSE * known.max()) if len(known) else 1.0
    return EnrolledWords(words, made, labels, (scales[0], scales[1]), farthest, reader)


def warping_distance(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> float:
    """Compare sequences (n, channels) and (m, channels) by dynamic time warping.

    The mean Euclidean distance along the cheapest way, diagonal steps counted twice.
    """
    x, y = a.astype(np.float64), b.astype(np.float64)
    squares = (x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1)[None] - 2 * x @ y.T
    return float(warped(np.sqrt(np.maximum(squares, 0.0))))


def _distance(a: Take, b: Take, scales: tuple[float, float]) -> float:
    trunk = warping_distance(a.seen, b.seen) / scales[0]
    return _TRUNK_SHARE * trunk + (1 - _TRUNK_SHARE) * (
        warping_distance(a.points, b.points) / scales[1]
    )


def _pairs(takes: Sequence[Take], scales: tuple[float, float]) -> npt.NDArray[np.float64]:
    found = np.zeros((len(takes), len(takes)))
    for i, a in enumerate(takes):
        for j in range(i):
            found[i, j] = found[j, i] = _distance(a, takes[j], scales)
    return found


def _mean_apart(takes: Sequence[Take], key: Callable[[Take], Floats]) -> float:
    apart = [warping_distance(key(a), key(b)) for i, a in enumerate(takes) for b in takes[:i]]
    return max(float(np.mean(apart)), 1e-9) if apart else 1.0


def _load(arrays: Arrays, description: Description) -> EnrolledWords:
    ends = np.cumsum(arrays["lengths"])[:-1]
    parts = (np.split(arrays[key], ends) for key in _PARTS)
    trunk, points = description["scales"]
    return EnrolledWords(
        tuple(description["words"]),
        tuple(Take(*each) for each in zip(*parts, strict=True)),
        tuple(arrays["labels"].tolist()),
        (float(trunk), float(points)),
        float(description["farthest"]),
        description["reader"],
        description["checksum"],
    )


LIP_WORDS: Final = ModelKind("facetrack lip words", "file of words", schema=1, load=_load)
register_kind(LIP_WORDS)


def load_words(path: str | os.PathLike[str], reader: LipReader) -> EnrolledWords:
    """Load words that were enrolled with this reader; an `InputError` refuses those of another."""
    words = LIP_WORDS.read(path)
    if words.reader != reader.version:
        raise InputError(f"{path}: enrolled with another reader; enrol the takes again")
    return words
