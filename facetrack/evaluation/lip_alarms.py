"""How often a word is heard where none of the words is said, and how late words come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.stats import chi2

from facetrack.evaluation.lip_reject import NEAR, Heard, counted, trade, trade_table
from facetrack.lips.activity import activity, lip_opening, speech
from facetrack.lips.clips import RATE
from facetrack.lips.crops import HALF
from facetrack.lips.datasets import Item, LabelledClip
from facetrack.lips.enrol import load_words
from facetrack.lips.preparing import Prepared
from facetrack.lips.reader import load_reader
from facetrack.lips.rejection import NOTHING, Reject
from facetrack.lips.stream import LipStream, ReadWord
from facetrack.parallel import Map
from facetrack.reporting.tables import Part, Table

_KINDS: Final = ("talking", "silence")
_SHOWN: Final = {"every": "", "kept": ", with the reject"}


@dataclass(frozen=True, slots=True)
class _Heard:
    """What was heard in a clip: false words and frames by kind, right words, delays."""

    alarms: tuple[tuple[Heard, ...], tuple[Heard, ...]]
    frames: tuple[int, int]
    right: int
    late: tuple[int, ...]
    texts: str


def score_alarms(
    items: Sequence[Item], crops: Path, *, reader: str, words: str = "", map_: Map = map
) -> dict[str, Any]:
    """Read prepared clips as a stream and count the words that are not said there.

    With words: talking is from the first to the last of them, and a word that is said there is no
    false one. Without: talking is where the mouth's activity over the whole clip says so, and every
    word is a false one. `words` is a person's own file, empty for the reader's. Intervals are exact
    for counts, of 95 %; `kept` is what the reader's reject leaves; `late` counts frames from a
    word's last one to its answer.
    """
    heard = list(map_(partial(_heard, crops=crops, reader=reader, words=words), items))
    hours = [sum(one.frames[kind] for one in heard) / RATE / 3600 for kind in (0, 1)]
    late = np.array([frames for one in heard for frames in one.late])
    at = np.percentile(late, [50, 95, 100]).tolist() if len(late) else [None] * 3
    reject = NOTHING if words else load_reader(reader).reject  # of the reader's own words
    false = [[one.alarms[kind] for one in heard] for kind in (0, 1)]
    return {
        "hours": dict(zip(_KINDS, hours, strict=True)),
        "every": _rates(false, hours, NOTHING),
        "kept": _rates(false, hours, reject),
        "reject": None if reject == NOTHING else asdict(reject),
        "trade": trade(false[0], 0, hours[0], reject.energy) if hours[0] else [],
        "right": sum(one.right for one in heard),
        "late": {"n": len(late), **dict(zip(("median", "p95", "most"), at, strict=True))},
        "clips": {item.key: one.texts for item, one in zip(items, heard, strict=True)},
    }  # fmt: skip


def _rates(
    false: Sequence[Sequence[Sequence[Heard]]], hours: Sequence[float], reject: Reject
) -> dict[str, dict[str, Any]]:
    counts = [counted(clips, reject)[1] for clips in false]
    pairs = list(zip(_KINDS, counts, hours, strict=True))
    return {
        "alarms": {kind: count for kind, count, _ in pairs},
        "per_hour": {kind: count / time if time else None for kind, count, time in pairs},
        "interval": {kind: _interval(count, time) for kind, count, time in pairs},
    }


def _interval(count: int, hours: float) -> list[float] | None:
    """Return the exact 95 % interval of a rate (Garwood 1936)."""
    if not hours:
        return None
    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return [float(low / hours), float(chi2.ppf(0.975, 2 * count + 2) / 2 / hours)]


def _heard(item: Item, *, crops: Path, reader: str, words: str) -> _Heard:
    loaded = load_reader(reader)
    own = load_words(words, loaded) if words else None
    (one,) = Prepared([item], crops, hold=False)
    stream, late, found = LipStream(loaded, own, NOTHING), list[int](), list[ReadWord]()
    for number, frame in enumerate(one.clip.frames()):
        said = stream.push(frame)
        late += [number + HALF - _frame(one, word.stop) for word in said]
        found += said
    found += stream.finish()
    talking = _talking(one)
    alarms: tuple[list[Heard], list[Heard]] = ([], [])
    wrong = [word for word in found if not _said(one, word)]
    for word in wrong:
        middle = _frame(one, (word.start + word.stop) / 2)
        alarms[0 if talking[middle] else 1].append(Heard(word.probability, word.energy, -1))
    return _Heard(
        (tuple(alarms[0]), tuple(alarms[1])),
        (int(talking.sum()), int((~talking).sum())),
        len(found) - len(wrong),
        tuple(late),
        " ".join(word.text for word in found),
    )


def _frame(one: LabelledClip, time: float) -> int:
    return min(round((time - one.clip.start) * RATE), len(one.clip) - 1)


def _talking(one: LabelledClip) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return for each frame whether a person talks."""
    talking = np.zeros(len(one.clip), dtype=bool)
    if one.words:
        parts = [(one.words[0].frames(RATE)[0], one.words[-1].frames(RATE)[1])]
    else:
        parts = speech(activity([lip_opening(points) for points in one.clip.points]))
    for first, stop in parts:
        talking[max(first, 0) : stop] = True
    return talking


def _said(one: LabelledClip, word: ReadWord) -> bool:
    """Return whether a word that was heard is said there, give or take three frames."""
    centre = _frame(one, (word.start + word.stop) / 2)
    return any(w.text == word.text and abs(w.centre(RATE) - centre) <= NEAR for w in one.words)


def alarm_table(details: Mapping[str, Any]) -> list[Part]:
    """Lay out the measures for a person."""
    rows = []
    shown = {"every": ""} if details["reject"] is None else _SHOWN
    for key, label in shown.items():
        for kind in _KINDS:
            rate, ends = details[key]["per_hour"][kind], details[key]["interval"][kind]
            between = f"{ends[0]:.0f} to {ends[1]:.0f}" if ends else "none"
            an_hour = "none" if rate is None else f"{rate:.0f}"
            minutes = f"{60 * details['hours'][kind]:.1f}"
            count = details[key]["alarms"][kind]
            rows.append([f"{kind}{label}", minutes, count, an_hour, between])
    late = details["late"]
    parts: list[Part] = [
        f"Words heard where none of them is said; {details['right']} heard where they are, without "
        "the reject.",
        Table(["", "minutes", "false words", "an hour", "95 %"], rows),
    ]
    if details["trade"]:
        parts += ["", trade_table(details["trade"], right=False)]
    if late["n"]:
        parts += [
            "",
            f"From a word's last frame to its answer: {late['median']:.0f} frames (median of "
            f"{late['n']} words that came before a clip's end), 95 % within {late['p95']:.0f}, "
            f"{late['most']:.0f} at most; 25 frames a second.",
        ]
    return parts
