# SPDX-License-Identifier: GPL-3.0-or-later
"""The application's one door to the library's tracker and learner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from facetrack.annotation.corrections import Correction
from facetrack.annotation.offset import OffsetLearner
from facetrack.face import Face
from facetrack.landmarks.procrustes import fit_similarity
from facetrack.tracking.track import Fits
from facetrack.tracking.tracker import Tracker
from facetrack.video.frame import Frame
from facetrack_app.model.rows import known_points

Points = npt.NDArray[np.float64]


class Learner(Fits, Protocol):
    """A model that learns one person from corrections, and fits with what it has learned."""

    def correct(
        self, image: npt.NDArray[np.uint8], points: Points, mask: npt.NDArray[np.bool_]
    ) -> None:
        """Learn from a frame; the mask says which points the person vouches for."""


def make_tracker(model: Any, *, max_faces: int = 1, smoothing: float = 0.0) -> Tracker:
    """Make a tracker for one video or camera."""
    return Tracker(model, max_faces=max_faces, smoothing=smoothing)


def taught(
    model: Any,
    corrections: Mapping[int, Correction],
    look: Callable[[int], Frame],
    start: Callable[[int], Points | None] = lambda frame: None,
) -> Fits:
    """Make a model that has learned from all corrections of a person.

    What was learned is a function of the model and the corrections alone, so that undoing one
    undoes what it taught, and a replay learns the same.

    Parameters
    ----------
    model : FaceModel
    corrections : mapping of int to Correction
        By frame.
    look : callable
        Gives a frame by its number.
    start : callable
        Unused by learners that start from the correction itself.

    Returns
    -------
    Fits
    """
    learner: Learner = OffsetLearner(model)
    for frame, correction in sorted(corrections.items()):
        whole = complete(model, correction)
        if whole is not None:
            learner.correct(look(frame).grey, whole, correction.vouched)
    return learner


def complete(model: Any, correction: Correction) -> Points | None:
    """Fill in the points that are absent, from the shapes that faces have.

    Returns
    -------
    ndarray, shape (68, 2), float64, or None
        None where fewer than half of the points are known.
    """
    known = known_points(correction.points)
    if known.sum() < len(known) // 2:
        return None
    if known.all():
        return np.array(correction.points)
    mean = model.shape_model.mean
    placed = fit_similarity(mean[known], correction.points[known]).apply(mean)
    return np.where(known[:, None], correction.points, placed)


def teach_live(tracker: Tracker, face: Face, points: Points, mask: npt.NDArray[np.bool_]) -> bool:
    """Teach a running tracker; returns whether this tracker can learn."""
    correct = getattr(tracker, "correct", None)
    if correct is None:
        return False
    correct(face.id, points, mask=mask)
    return True


def can_adapt(tracker: Tracker) -> bool:
    """Tell whether a tracker can learn from its own tracks."""
    return hasattr(tracker, "adapt")


def set_adapt(tracker: Tracker, on: bool) -> None:
    """Let a tracker learn from its own tracks, or not."""
    if can_adapt(tracker):
        tracker.adapt = on  # type: ignore[attr-defined]


def forget(tracker: Tracker, face_id: int) -> None:
    """Drop all that a tracker has learned of a person."""
    drop = getattr(tracker, "forget", None)
    if drop is not None:
        drop(face_id)


def set_smoothing(tracker: Tracker, dial: float) -> None:
    """Turn a running tracker's dial, 0 to 1."""
    tracker.set_smoothing(dial)
