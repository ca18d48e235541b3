"""Clips whose words are known: GRID, LRW, LRW-1000, AVLetters and folders of one's own words."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from facetrack.errors import FormatError, InputError
from facetrack.formats.textfile import read_text
from facetrack.lips.clips import RATE, LipClip
from facetrack.lips.words import Word, checked_sentence, read_align, sentence_name, spelled

TRAIN, VALIDATION, TEST = "train", "val", "test"
_LRW_CENTRE: Final = 14.5 / RATE  # seconds: the middle of 29 frames
_TESTED_TAKE: Final = 3  # of AVLetters, where no talker is left out
_CONTEXT: Final = 15  # frames around a word of LRW-1000 that are read with it
_LIMIT: Final = 1 << 28  # bytes of a list
_LISTS: Final = {TRAIN: "trn_1000.txt", VALIDATION: "val_1000.txt", TEST: "tst_1000.txt"}


@dataclass(frozen=True, slots=True)
class Item:
    """A clip that can be prepared."""

    key: str  # its name within the data set, with `/` between folders
    source: Path  # a video; of LRW-1000 a folder of mouth crops, of AVLetters a video of them
    # Seconds from the first frame; empty where it is not known when they are said.
    words: tuple[Word, ...]
    part: str = TEST  # `train`, `val` or `test`
    # Of mouths only: the first number of a crop's file or frame and the one after the last.
    frames: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LabelledClip:
    """A clip and the words in it."""

    clip: LipClip
    words: tuple[Word, ...]  # seconds from the clip's first frame


def grid(folder: Path, *, tell: Callable[[str], None] = lambda line: None) -> list[Item]:
    """List the clips of a GRID folder that have an alignment.

    `NAME.mp4` (or .mpg) with `NAME.align`. All are of part `test`; see `set_aside`. `tell` takes a
    line about each clip that is left out.
    """
    found = _each(sorted([*folder.glob("*.mp4"), *folder.glob("*.mpg")]), _aligned, tell)
    return _some(found, folder, "clips `NAME.mp4` with `NAME.align` of GRID's sentences")


def grid_named(folder: Path, *, tell: Callable[[str], None] = lambda line: None) -> list[Item]:
    """List the clips of a GRID folder, also those without an alignment: their names say the words.

    They are `NAME.mp4` or `TALKER_NAME.mp4`; without `.align` words have no times, 0 to 0. `tell`
    takes a line about each clip that is left out; InputError if none is left.
    """

    def words(path: Path) -> tuple[Word, ...]:
        if path.with_suffix(".align").is_file():
            return _aligned(path)
        said = spelled(sentence_name(path))
        if not said:
            raise FormatError(path, "its name spells no sentence of GRID", remedy="as bbaf2n.mp4")
        return tuple(Word(text, 0.0, 0.0) for text in said)

    found = _each(sorted([*folder.glob("*.mp4"), *folder.glob("*.mpg")]), words, tell)
    return _some(found, folder, "clips named by GRID's sentences")


def talkers(folder: Path, *, tell: Callable[[str], None] = lambda line: None) -> list[Item]:
    """List videos of people who talk or are silent, whatever they say.

    An alignment of GRID beside one says when it is silent; `words` are empty without. `tell` takes
    a line about each video that is left out.
    """
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in _VIDEOS)
    found = _each(paths, lambda p: _aligned(p) if p.with_suffix(".align").is_file() else (), tell)
    return _some(found, folder, "videos")


def _each(
    paths: Sequence[Path], words: Callable[[Path], tuple[Word, ...]], tell: Callable[[str], None]
) -> list[Item]:
    """Make an item of each clip; those whose words are wrong are told and left out."""
    items = []
    for path in paths:
        try:
            items.append(Item(path.stem, path, words(path)))
        except FormatError as error:
            tell(str(error))
    return items


def _aligned(path: Path) -> tuple[Word, ...]:
    """Read the alignment of a GRID clip."""
    align = path.with_suffix(".align")
    if not align.is_file():
        raise FormatError(path, "has no alignment", remedy=f"put {align.name} beside it")
    words = read_align(align)
    checked_sentence(align, words)
    return tuple(words)


def lrw(root: Path, *, tell: Callable[[str], None] = lambda line: None) -> list[Item]:
    """List the clips of LRW: `WORD/{train,val,test}/WORD_00001.mp4`, each with a `.txt`.

    `tell` takes a line about each clip that is left out.
    """
    items = []
    for path in sorted(root.glob("*/*/*.mp4")):
        word, part = path.parent.parent.name, path.parent.name
        if part not in (TRAIN, VALIDATION, TEST):
            continue
        try:
            half = _duration(path.with_suffix(".txt")) / 2
        except FormatError as error:
            tell(str(error))
            continue
        said = Word(word, max(_LRW_CENTRE - half, 0.0), _LRW_CENTRE + half)
        items.append(Item(f"{word}/{part}/{path.stem}", path, (said,), part))
    return _some(items, root, "`WORD/{train,val,test}/*.mp4`")


def lrw1000(root: Path, *, tell: Callable[[str], None] = lambda line: None) -> list[Item]:
    """List the words of LRW-1000: `images/ID/N.jpg` with `info/{trn,val,tst}_1000.txt`.

    Fifteen frames around each word are read with it, as far as there are any. `tell` takes a line
    about each row that is left out; InputError if there are none, FormatError if a line is broken.
    """
    items = []
    for part, name in _LISTS.items():
        path = root / "info" / name
        text = read_text(path, limit=_LIMIT) if path.is_file() else ""
        for number, row in enumerate(csv.reader(text.splitlines()), 1):
            if not row:
                continue
            try:
                folder, pinyin, start, stop = row[0], row[2].strip(), float(row[3]), float(row[4])
            except (IndexError, ValueError):
                cause = "no `FOLDER,WORD,PINYIN,START,END`"
                raise FormatError(path, cause, line=number) from None
            source = root / "images" / folder.strip()
            if not source.is_dir():
                tell(f"{path}, line {number}: there is no folder {source}")
                continue
            first = max(math.floor(start * RATE) - _CONTEXT, 0)
            end = math.ceil(stop * RATE) + _CONTEXT
            word = Word(pinyin, start - first / RATE, stop - first / RATE)
            frames = (first + 1, end + 1)  # files count from 1
            items.append(Item(f"{part}/{number:06d}", source, (word,), part, frames))
    return _some(items, root, "`images/ID/N.jpg` with `info/trn_1000.txt`")


def own_words(folder: Path) -> list[Item]:
    """List the takes of a person's own words: `WORD/clip.mp4`; the word has no times, 0 to 0."""
    paths = sorted(p for p in folder.glob("*/*") if p.suffix.lower() in _VIDEOS)
    items = [Item(f"{p.parent.name}/{p.stem}", p, (Word(p.parent.name, 0.0, 0.0),)) for p in paths]
    return _some(items, folder, "takes `WORD/clip.mp4`")


def avletters(
    root: Path, *, left_out: str = "", tell: Callable[[str], None] = lambda line: None
) -> list[Item]:
    """List the letters of AVLetters: `ROOT/TALKER.mp4`, mouths only, with `ROOT.csv` beside it.

    Matthews et al., "Extraction of visual features for lipreading", IEEE PAMI 24(2), 2002.

    Keys are `TALKER/LETTER_TAKE`. The test part is the talker `left_out`, or else everybody's third
    take; the rest is `train`. `tell` takes a line about each row that is left out.
    """
    items, path = [], root.with_name(f"{root.name}.csv")
    lines = read_text(path, limit=_LIMIT).splitlines()
    for number, row in enumerate(csv.DictReader(lines), 2):
        try:
            talker, letter, take = row["talker"], row["letter"], int(row["take"])
            first, frames = int(row["first_frame"]), int(row["frames"])
        except (KeyError, TypeError, ValueError):
            cause = "no `talker,letter,take,first_frame,frames`"
            raise FormatError(path, cause, line=number) from None
        source = root / f"{talker}.mp4"
        if not source.is_file():
            tell(f"{path}, line {number}: there is no file {source}")
            continue
        tests = talker == left_out if left_out else take == _TESTED_TAKE
        said = Word(letter, 0.0, frames / RATE)
        key, part = f"{talker}/{letter}_{take}", TEST if tests else TRAIN
        items.append(Item(key, source, (said,), part, (first, first + frames)))
    if items and not any(item.part == TEST for item in items):
        raise InputError(f"{path}: holds nothing of {left_out or 'a third take'}")
    return _some(items, root, "`TALKER.mp4`")


DATASETS: Final[dict[str, Callable[..., list[Item]]]] = {
    "grid": grid,
    "lrw": lrw,
    "lrw1000": lrw1000,
    "avletters": avletters,
    **{f"avletters-t{n:02}": partial(avletters, left_out=f"t{n:02}") for n in range(1, 11)},
}
MEASURED: Final = {**DATASETS, "grid-named": grid_named, "talkers": talkers}
_VIDEOS: Final = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".m4v")


def set_aside(items: Sequence[Item], count: int) -> list[Item]:
    """Choose sentences of GRID for validation; those with the same first four words stay together.

    At least `count` are set aside; the order stays, the parts are `train` and `val`.
    """
    groups = sorted({item.key[:4] for item in items})
    aside: set[str] = set()
    for number in np.random.default_rng(0).permutation(len(groups)):
        if sum(item.key[:4] in aside for item in items) >= count:
            break
        aside.add(groups[number])
    return [
        Item(i.key, i.source, i.words, VALIDATION if i.key[:4] in aside else TRAIN, i.frames)
        for i in items
    ]


def words_of(items: Sequence[Item]) -> tuple[str, ...]:
    """Return the words of items, each once, sorted."""
    return tuple(sorted({word.text for item in items for word in item.words}))


def _duration(path: Path) -> float:
    """Read a word's duration in seconds: `Duration: 0.53 seconds`."""
    if not path.is_file():
        raise FormatError(path, "no such file", remedy="copy LRW whole")
    for line in read_text(path, limit=_LIMIT).splitlines():
        if line.startswith("Duration:"):
            try:
                return float(line.split()[1])
            except (IndexError, ValueError):
                break
    raise FormatError(path, "has no line `Duration: SECONDS seconds`")


def _some(items: list[Item], folder: Path, wanted: str) -> list[Item]:
    if not items:
        raise InputError(f"{folder}: holds no {wanted}")
    return items
