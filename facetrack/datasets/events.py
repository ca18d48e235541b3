"""Labelled events of clips: files of frames, and channels of another program."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError, InputError
from facetrack.formats.npz import read_whole_npz
from facetrack.formats.textfile import read_text

NEGATIVE: Final = "no_"  # before an event's name: a stretch in which there is none
_MAX_BYTES: Final = 1 << 26
_COLUMNS: Final = ("clip", "label", "start", "apex", "end")


@dataclass(frozen=True, slots=True)
class Label:
    """An event in a clip, or a stretch without one.

    Attributes
    ----------
    name : str
        Of the event; after `no_`, of what there is none of.
    start, apex, stop : int
        Frames from 0, all of them belonging to it; the apex of a stretch is its start.
    """

    name: str
    start: int
    apex: int
    stop: int


def read_labels(path: str | os.PathLike[str]) -> dict[str, list[Label]]:
    """Read labelled events.

    Parameters
    ----------
    path : path-like
        CSV with the columns clip, label, start, apex, end; frames from 0, the apex may be empty.

    Returns
    -------
    dict of str to list of Label
        By clip.

    Raises
    ------
    FormatError
        If a column is missing or a row is wrong.
    """
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


def read_channels(
    path: str | os.PathLike[str], names: Sequence[str]
) -> dict[str, npt.NDArray[np.float64]]:
    """Read the mean of some channels of another program.

    Parameters
    ----------
    path : path-like
        .npz with one array (frames, channels) a clip, and `categories`, the channels' names.
    names : sequence of str
        The channels.

    Returns
    -------
    dict of str to ndarray, shape (frames,), float64
        By clip; NaN where a channel says nothing.

    Raises
    ------
    FormatError
        If the file or an array in it is of another form.
    InputError
        If there is no such channel.
    """
    arrays = read_whole_npz(path)
    if "categories" not in arrays:
        raise FormatError(path, "the array 'categories' with the channels' names is missing")
    known = [str(name) for name in arrays.pop("categories")]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(f"{path}: has no channel {unknown[0]!r}; it has {', '.join(known)}")
    columns = [known.index(name) for name in names]
    wrong = [clip for clip, a in arrays.items() if a.ndim != 2 or a.shape[1] != len(known)]
    if wrong:
        raise FormatError(path, f"{wrong[0]!r} has no {len(known)} channels a frame")
    return {clip: a[:, columns].astype(np.float64).mean(axis=1) for clip, a in arrays.items()}


def channel_events(
    channels: Mapping[str, npt.NDArray[np.float64]],
    name: str,
    *,
    level: float = 0.5,
    gap: int = 2,
    shortest: int = 2,
    longest: int = 15,
) -> dict[str, list[Label]]:
    """Take the stretches in which a channel lies above a level as events.

    Parameters
    ----------
    channels : mapping of str to ndarray, shape (frames,)
        By clip; from `read_channels`.
    name : str
        What the events are called.
    level : float
        The channel lies above it.
    gap : int
        Frames below the level that do not end an event.
    shortest, longest : int
        Frames; what is shorter or longer is left out.

    Returns
    -------
    dict of str to list of Label
        By clip; the apex is where the channel is largest.
    """
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
