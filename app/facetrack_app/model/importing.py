# SPDX-License-Identifier: GPL-3.0-or-later
"""Import into a session: points of other programs with their sources, and events."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from facetrack.corpus.task import Outputs
from facetrack.errors import InputError
from facetrack.face import Source
from facetrack.formats.coco import read_coco
from facetrack.formats.elan import read_elan
from facetrack.formats.events_csv import read_events
from facetrack.formats.openface import read_openface
from facetrack.formats.pts import read_pts_folder
from facetrack.formats.table import TrackTable
from facetrack.formats.webvtt import read_webvtt
from facetrack.reading import HUMAN
from facetrack_app.model.recording import NOTES
from facetrack_app.model.rows import Change, Kind, TrackRow, pack_points
from facetrack_app.model.session import Session

_ROUNDING: Final = 6e-4  # seconds: both formats count in milliseconds


class Taken(NamedTuple):
    """What is taken over from a file, and what was left out, in words."""

    changes: list[Change]
    notes: tuple[str, ...]


def events_of(session: Session, path: Path, media: str = "") -> Taken:
    """Take the annotations of an ELAN or WebVTT file over as events."""
    elan = path.suffix.lower() == ".eaf"
    found = read_elan(path, media=media) if elan else read_webvtt(path)
    times = session.times()
    zero = float(times[session.time_zero]) if len(times) else 0.0
    number = max((span.id for span in session.spans), default=-1)
    changes = []
    for annotation in found:
        moments = np.array([annotation.start, annotation.end]) + zero - _ROUNDING
        start, stop = np.searchsorted(times, moments).tolist()
        if start < min(stop, len(times)):
            number += 1
            label = " ".join(annotation.value.split())[:80] or "event"
            changes.append(Change("span", (number,), None, ("event", start, stop, label)))
    if not changes:
        raise InputError(f"{path}: none of its {len(found)} annotations lies in the tracked part")
    left = len(found) - len(changes)
    cause = "they do not lie in the tracked part"
    note = f"{path}: {left} of {len(found)} annotations are left out: {cause}"
    return Taken(changes, (note,) if left else ())


def marks_of_recording(video: Path, times: npt.NDArray[np.float64], first: int = 0) -> list[Change]:
    """Take what a person marked while a video was recorded over as events."""
    path = Outputs(video.with_suffix("")).path("events")
    if not video.with_suffix(NOTES).is_file() or not path.is_file():
        return []
    changes: list[Change] = []
    for record in read_events(path):
        if record.source == HUMAN and not record.estimator:
            ends = [record.event.start - _ROUNDING, record.event.stop + _ROUNDING]
            start, stop = np.searchsorted(times, ends).tolist()
            start = min(start, len(times) - 1)
            row = ("event", start, max(stop, start + 1), record.event.name[:80])
            changes.append(Change("span", (first + len(changes),), None, row))
    return changes


def read_tracks(path: Path, pictures: Sequence[str] = ()) -> TrackTable:
    """Read points of another program, by what the path is; pictures are known by their names."""
    if path.is_dir():
        return read_pts_folder(path, pictures=pictures)
    if path.suffix.lower() == ".json":
        return read_coco(path, pictures=pictures)
    return read_openface(path)


def changes_of_import(table: TrackTable, n_frames: int, first: int) -> list[Change]:
    """Turn a table into changes: every face becomes a new person, with a tracklet of its own.

    Rows with points that a person corrected, or said to be hidden, become corrections again.
    """
    if not table.face_ids:
        raise InputError("no person is in that file")
    if int(table.frame.max()) >= n_frames:
        raise InputError(
            f"it speaks of frame {int(table.frame.max()) + 1}, the video has {n_frames}; "
            "was it made from another video?"
        )
    tracklets = {face: first - i for i, face in enumerate(table.face_ids)}
    changes = []
    for face, tracklet in tracklets.items():
        changes.append(Change("person", (tracklet,), None, (f"Imported {face + 1}",)))
        changes.append(Change("assignment", (tracklet, 0), None, (tracklet,)))
    for i in np.flatnonzero(table.success).tolist():
        row = _imported(table, i, tracklets[int(table.face_id[i])])
        changes.append(Change("track", row.key(), None, row.values()))
        if np.isin(row.source, (Source.CORRECTED, Source.OCCLUDED)).any():
            values = (pack_points(row.points), row.source.tobytes(), "imported")
            changes.append(Change("correction", row.key(), None, values))
    return changes


def _imported(table: TrackTable, i: int, tracklet: int) -> TrackRow:
    quality, said = float(table.confidence[i]), table.point_confidence[i]
    quality = quality if np.isfinite(quality) else 1.0
    trust = float(np.nanmean(said)) if np.isfinite(said).any() else quality
    return TrackRow(
        tracklet, int(table.frame[i]), Kind.IMPORTED, quality, trust, "", table.points[i], said,
        table.source[i],
    )  # fmt: skip
