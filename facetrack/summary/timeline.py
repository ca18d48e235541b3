"""One person's signals over the time of a video, in which every frame has its own duration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.formats.durations import frame_ends
from facetrack.formats.signals_csv import Series, SignalTable
from facetrack.formats.table import NO_FACE
from facetrack.reading import HUMAN, EventRecord, Kind
from facetrack.signals.estimator import LOST
from facetrack.signals.registry import estimators
from facetrack.summary.spans import Span

NOT_THERE: Final = "the face is not there"
NO_PICTURE: Final = "no picture"
UNSAID: Final = "no reason is given"
_EPS: Final = 1e-6  # seconds: rounding of files

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Timeline:
    """One person over all frames of a video.

    Attributes
    ----------
    face_id : int
    start, stop : ndarray, shape (n,), float64
        Seconds: pieces that follow each other, one for every frame, and one for every stretch
        without a picture; that of excluded frames has no length, so that it counts nowhere.
    signals : dict of str to Series
        Values of length n.
    seen : ndarray, shape (n,), bool
        Whether the face is tracked.
    reason : tuple of str, length n
        Why it is not.
    events : tuple of EventRecord
        By their starts. A machine's event that overlaps one of the same kind that a person vouches
        for is left out: the person's counts.
    sought : dict of str to tuple of str
        The kinds of events that were looked for, each with the signals of its estimator: where all
        of them are unknown, the kind could not have been found.
    name : str
        The person's name; empty where there is none.
    """

    face_id: int
    start: Floats
    stop: Floats
    signals: dict[str, Series]
    seen: Flags
    reason: tuple[str, ...]
    events: tuple[EventRecord, ...]
    sought: dict[str, tuple[str, ...]]
    name: str = ""

    @property
    def title(self) -> str:
        """Name and number of the person."""
        return f"{self.name} (face {self.face_id})" if self.name else f"face {self.face_id}"

    @property
    def whole(self) -> Span:
        """All of it."""
        return Span("whole video", float(self.start[0]), float(self.stop[-1]))

    def weights(self, span: Span) -> Floats:
        """Measure how much of every piece lies within a span.

        Parameters
        ----------
        span : Span

        Returns
        -------
        ndarray, shape (n,), float64
            Seconds.
        """
        inside: Floats = np.zeros(len(self.start))
        for start, stop in span.stretches:
            first = int(np.searchsorted(self.stop, start, side="right"))
            end = int(np.searchsorted(self.start, stop))
            part = np.minimum(self.stop[first:end], stop) - np.maximum(self.start[first:end], start)
            inside[first:end] += part.clip(min=0.0)
        return inside

    def piece(self, time: float) -> int:
        """Return the number of the piece in which a time lies.

        Parameters
        ----------
        time : float
            Seconds.

        Returns
        -------
        int
            Outside of all pieces that of the nearest one.
        """
        return max(int(np.searchsorted(self.start, time + _EPS, side="right")) - 1, 0)


def people(table: SignalTable) -> list[int]:
    """Return the ids of all faces in a table.

    Parameters
    ----------
    table : SignalTable

    Returns
    -------
    list of int
        Ascending.
    """
    return [int(i) for i in np.unique(table.face_id) if i != NO_FACE]


def timeline(
    table: SignalTable,
    face_id: int,
    events: Iterable[EventRecord] = (),
    asked: Mapping[str, Sequence[str]] | None = None,
) -> Timeline:
    """Lay out what is known of one person.

    Parameters
    ----------
    table : SignalTable
        Of the whole video.
    face_id : int
    events : iterable of EventRecord
        Of everybody.
    asked : mapping of str to sequence of str, optional
        The estimators that ran, with the names of their values and events that were wanted. Without
        it only those kinds of events count as looked for that were found in the video.

    Returns
    -------
    Timeline

    Raises
    ------
    InputError
        If the table is empty, or timestamps are missing or go back.
    """
    frames, first = np.unique(table.frame, return_index=True)
    times = table.timestamp[first]
    start, stop, place = _pieces(frames, times)
    rows = np.flatnonzero(table.face_id == face_id)
    where = place[np.searchsorted(frames, table.frame[rows])]
    blank = np.full(len(start), NO_PICTURE, dtype=object)
    blank[place] = NOT_THERE
    signals = {name: _spread(s, rows, where, blank) for name, s in table.signals.items()}
    seen = np.zeros(len(start), dtype=np.bool_)
    seen[where] = True
    reason = _absence(signals, seen, blank)
    everybody = list(events)
    mine = [record for record in everybody if record.face_id == face_id]
    return Timeline(
        face_id, start, stop, signals, seen, reason, _counted(mine),
        _sought(table, everybody, asked), table.people.get(face_id, ""),
    )  # fmt: skip


def _pieces(
    frames: npt.NDArray[np.int64], times: Floats
) -> tuple[Floats, Floats, npt.NDArray[np.intp]]:
    """Give start and stop of every piece, and the place of every frame among them."""
    if len(times) == 0:
        raise InputError("there are no frames")
    if np.isnan(times).all():
        raise InputError("pictures by themselves have no time, so nothing is counted per minute")
    wrong = ~(np.append(np.diff(times), 0.0) >= 0)
    if wrong.any() or not np.isfinite(times).all():
        frame = int(frames[np.argmax(wrong)]) + 1
        raise InputError(f"the timestamps are missing or go back after frame {frame}")
    ends = frame_ends(frames, times)
    gap = np.flatnonzero(ends[:-1] < times[1:])
    excluded = frames[gap + 1] > frames[gap] + 1
    start = np.concatenate([times, ends[gap]])
    stop = np.concatenate([ends, np.where(excluded, ends[gap], times[gap + 1])])
    order = np.argsort(start, kind="stable")
    return start[order], stop[order], np.argsort(order)[: len(times)]


def _spread(
    series: Series,
    rows: npt.NDArray[np.intp],
    where: npt.NDArray[np.intp],
    blank: npt.NDArray[np.object_],
) -> Series:
    """Lay a person's rows of a signal out over all pieces."""

    def numbers(values: Floats) -> Floats:
        spread = np.full(len(blank), nan)
        spread[where] = values[rows]
        return spread

    reason = blank.copy()
    reason[where] = [series.reason[row] or UNSAID for row in rows.tolist()]
    value = numbers(series.value)
    reason[np.isfinite(value)] = ""
    low, high = numbers(series.low), numbers(series.high)
    return Series(value, low, high, tuple(reason.tolist()), series.model)


def _absence(
    signals: Mapping[str, Series], seen: Flags, blank: npt.NDArray[np.object_]
) -> tuple[str, ...]:
    """Take lost frames out of `seen`; return why the face is not seen."""
    why = blank.copy()
    for series in signals.values():
        for i in np.flatnonzero(seen & ~np.isfinite(series.value)).tolist():
            if series.reason[i].startswith(LOST):
                seen[i], why[i] = False, series.reason[i]
    why[seen] = ""
    return tuple(why.tolist())


def _counted(records: Sequence[EventRecord]) -> tuple[EventRecord, ...]:
    """Leave out what a person has replaced."""
    human = [record for record in records if record.source == HUMAN]
    kept = (
        record
        for record in records
        if record.source == HUMAN or not any(_same(record, other) for other in human)
    )
    return tuple(sorted(kept, key=lambda r: (r.event.start, r.event.stop, r.event.name)))


def _same(record: EventRecord, other: EventRecord) -> bool:
    a, b = record.event, other.event
    return a.name == b.name and a.start <= b.stop and b.start <= a.stop


def _sought(
    table: SignalTable, records: Iterable[EventRecord], asked: Mapping[str, Sequence[str]] | None
) -> dict[str, tuple[str, ...]]:
    known = estimators()

    def beside(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in names if name in table.signals)

    sought = {
        name: beside(names)
        for names in (asked or {}).values()
        for name in names
        if name not in table.signals
    }
    for record in records:
        name = record.event.name
        owner = known.get(record.estimator) or next(
            (e for e in known.values() if any(s.name == name for s in e.specs)), None
        )
        specs = owner.specs if owner is not None else ()
        sought.setdefault(name, beside(s.name for s in specs if s.kind != Kind.EVENT))
    return sought
