"""Labelled events of clips: files of frames, and stretches of another program's channels."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError
from facetrack.formats.textfile import read_text

NEGATIVE: Final = "no_"  # before an event's name: a stretch in which there is none
_MAX_BYTES: Final = 1 << 26
_COLUMNS: Final = ("clip", "label", "start", "apex", "end")


@dataclass(frozen=True, slots=True)
class Label:
    """An event in a clip, or a stretch without one."""

    name: str  # of the event; after `no_`, of what there is none of
    start: int  # frames from 0, all of them belonging to it
    apex: int  # of a stretch, its start
    stop: int


def read_labels(path: str | os.PathLike[str]) -> dict[str, list[Label]]:
    """Read labels by clip: CSV with clip, label, start, apex (may be empty), end; frames from 0."""
    reader = csv.DictReader(read_text(path, limit=_MAX_BYTES).splitlines())
    missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise FormatError(path, f"the column {missing[0]!r} is missing")
    found: dict[str, list[Label]] = {}
    for row in reader:
        try:
            start, stop = int(row["start"]), int(row["end"])
            label = Label(row["label"], start, int(row["apex"] or start), stop)
            if not 0 <= label.start <= label.apex <= label.stop:
                raise ValueError(f"frames {start}, {label.apex}, {stop} are in no order")
        except (TypeError, ValueError) as error:
            raise FormatError(path, str(error), line=reader.line_num) from error
        found.setdefault(row["clip"], []).append(label)
    return found


def channel_events(
    channels: Mapping[str, npt.NDArray[np.float64]],
    name: str,
    *,
    level: float = 0.5,
    gap: int = 2,
    shortest: int = 2,
    longest: int = 15,
) -> dict[str, list[Label]]:
    """Take stretches of a channel above a level, by clip; the apex is where it is largest."""
    # `gap` frames below the level do not end an event; shorter and longer events are left out.
    found: dict[str, list[Label]] = {}
    for clip, values in channels.items():
        above = np.flatnonzero(values > level)
        breaks = np.flatnonzero(np.diff(above) > gap + 1) + 1
        runs = [run for run in np.split(above, breaks) if run.size]
        spans = [(int(run[0]), int(run[-1])) for run in runs]
        found[clip] = [
            Label(name, start, start + int(np.nanargmax(values[start : stop + 1])), stop)
            for start, stop in spans
            if shortest <= stop - start + 1 <= longest
        ]
    return found
