"""Finding faces: dlib's frontal detector on a ladder of sizes, near a place or everywhere.

dlib's detector joins five linear templates on gradient histograms: frontal, turned to either side,
rolled to either side. Scores above 0 are faces nearly always; between -1 and 0 they are candidates
that the fit quality must confirm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import dlib
import numpy as np
import numpy.typing as npt

from facetrack.features.pixels import (
    SMALLEST_SIDE,
    Box,
    Image,
    checked_image,
    grey,
    overlap,
    shrink,
)

# Shorter side of the picture that is searched, pixels: the templates are 80 px wide, so the rungs
# find faces from 0.4, 0.27 and 0.13 of the shorter side on.
LADDER: Final = (200, 300, 600)
CERTAIN: Final = 0.0  # scores from here on count as faces without confirmation
LOWEST_SCORE: Final = -1.0
# Of 38 true faces with scores below 0 (420 training pictures) none that could be fitted was below
# this; of what was no face nine in ten were.
PLAUSIBLE: Final = -0.5

_MAX_ENLARGEMENT: Final = 2.0
_BORDER: Final = 50  # px of the searched picture: finds faces that the frame's border cuts
_SAME_FACE: Final = 0.5  # overlap of boxes
_NEAR_WIDTH: Final = 110  # px: how wide the expected face is made for the search near a place
_NEAR_MARGIN: Final = 0.8  # of the expected box's size, on each side


@dataclass(frozen=True, slots=True)
class Detection:
    """One face, or candidate, that the detector found.

    Attributes
    ----------
    box : tuple of float
        (x0, y0, x1, y1) in pixels of the frame, a square as dlib gives it; it may reach over the
        frame's border.
    score : float
        Distance from the template's decision plane, see `CERTAIN`.
    view : int
        The template: 0 frontal, 1 turned to the person's right, 2 to the person's left, 3 rolled
        counter-clockwise in the image, 4 clockwise. Yaw of 1 and 2 is about +-0.26 rad and roll of
        3 and 4 about -+0.29 rad, so this says much about where to start a fit.
    """

    box: Box
    score: float
    view: int

    @property
    def certain(self) -> bool:
        """Whether this counts as a face without confirmation."""
        return self.score >= CERTAIN

    @property
    def plausible(self) -> bool:
        """Whether this is worth the attention of a tracker, which can wait for a better frame."""
        return self.score >= PLAUSIBLE


class FaceDetector:
    """Searches pictures for upright faces."""

    def __init__(self) -> None:
        self._detector = dlib.get_frontal_face_detector()

    def detect(self, image: npt.ArrayLike, *, wanted: int = 1) -> list[Detection]:
        """Search the whole picture, each rung of the ladder until enough faces are found.

        Parameters
        ----------
        image : array_like, shape (H, W[, 3]), uint8
            See `pixels.checked_image`.
        wanted : int
            Finer (dearer) rungs are searched while fewer certain faces are known.

        Returns
        -------
        list of Detection
            Best first: certain faces, then candidates.

        Raises
        ------
        InputError
            If the image has a wrong shape or type.
        """
        picture = checked_image(image)
        found: list[Detection] = []
        for rung in range(len(LADDER)):
            found = distinct(found + self.search(picture, rung))
            if sum(detection.certain for detection in found) >= wanted:
                break
        return found

    def search(self, image: npt.ArrayLike, rung: int) -> list[Detection]:
        """Search the whole picture at one size, a step of bounded cost.

        Parameters
        ----------
        image : array_like, shape (H, W[, 3]), uint8
        rung : int
            Position in `LADDER`.

        Returns
        -------
        list of Detection
            Faces and candidates, best first.
        """
        picture = checked_image(image)
        shorter = min(picture.shape[:2])
        if shorter < SMALLEST_SIDE:
            return []
        factor = min(LADDER[rung] / shorter, _MAX_ENLARGEMENT)
        return self._run(picture, factor, (0.0, 0.0))

    def detect_near(self, image: npt.ArrayLike, box: Box) -> list[Detection]:
        """Search around the place and at about the size where a face was last seen.

        Parameters
        ----------
        image : array_like, shape (H, W[, 3]), uint8
        box : tuple of float
            (x0, y0, x1, y1) in pixels: the face's last place.

        Returns
        -------
        list of Detection
            Faces and candidates, best first; coordinates of the whole picture.
        """
        picture = checked_image(image)
        height, width = picture.shape[:2]
        size = max(box[2] - box[0], box[3] - box[1])
        if not np.isfinite(box).all() or size <= 0:
            return []
        centre_x, centre_y = 0.5 * (box[0] + box[2]), 0.5 * (box[1] + box[3])
        reach = (0.5 + _NEAR_MARGIN) * size
        left, right = _clipped(centre_x - reach, centre_x + reach, width)
        top, bottom = _clipped(centre_y - reach, centre_y + reach, height)
        if min(right - left, bottom - top) < SMALLEST_SIDE:
            return []
        factor = min(_NEAR_WIDTH / size, _MAX_ENLARGEMENT)
        return self._run(picture[top:bottom, left:right], factor, (left, top))

    def _run(self, image: Image, factor: float, origin: tuple[float, float]) -> list[Detection]:
        """Run the templates on the scaled picture with its border repeated outwards."""
        scaled = grey(shrink(image, factor))
        framed = cv2.copyMakeBorder(
            scaled, _BORDER, _BORDER, _BORDER, _BORDER, cv2.BORDER_REPLICATE
        )
        rectangles, scores, views = self._detector.run(framed, 0, LOWEST_SCORE)
        scale = image.shape[1] / scaled.shape[1], image.shape[0] / scaled.shape[0]
        found = [
            Detection(_to_frame(rectangle, scale, origin), float(score), int(view))
            for rectangle, score, view in zip(rectangles, scores, views, strict=True)
        ]
        return distinct(found)


def distinct(detections: list[Detection]) -> list[Detection]:
    """Keep the best of the detections that lie on one face.

    Parameters
    ----------
    detections : list of Detection

    Returns
    -------
    list of Detection
        Best first.
    """
    kept: list[Detection] = []
    for detection in sorted(detections, key=lambda d: (-d.score, d.box)):
        if all(overlap(detection.box, other.box) < _SAME_FACE for other in kept):
            kept.append(detection)
    return kept


def _clipped(low: float, high: float, size: int) -> tuple[int, int]:
    """Round an interval to pixels of the picture."""
    return min(size, max(0, int(np.floor(low)))), max(0, min(size, int(np.ceil(high))))


def _to_frame(
    rectangle: dlib.rectangle, scale: tuple[float, float], origin: tuple[float, float]
) -> Box:
    """Map a rectangle of the framed picture (both ends inside) to edges in the frame's pixels.

    Edges lie half a pixel beyond the centres of the outermost pixels.
    """
    x0, y0 = rectangle.left() - _BORDER, rectangle.top() - _BORDER
    x1, y1 = rectangle.right() + 1 - _BORDER, rectangle.bottom() + 1 - _BORDER
    return (
        x0 * scale[0] - 0.5 + origin[0],
        y0 * scale[1] - 0.5 + origin[1],
        x1 * scale[0] - 0.5 + origin[0],
        y1 * scale[1] - 0.5 + origin[1],
    )
