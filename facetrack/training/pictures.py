"""The pictures that a model is trained on, their mirrored copies, and what detectors find."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from facetrack.datasets.pts_folder import LabelledImage
from facetrack.detection.detections import Detection
from facetrack.detection.face_detector import FaceDetector
from facetrack.detection.hog import HogDetector
from facetrack.landmarks.markup import mirror

MIRRORED_VIEW = (0, 2, 1, 4, 3)  # what dlib's templates become in a mirrored picture
_MIRRORED_FIVE = (1, 0, 2, 4, 3)  # what a detector's five points become


class Labelled(Protocol):
    """What training needs of a labelled picture."""

    @property
    def name(self) -> str:
        """Its name; `NAME_a` and `NAME_b` are a pair."""

    @property
    def points(self) -> npt.NDArray[np.float64]:
        """True landmarks in pixels, shape (68, 2)."""

    def read_grey(self) -> npt.NDArray[np.uint8]:
        """Read the picture as grey values, shape (H, W)."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One training picture."""

    number: int  # the same for a picture and its mirrored copy
    grey: npt.NDArray[np.uint8]
    points: npt.NDArray[np.float64]  # true landmarks in pixels, (68, 2)
    box: Detection | None = None  # of dlib's detector, on this face
    five: Detection | None = None  # the networks' five points


def read_pictures(images: Iterable[Labelled], *, detect: bool) -> list[Picture]:
    """Read pictures as grey values and append their mirrored copies."""
    detectors = (FaceDetector(), HogDetector()) if detect else None
    pictures = []
    for number, image in enumerate(images):
        picture = Picture(number, image.read_grey(), np.asarray(image.points))
        if detectors is not None:
            networks, hog = detectors
            box = detection_of(hog.detect(picture.grey), picture.points)
            five = detection_of(networks.search(picture.grey, 0), picture.points)
            picture = replace(picture, box=box, five=five if five and five.five else None)
        pictures += [picture, mirrored(picture)]
    return pictures


def detection_of(
    detections: Sequence[Detection], points: npt.NDArray[np.float64]
) -> Detection | None:
    """Choose the best detection that lies on a labelled face.

    Its centre lies within the landmarks' box, its width between half and twice theirs.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    for detection in detections:
        x0, y0, x1, y1 = detection.box
        centre = np.array([x0 + x1, y0 + y1]) / 2
        ratio = (x1 - x0) / (high[0] - low[0])
        if (centre > low).all() and (centre < high).all() and 0.5 < ratio < 2:
            return detection
    return None


def mirrored(picture: Picture) -> Picture:
    """Mirror a picture together with its landmarks and its detections."""
    width = picture.grey.shape[1]

    def flipped(found: Detection | None) -> Detection | None:
        if found is None:
            return None
        x0, y0, x1, y1 = found.box
        box, five = (width - 1 - x1, y0, width - 1 - x0, y1), found.five
        if five is not None:
            five = tuple((width - 1 - five[i][0], five[i][1]) for i in _MIRRORED_FIVE)
        return Detection(box, found.score, MIRRORED_VIEW[found.view], five)

    return Picture(
        picture.number,
        np.ascontiguousarray(picture.grey[:, ::-1]),
        mirror(picture.points, width),
        flipped(picture.box),
        flipped(picture.five),
    )


def set_aside(
    images: Sequence[LabelledImage], share: float
) -> tuple[list[LabelledImage], list[LabelledImage]]:
    """Set a share of the pictures aside for comparing models; return those kept and those aside.

    Chosen by a checksum of the name, so that the split stays when pictures are added. Pictures of
    one clip or person (`NAME_1`, `NAME_a`) stay together.
    """

    def chosen(image: LabelledImage) -> bool:
        person = re.sub(r"_(\d|[ab])$", "", image.name)
        return zlib.crc32(person.encode()) % 1000 < 1000 * share

    return [i for i in images if not chosen(i)], [i for i in images if chosen(i)]
