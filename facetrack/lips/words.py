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

__all__ = ["GRID_SLOTS", "GRID_WORDS", "SLOT_NAMES", "Word", "read_align", "spell"]

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
_LONGEST: Final = 0.1  # seconds by which an alignment may end after its clip


@dataclass(frozen=True, slots=True)
class Word:
    """A word that was said.

    Attributes
    ----------
    text : str
    start, stop : float
        Seconds from the clip's first frame; it ends where the next may begin.
    """

    text: str
    start: float
    stop: float

    def frames(self, rate: float) -> tuple[int, int]:
        """Find the frames of the word.

        Parameters
        ----------
        rate : float
            Frames a second.

        Returns
        -------
        (int, int)
            The first, and the one after the last.

        Notes
        -----
        Rounded outwards, so that a word of a single frame never vanishes.
        """
        first = math.floor(self.start * rate + 1e-6)
        return first, max(math.ceil(self.stop * rate - 1e-6), first + 1)

    def centre(self, rate: float) -> int:
        """Find the frame in which the word's middle lies.

        Parameters
        ----------
        rate : float
            Frames a second.

        Returns
        -------
        int
        """
        return math.floor((self.start + self.stop) / 2 * rate + 1e-6)


def read_align(path: str | os.PathLike[str], *, duration: float | None = None) -> list[Word]:
    """Read an alignment of GRID: lines of start, end and word.

    Parameters
    ----------
    path : path-like
    duration : float, optional
        Seconds of the clip that it is said to be of.

    Returns
    -------
    list of Word
        In order; silence and short pauses are left out.

    Raises
    ------
    FormatError
        If a line is no interval, intervals overlap, or it ends 0.1 s or more after the clip.
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
    if duration is not None and last > duration + _LONGEST:
        cause = f"ends at {last:.2f} s, the clip after {duration:.2f} s: of another clip"
        raise FormatError(path, cause, remedy="put the clip's own alignment beside it")
    return words


def spell(words: Sequence[str]) -> str:
    """Return the name that GRID gives a sentence of six words, as `bbaf2n`.

    Parameters
    ----------
    words : sequence of str

    Returns
    -------
    str
        Empty where the words are no sentence of its grammar.
    """
    if len(words) != len(GRID_SLOTS) or any(
        w not in slot for w, slot in zip(words, GRID_SLOTS, strict=True)
    ):
        return ""
    digit = words[4][0] if words[4] == "zero" else str(_DIGITS.split().index(words[4]))
    return "".join((words[0][0], words[1][0], words[2][0], words[3], digit, words[5][0]))


def checked_sentence(path: Path, words: Sequence[Word]) -> None:
    """Check that a GRID file's words are those that its name spells.

    Raises
    ------
    FormatError
        If they are not: an alignment of another clip.
    """
    texts = [word.text for word in words]
    name = path.stem.split("_")[-1]
    if spell(texts) != name:
        cause = f"says {' '.join(texts)!r}, which is not what {name!r} spells"
        raise FormatError(path, cause, remedy="put the clip's own alignment beside it")
