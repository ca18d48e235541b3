"""Pictures that stand each by itself: every face is found and fitted anew, none is followed."""

from __future__ import annotations

from typing import Any, Final

import numpy.typing as npt

from facetrack.detection.detections import Finds
from facetrack.detection.face_detector import FaceDetector
from facetrack.errors import InputError
from facetrack.face import Face, State, read_only_points
from facetrack.features.pixels import SMALLEST_SIDE, box_of, checked_image
from facetrack.landmarks.pose import head_pose
from facetrack.tracking.search import confirm
from facetrack.tracking.track import Fits
from facetrack.video.frame import Frame
from facetrack.video.square import AS_STORED, stretch_of

STATE: Final = "stills"


class StillTracker:
    """Finds the faces of single pictures; what was seen in one says nothing of the next."""

    def __init__(self, model: Fits, *, max_faces: int = 1, detector: Finds | None = None) -> None:
        if max_faces < 1:
            raise InputError(f"max_faces must be at least 1, got {max_faces}")
        self.model, self.max_faces = model, max_faces
        self._detector = FaceDetector() if detector is None else detector

    def update(self, image: npt.ArrayLike | Frame) -> list[Face]:
        """Find the faces of a picture, see `Tracker.update`, from left to right.

        `Face.id` counts them from 0 and says nothing of who they are.
        """
        stretch = stretch_of(image.aspect) if isinstance(image, Frame) else AS_STORED
        picture = checked_image(image.square.grey if isinstance(image, Frame) else image)
        if min(picture.shape[:2]) < SMALLEST_SIDE:
            return []
        found = self._detector.detect(picture, wanted=self.max_faces)
        plausible = [detection for detection in found if detection.plausible]
        fits = confirm(self.model, picture, plausible, [], self.max_faces)
        size, mean = (picture.shape[1], picture.shape[0]), self.model.shape_model.mean_3d
        faces = []
        for number, fit in enumerate(sorted(fits, key=lambda fit: box_of(fit.points))):
            points = read_only_points(fit.points)
            pose = head_pose(points, mean, size)
            points = read_only_points(stretch.stored(points))
            faces.append(
                Face(number, State.TRACKED, "", points, points, fit.quality, pose, fit.confidence)
            )
        return faces

    def state(self) -> dict[str, Any]:
        """Return what `restore` compares; there is nothing to remember."""
        return {STATE: self.max_faces}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue after another tracker of still pictures."""
        if state != self.state():
            raise InputError("the saved state belongs to another tracker")
