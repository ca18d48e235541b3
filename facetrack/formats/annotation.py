"""Stretches of time with a value: what ELAN and WebVTT files hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from facetrack.errors import InputError
from facetrack.formats.table import NO_FACE, TrackTable

MAX_SECONDS = 1e9  # thirty years; keeps milliseconds exact


@dataclass(frozen=True, slots=True)
class Annotation:
    """One stretch of time.

    Attributes
    ----------
    tier : str
        What it speaks of, such as `face 0`.
    start, end : float
        Seconds from the start of the video; the end is the first moment that no longer belongs.
    value : str
        What is said.
    """

    tier: str
    start: float
    end: float
    value: str


def track_annotations(table: TrackTable) -> list[Annotation]:
    """Say when each face was tracked and when and why it was lost.

    Parameters
    ----------
    table : TrackTable
        Rows with timestamps that grow from frame to frame.

    Returns
    -------
    list of Annotation
        Tier `face N`; value `tracked`, `lost` or `lost: reason`; ordered by face and time, without
        overlap. A frame lasts until the next one; the last one as long as the median frame.

    Raises
    ------
    InputError
        If timestamps are missing, negative or do not grow.
    """
    frames, first = np.unique(table.frame, return_index=True)
    times = table.timestamp[first]
    if not (np.isfinite(times).all() and (times >= 0).all() and (np.diff(times) > 0).all()):
        raise InputError("timestamps must be known, not negative and grow from frame to frame")
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.001
    ends = np.append(times[1:], times[-1:] + step)
    annotations: list[Annotation] = []
    positions = np.searchsorted(frames, table.frame)
    for face in table.face_ids:
        rows = np.flatnonzero(table.face_id == face)
        rows = rows[np.argsort(table.frame[rows], kind="stable")]
        annotations.extend(_stretches(table, face, rows.tolist(), positions, times, ends))
    return annotations


def _stretches(
    table: TrackTable,
    face: int,
    rows: list[int],
    positions: np.ndarray[tuple[int], np.dtype[np.intp]],
    times: np.ndarray[tuple[int], np.dtype[np.float64]],
    ends: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> list[Annotation]:
    """Join the rows of one face that follow each other and say the same."""
    found: list[Annotation] = []
    previous = NO_FACE
    for row in rows:
        position = int(positions[row])
        reason = table.reason[row]
        value = "tracked" if table.success[row] else f"lost: {reason}" if reason else "lost"
        start, end = float(times[position]), float(ends[position])
        if found and position == previous + 1 and found[-1].value == value:
            start = found.pop().start
        found.append(Annotation(f"face {face}", start, end, value))
        previous = position
    return found


def in_milliseconds(annotations: Iterable[Annotation]) -> list[tuple[int, int, Annotation]]:
    """Round times so that every annotation lasts and those of a tier do not overlap.

    Parameters
    ----------
    annotations : iterable of Annotation
        Those of one tier ordered by time.

    Returns
    -------
    list of (int, int, Annotation)
        Start and end in milliseconds, the end at least 1 ms after the start; in the given order.

    Raises
    ------
    InputError
        If a time is not finite, negative, beyond thirty years, or an end comes before its start;
        or if annotations of a tier overlap by more than rounding.
    """
    rounded = []
    free: dict[str, int] = {}
    reached: dict[str, float] = {}
    for a in annotations:
        if not 0 <= a.start <= a.end <= MAX_SECONDS:
            raise InputError(f"annotation {a.value!r:.40} has times {a.start} to {a.end} s")
        if a.start < reached.get(a.tier, 0.0):
            raise InputError(f"annotations of tier {a.tier!r:.40} overlap at {a.start} s")
        start = max(round(1000 * a.start), free.get(a.tier, 0))
        end = max(round(1000 * a.end), start + 1)
        free[a.tier], reached[a.tier] = end, a.end
        rounded.append((start, end, a))
    return rounded
