# SPDX-License-Identifier: GPL-3.0-or-later
"""People as the library's faces: what counts of them in a frame."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from facetrack.face import N_POINTS, Face, Source, State
from facetrack.landmarks.pose import head_pose
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.video.square import AS_STORED, Stretch
from facetrack_app.model.assignments import Assignments
from facetrack_app.model.corrected import correction_of
from facetrack_app.model.look import View
from facetrack_app.model.rows import Kind, TrackRow, known_points, weight
from facetrack_app.model.session import Session
from facetrack_app.model.store import TABLES, Store

Size = tuple[int, int]
_ABSENT: Final = np.full(N_POINTS, Source.ABSENT, dtype=np.uint8)


def faces_of(session: Session, frame: int, shape_model: ShapeModel, size: Size) -> list[Face]:
    """Give what counts in a frame: corrections over tracks, people instead of tracklets."""
    here = set(session.present(frame))
    found = (
        (number, face_of(session, person, frame, shape_model, size))
        for number, person in enumerate(session.people)
        if person in here
    )
    return [replace(face, id=number) for number, face in found if face is not None]


def face_of(
    session: Session, person: int, frame: int, shape_model: ShapeModel, size: Size
) -> Face | None:
    """Give what counts of one person in a frame."""
    return face_in(session.view(person, frame), shape_model, size, session.stretch)


def face_in(
    view: View, shape_model: ShapeModel, size: Size, stretch: Stretch = AS_STORED
) -> Face | None:
    """Give the face that is seen or lost in a view, not one that is a mere guess; see `face_of`.

    Its points are in the video's pixels, its pose is that of square ones.
    """
    points, row = view.points, view.row
    guess = view.correction is None and row is not None and row.kind == Kind.GUESS
    if guess or (points is None and row is None):
        return None
    there = points is not None
    shown = points if points is not None else np.full((N_POINTS, 2), np.nan)
    source = view.source if there and view.source is not None else _ABSENT
    said = view.correction is not None and view.correction.vouched.any()
    quality = 1.0 if said else row.quality if row is not None else 0.0
    pose = None
    if known_points(shown).all():
        pose = head_pose(stretch.square(shown), shape_model.mean_3d, stretch.size(size))
    return Face(
        0, State.TRACKED if there else State.LOST,
        row.reason if row is not None and not there else "", shown, shown, quality, pose,
        row.confidence if row is not None and there else np.full(N_POINTS, np.nan), source,
    )  # fmt: skip


def views_between(
    store: Store, assignments: Assignments, person: int, start: int, stop: int
) -> dict[int, View]:
    """Look at a person in many frames, without a session's summaries."""
    found: dict[int, tuple[int, View]] = {}
    for tracklet in assignments.tracklets_of(person):
        for a, b in assignments.ranges(tracklet, person, stop):
            key = tracklet, max(a, start), min(b, stop)
            if key[1] >= key[2]:
                continue
            tracks = {frame: row for frame, *row in store.read(_ROWS["track"], key)}
            said = {frame: row for frame, *row in store.read(_ROWS["correction"], key)}
            for frame in {*tracks, *said}:
                view = View(
                    TrackRow.from_row((tracklet, frame), tuple(tracks[frame]))
                    if frame in tracks else None,
                    correction_of(tuple(said[frame])) if frame in said else None,
                )  # fmt: skip
                counts = weight(tracks[frame][0] if frame in tracks else 0, frame in said)
                if counts > found.get(frame, (0, view))[0]:
                    found[frame] = counts, view
    return {frame: view for frame, (_, view) in found.items()}


_ROWS: Final = {
    name: f"SELECT frame, {', '.join(TABLES[name].values)} FROM {name} "
    "WHERE tracklet=? AND frame>=? AND frame<?"
    for name in ("track", "correction")
}
