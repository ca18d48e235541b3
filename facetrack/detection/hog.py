"""Finding faces with dlib's frontal detector on a ladder of sizes, near a place or everywhere.

dlib's detector joins five linear templates on gradient histograms: frontal, turned to either side,
rolled to either side. Scores above 0 are faces nearly always; between -1 and 0 they are candidates
that the fit quality must confirm.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

import cv2
import numpy.typing as npt

from facetrack.detection.detections import Detection, count_confirming, distinct, surroundings
from facetrack.features.pixels import SMALLEST_SIDE, Box, Image, checked_image, grey, shrink

if TYPE_CHECKING:
    import dlib

# Shorter side of the picture that is searched, pixels: the templates are 80 px wide, so the rungs
# find faces from 0.4, 0.27 and 0.13 of the shorter side on.
LADDER: Final = (200, 300, 600)
# Of 38 true faces with scores below 0 (420 training pictures) none that could be fitted was below
# `PLAUSIBLE`; of what was no face nine in ten were.
LOWEST_SCORE: Final = -1.0

_MAX_ENLARGEMENT: Final = 2.0
_BORDER: Final = 50  # px of the searched picture: finds faces that the frame's border cuts
_NEAR_WIDTH: Final = 110  # px: how wide the expected face is made for the search near a place
_NEAR_MARGIN: Final = 0.8  # of the expected box's size, on each side


class HogDetector:
    """Searches pictures for upright faces."""

    @cached_property
    def _templates(self) -> dlib.fhog_object_detector:
        """The templates: half a second to load, and where networks see faces never asked for."""
        import dlib

        return dlib.get_frontal_face_detector()

    def detect(self, image: npt.ArrayLike, *, wanted: int = 1) -> list[Detection]:
        """Search the whole picture, each rung of the ladder until enough faces are found.

        Finer (dearer) rungs are searched while fewer certain faces are known than wanted. Returns
        certain faces, then candidates, best first. For the image see `pixels.checked_image`.
        """
        picture = checked_image(image)
        found: list[Detection] = []
        for rung in range(len(LADDER)):
            found = distinct(found + self.search(picture, rung))
            if count_confirming(found) >= wanted:
                break
        return found

    def search(self, image: npt.ArrayLike, step: int) -> list[Detection]:
        """Search the whole picture at one size, a step of bounded cost; best first.

        `step` counts on from search to search: the sizes of the ladder in turn.
        """
        picture = checked_image(image)
        shorter = min(picture.shape[:2])
        if shorter < SMALLEST_SIDE:
            return []
        factor = min(LADDER[step % len(LADDER)] / shorter, _MAX_ENLARGEMENT)
        return self._run(picture, factor, (0.0, 0.0))

    def detect_near(self, image: npt.ArrayLike, box: Box) -> list[Detection]:
        """Search around the place and at about the size where a face was last seen; best first."""
        picture = checked_image(image)
        left, top, right, bottom = surroundings(picture.shape, box, _NEAR_MARGIN)
        if min(right - left, bottom - top) < SMALLEST_SIDE:
            return []
        factor = min(_NEAR_WIDTH / max(box[2] - box[0], box[3] - box[1]), _MAX_ENLARGEMENT)
        return self._run(picture[top:bottom, left:right], factor, (left, top))

    def _run(self, image: Image, factor: float, origin: tuple[float, float]) -> list[Detection]:
        """Run the templates on the scaled picture with its border repeated outwards."""
        scaled = grey(shrink(image, factor))
        framed = cv2.copyMakeBorder(
            scaled, _BORDER, _BORDER, _BORDER, _BORDER, cv2.BORDER_REPLICATE
        )
        rectangles, scores, views = self._templates.run(framed, 0, LOWEST_SCORE)
        scale = image.shape[1] / scaled.shape[1], image.shape[0] / scaled.shape[0]
        found = [
            Detection(_to_frame(rectangle, scale, origin), float(score), int(view))
            for rectangle, score, view in zip(rectangles, scores, views, strict=True)
        ]
        return distinct(found)


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
