"""Stretches of time with a value: what ELAN and WebVTT files hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.face import Source
from facetrack.formats.durations import frame_ends
from facetrack.formats.table import NO_NAMES, Names, TrackTable
from facetrack.reading import HUMAN, EventRecord

Rows = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

_PLAIN = Source.TRACKED.name.lower()
MAX_SECONDS = 1e9  # thirty years; keeps milliseconds exact


@dataclass(frozen=True, slots=True)
class Annotation:
    """One stretch of time in a tier such as `face 0`."""

    tier: str
    start: float  # seconds on the video's own time line
    end: float  # the first moment that no longer belongs
    value: str


def track_annotations(table: TrackTable) -> list[Annotation]:
    """Say when each face was tracked, what is known of its points, and when and why it was lost.

    Tier `face N`, or the person's name: `tracked`, `lost` or `lost: reason`. The same tier with
    `points` behind it, where more is known of them than that they were tracked: their sources and
    mean confidence, as `tracked, corrected; confidence 0.93`. Ordered by face, tier and time,
    without overlap; nothing is said where frames are excluded or missing, see `frame_ends`. Raises
    InputError if timestamps are missing, negative or do not grow.
    """
    frames, rows_of_frames = np.unique(table.frame, return_index=True)
    times = table.timestamp[rows_of_frames]
    if not (np.isfinite(times).all() and (times >= 0).all() and (np.diff(times) > 0).all()):
        raise InputError("timestamps must be known, not negative and grow from frame to frame")
    ends = frame_ends(frames, times)
    joined = np.append(False, ends[:-1] == times[1:])  # with the frame before
    annotations: list[Annotation] = []
    positions = np.searchsorted(frames, table.frame)
    for face in table.face_ids:
        tier = _tier(face, table.people)
        rows = np.flatnonzero(table.face_id == face)
        rows = rows[np.argsort(table.frame[rows], kind="stable")]
        place = positions[rows]
        states = [_state(table, row) for row in rows.tolist()]
        for first, last in _stretches(place, joined, states):
            start, end = float(times[place[first]]), float(ends[place[last]])
            annotations.append(Annotation(tier, start, end, states[first]))
        sources = [_sources(table, row) for row in rows.tolist()]
        for first, last in _stretches(place, joined, sources):
            start, end = float(times[place[first]]), float(ends[place[last]])
            said = sources[first] + _confidence(table, rows[first : last + 1])
            if said not in ("", _PLAIN):
                annotations.append(Annotation(f"{tier} points", start, end, said))
    return annotations


def event_annotations(records: Iterable[EventRecord], people: Names = NO_NAMES) -> list[Annotation]:
    """Lay events out in tiers; those that overlap share none. The value is their text or name.

    Tier `face N NAME`, or with the person's name; with `human` behind it for events that a person
    vouches for, and in brackets what has to be said of a model (`model` in their detail).
    """
    annotations = []
    for record in records:
        event = record.event
        tier = f"{_tier(record.face_id, people)} {event.name}"
        tier += f" ({event.detail['model']})" if event.detail.get("model") else ""
        tier += " human" if record.source == HUMAN else ""
        said = event.text or event.name
        annotations.append(Annotation(tier, event.start, event.stop, said))
    return side_by_side(annotations)


def side_by_side(annotations: Iterable[Annotation]) -> list[Annotation]:
    """Let annotations of a tier that overlap share no tier."""
    free: dict[str, float] = {}
    laid = []
    for one in sorted(annotations, key=lambda a: (a.start, a.end)):
        tier, number = one.tier, 1
        while free.get(tier, -1.0) > one.start:
            number += 1
            tier = f"{one.tier} {number}"
        free[tier] = one.end
        laid.append(replace(one, tier=tier))
    return laid


def _tier(face: int, people: Names) -> str:
    """Name a person, so that no two share a tier."""
    name = people.get(face, "")
    shared = list(people.values()).count(name) > 1
    return f"{name} (face {face})" if name and shared else name or f"face {face}"


def _state(table: TrackTable, row: int) -> str:
    reason = table.reason[row]
    return "tracked" if table.success[row] else f"lost: {reason}" if reason else "lost"


def _sources(table: TrackTable, row: int) -> str:
    """Name where the points of a row come from; empty where the face is not seen."""
    if not table.success[row]:
        return ""
    return ", ".join(Source(number).name.lower() for number in np.unique(table.source[row]))


def _confidence(table: TrackTable, rows: Rows) -> str:
    """Say the mean confidence of some rows' points, if there is any."""
    known = table.point_confidence[rows]
    known = known[np.isfinite(known)]
    return f"; confidence {known.mean():.2f}" if len(known) else ""


def _stretches(place: Rows, joined: Flags, values: Sequence[str]) -> list[tuple[int, int]]:
    """Find the first and last index of runs of frames that follow each other and say the same."""
    found: list[tuple[int, int]] = []
    for i, value in enumerate(values):
        follows = found and place[i] == place[i - 1] + 1 and joined[place[i]]
        if follows and values[i - 1] == value:
            found[-1] = found[-1][0], i
        else:
            found.append((i, i))
    return found


def in_milliseconds(annotations: Iterable[Annotation]) -> list[tuple[int, int, Annotation]]:
    """Round times so that every annotation lasts 1 ms or more and those of a tier do not overlap.

    Return (start, end, annotation) in the given order, which is that of time within a tier. Raises
    InputError for times that are impossible, or that overlap by more than rounding.
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
