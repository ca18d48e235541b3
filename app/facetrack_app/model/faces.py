# SPDX-License-Identifier: GPL-3.0-or-later
"""People as the library's faces: what counts of them in a frame."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from facetrack.face import N_POINTS, Face, Source, State
from facetrack.landmarks.pose import head_pose
from facetrack.landmarks.shape_model import ShapeModel
from facetrack_app.model.rows import known_points
from facetrack_app.model.session import Session

Size = tuple[int, int]
_ABSENT: Final = np.full(N_POINTS, Source.ABSENT, dtype=np.uint8)


def faces_of(session: Session, frame: int, shape_model: ShapeModel, size: Size) -> list[Face]:
    """Give what counts in a frame: corrections over tracks, people instead of strands.

    Parameters
    ----------
    session : Session
    frame : int
    shape_model : ShapeModel
        Its mean head gives the pose.
    size : (int, int)
        Width and height of the frames.

    Returns
    -------
    list of Face
        `id` numbers the people from 0: those that the tracker found first.
    """
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
    """Give what counts of one person in a frame.

    Parameters
    ----------
    session : Session
    person, frame : int
    shape_model : ShapeModel
        Its mean head gives the pose.
    size : (int, int)
        Width and height of the frames.

    Returns
    -------
    Face or None
        None where nothing is known.
    """
    view = session.view(person, frame)
    points, row = view.points, view.row
    if points is None and row is None:
        return None
    there = points is not None
    shown = points if points is not None else np.full((N_POINTS, 2), np.nan)
    source = view.source if there and view.source is not None else _ABSENT
    quality = 1.0 if view.correction is not None else row.quality if row is not None else 0.0
    pose = head_pose(shown, shape_model.mean_3d, size) if known_points(shown).all() else None
    return Face(
        0, State.TRACKED if there else State.LOST,
        row.reason if row is not None and not there else "", shown, shown, quality, pose,
        row.confidence if row is not None and there else np.full(N_POINTS, np.nan), source,
    )  # fmt: skip
