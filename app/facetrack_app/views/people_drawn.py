# SPDX-License-Identifier: GPL-3.0-or-later
"""What the annotate view draws: everybody, the chosen person with points, and the shape before."""

from __future__ import annotations

from PyQt5.QtGui import QColor

from facetrack.actions.cues import heat
from facetrack_app.model.judged import Judged, cues_of
from facetrack_app.services.annotator import Annotator
from facetrack_app.views.drawing import DrawnFace, Heat
from facetrack_app.views.theme import person_colour


def drawn_people(annotator: Annotator, ghost: QColor | None) -> list[DrawnFace]:
    """Draw all people of the frame that is shown."""
    session = annotator.session
    drawn = []
    for person in session.present(annotator.shown):
        points = annotator.points_of(person)
        if points is not None and (person != annotator.person or annotator.editor is None):
            drawn.append(DrawnFace(points, person_colour(person), label=session.people[person]))
    if annotator.ghost is not None and ghost is not None:
        drawn.append(DrawnFace(annotator.ghost, ghost, ghost=True))
    if annotator.editor is not None and annotator.person is not None:
        drawn.append(_edited(annotator, annotator.person))
    return drawn


def drawn_heat(annotator: Annotator, judged: Judged | None) -> Heat | None:
    """Draw where on the face an event was seen, on the frame that is shown."""
    if judged is None or not cues_of(judged):
        return None
    points = annotator.points_of(judged.person)
    return Heat(points, heat(cues_of(judged))) if points is not None else None


def _edited(annotator: Annotator, person: int) -> DrawnFace:
    editor, row = annotator.editor, annotator.view(person).row
    assert editor is not None
    confidence = row.confidence if row is not None else None
    return DrawnFace(
        editor.points, person_colour(person), editor.source, confidence, editor.selected,
        editor.visible, handled=editor.handled,
    )  # fmt: skip
