"""Words in time: which was said when in a clip, and what a network may answer."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facetrack.errors import FormatError
from facetrack.formats.textfile import read_text

SLOT_NAMES: Final = ("command", "colour", "preposition", "letter", "digit", "adverb")
_DIGITS: Final = "zero one two three four five six seven eight nine"
GRID_SLOTS: Final[tuple[tuple[str, ...], ...]] = tuple(
    tuple(words.split())
    for words in (
        "bin lay place set",
        "blue green red white",
        "at by in with",
        "a b c d e f g h i j k l m n o p q r s t u v x y z",
        _DIGITS,
        "again now please soon",
    )
)
GRID_WORDS: Final = tuple(word for slot in GRID_SLOTS for word in slot)  # 51
_SILENT: Final = ("sil", "sp")
_UNIT: Final = 25_000.0  # of the sound's clock, in which alignments count
_LIMIT: Final = 1_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Word:
    """A word that was said; seconds from the clip's first frame."""

    text: str
    start: float
    stop: float  # where the next may begin

    def frames(self, rate: float) -> tuple[int, int]:
        """Find the word's first frame, and the one after the last, at so many frames a second.

        Rounded outwards, so that a word of a single frame never vanishes.
        """
        first = math.floor(self.start * rate + 1e-6)
        return first, max(math.ceil(self.stop * rate - 1e-6), first + 1)

    def centre(self, rate: float) -> int:
        """Find the frame in which the word's middle lies, at so many frames a second."""
        return math.floor((self.start + self.stop) / 2 * rate + 1e-6)


def read_align(path: str | os.PathLike[str]) -> list[Word]:
    """Read an alignment of GRID: lines of start, end and word, without silence and short pauses.

    A `FormatError` says that a line is no interval, or intervals overlap.
    """
    words: list[Word] = []
    last = 0.0
    for number, line in enumerate(read_text(path, limit=_LIMIT).splitlines(), 1):
        parts = line.split()
        if not parts:
            continue
        try:
            start, stop, text = float(parts[0]) / _UNIT, float(parts[1]) / _UNIT, parts[2]
        except (ValueError, IndexError):
            cause = f"{line.strip()[:60]!r} is no `START END WORD`"
            raise FormatError(path, cause, line=number) from None
        if not (last - 1e-9 <= start < stop < math.inf):
            cause = f"{start:g} to {stop:g} s does not follow what ends at {last:g} s"
            raise FormatError(path, cause, line=number)
        last = stop
        if text not in _SILENT:
            words.append(Word(text, start, stop))
    if not words:
        raise FormatError(path, "holds no words", remedy="give an alignment of GRID")
    return words


def spell(words: Sequence[str]) -> str:
    """Return the name that GRID gives a sentence of six words, as `bbaf2n`, or an empty one."""
    if len(words) != len(GRID_SLOTS) or any(
        w not in slot for w, slot in zip(words, GRID_SLOTS, strict=True)
    ):
        return ""
    return "".join(_letter(word) for word in words)


def _letter(word: str) -> str:
    """Return the character that stands for a word in the name of a sentence."""
    digits = _DIGITS.split()
    return str(digits.index(word)) if word in digits[1:] else word[0]


def spelled(name: str) -> tuple[str, ...]:
    """Return the six words of a sentence by the name that GRID gives it, as `bbaf2n`.

    Empty where it is no such name.
    """
    slots = [{_letter(word): word for word in slot} for slot in GRID_SLOTS]
    words = tuple(slot.get(letter, "") for slot, letter in zip(slots, name, strict=False))
    return words if spell(words) == name else ()


def checked_sentence(path: Path, words: Sequence[Word]) -> None:
    """Check that a GRID file's words are those that its name spells: no other clip's alignment."""
    texts = [word.text for word in words]
    name = sentence_name(path)
    if spell(texts) != name:
        cause = f"says {' '.join(texts)!r}, which is not what {name!r} spells"
        raise FormatError(path, cause, remedy="put the clip's own alignment beside it")


def sentence_name(path: Path) -> str:
    """Return the name of a GRID file's sentence: what follows a talker's, as in `s2_swwp2s`."""
    return path.stem.split("_")[-1]
