# SPDX-License-Identifier: GPL-3.0-or-later
"""Export of a session: points with their sources, events, without what is excluded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Final

import numpy as np

from facetrack.annotation.corrections import Correction, write_corrections
from facetrack.errors import InputError
from facetrack.formats import events_csv, signals_csv
from facetrack.formats.annotation import (
    Annotation,
    event_annotations,
    side_by_side,
    track_annotations,
)
from facetrack.formats.coco import write_coco
from facetrack.formats.elan import write_elan_annotations
from facetrack.formats.openface import labels, write_dictionary, write_openface
from facetrack.formats.pts import write_pts_folder
from facetrack.formats.table import TrackTable, table_from_faces
from facetrack.formats.webvtt import write_webvtt_annotations
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.signals.registry import Choice
from facetrack_app.model.exporting_signals import (
    event_records,
    marked_moments,
    people_of,
    rests_of,
    write_report,
    write_signal_files,
)
from facetrack_app.model.faces import Size, faces_of
from facetrack_app.model.session import Session


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write or read a session."""

    name: str  # for the menu
    suffix: str  # empty for a folder
    mark: str = ""  # between the video's name and the suffix, where another format has the same one


EXPORTS: Final = {
    "csv": Format("OpenFace CSV with our columns; signals and events beside it", ".csv"),
    "pts": Format(".pts folder, one file a frame", "", "-pts"),
    "corrections": Format("corrections only, .pts folder", "", "-corrections"),
    "coco": Format("COCO key points", ".json"),
    "elan": Format("ELAN", ".eaf"),
    "vtt": Format("WebVTT", ".vtt"),
    "report": Format("report: numbers per minute, as a page", ".html"),
    "numbers": Format("numbers per minute, as a table", ".csv", "-numbers"),
    "overlay": Format("overlay video", ".mp4"),
    "person": Format("what was learned of the person (personal data)", ".npz"),
}

OF_TIME: Final = ("elan", "vtt", "report", "numbers", "overlay")  # no exports of stills


def file_name(stem: str, kind: str) -> str:
    """Name what is written of a video in one of the formats."""
    return f"{stem}{EXPORTS[kind].mark}{EXPORTS[kind].suffix}"


@dataclass(frozen=True, slots=True)
class Material:
    """What an export needs to know of the frames."""

    size: Size  # of the first one
    size_of: Callable[[int], Size]  # by the number
    pictures: tuple[str, ...]  # their names; empty of a video
    media: Path | None  # the video or folder


def table_of(session: Session, shape_model: ShapeModel, material: Material) -> TrackTable:
    """Collect all frames that are tracked and not excluded, in seconds from time zero."""
    times = session.times()
    zero = session.time_zero
    wanted = np.flatnonzero(~session.excluded()[: len(times)])
    unreadable, stills = session.unreadable, session.stills
    found = (
        (frame, nan if stills else float(times[frame] - times[zero]),
         faces_of(session, frame, shape_model, material.size_of(frame)))
        for frame in wanted.tolist()
        if frame >= zero and frame not in unreadable
    )  # fmt: skip
    return table_from_faces(found, people_of(session), dict(enumerate(material.pictures)))


def export(
    session: Session,
    kind: str,
    path: Path,
    shape_model: ShapeModel,
    material: Material,
    choice: Choice,
) -> int:
    """Write a session."""
    media = material.media
    if session.stills and kind in OF_TIME:
        raise InputError(
            "pictures by themselves have no time, so there is no such export; open the folder as "
            "a picture sequence if they are the frames of a video"
        )
    if kind == "corrections":
        corrections = most_corrected(session)
        if not corrections:
            raise InputError("no frame is corrected yet, so there is nothing to write")
        write_corrections(path, corrections, material.pictures)
        return len(corrections)
    table = table_of(session, shape_model, material)
    if not table.face_ids:
        raise InputError("no person is tracked yet, so there is nothing to write")
    if kind == "csv":
        write_openface(path, table)
        write_signal_files(session, choice, path)
        tables = {
            "signals": signals_csv.columns(choice.values, table.people, rests_of(session, choice)),
            "events": events_csv.columns(choice.events, table.people),
        }
        write_dictionary(path.with_suffix(".columns.csv"), tables, labels(table))
    elif kind in ("report", "numbers"):
        return write_report(session, choice, path, media.name if media is not None else "demo")
    elif kind == "pts":
        write_pts_folder(path, table)
    elif kind == "coco":
        size_of = material.size_of if material.pictures else None
        write_coco(path, table, size=material.size, stem=path.stem, size_of=size_of)
    else:
        marks = (Annotation("events", a, b, mark.label) for mark, a, b in marked_moments(session))
        annotations = track_annotations(table) + side_by_side(marks)
        annotations += event_annotations(event_records(session), table.people)
        if kind == "elan":
            write_elan_annotations(path, annotations, media=media)
        else:
            name = media.name if media is not None else None
            write_webvtt_annotations(path, annotations, media=name)
    return len(np.unique(table.frame))


def most_corrected(session: Session) -> dict[int, Correction]:
    """Give the corrections of the person who was corrected most, by frame."""
    return max((session.corrections(p) for p in session.people), key=len, default={})
