# SPDX-License-Identifier: GPL-3.0-or-later
"""The application's one door to the library's tracker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facetrack.detection.face_detector import FaceDetector
from facetrack.face import Face
from facetrack.tracking.stills import StillTracker
from facetrack.tracking.tracker import Tracker

Points = npt.NDArray[np.float64]


def make_tracker(
    model: Any,
    *,
    max_faces: int = 1,
    smoothing: float = 0.0,
    person: Path | None = None,
    live: bool = False,
) -> Tracker:
    """Make a tracker for one video or camera, which may know a person already."""
    detector = FaceDetector(live=live)
    return Tracker(
        model, max_faces=max_faces, smoothing=smoothing, detector=detector, profile=person
    )


def make_still_tracker(model: Any, *, max_faces: int = 1) -> StillTracker:
    """Make what finds faces in pictures, each by itself."""
    return StillTracker(model, max_faces=max_faces)


def teach_live(tracker: Tracker, face: Face, points: Points, mask: npt.NDArray[np.bool_]) -> int:
    """Teach a running tracker; returns how many lessons the person has by now."""
    return tracker.correct(face.id, points, mask).lessons


def can_adapt(tracker: Tracker) -> bool:
    """Return whether a tracker can learn from its own tracks: old models cannot learn at all."""
    return bool(getattr(tracker.model, "priors", ()))


def set_adapt(tracker: Tracker, on: bool) -> None:
    """Let a tracker learn from its own tracks, or not."""
    tracker.adapt = on


def forget(tracker: Tracker, face_id: int) -> None:
    """Drop all that a tracker has learned of a person."""
    tracker.forget(face_id)


def set_smoothing(tracker: Tracker, dial: float) -> None:
    """Turn a running tracker's dial, 0 to 1."""
    tracker.set_smoothing(dial)
