"""The pictures that a model is trained on, their mirrored copies, and what the detector finds."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facetrack.datasets.pts_folder import LabelledImage
from facetrack.landmarks.markup import mirror
from facetrack.tracking.detection import Detection, FaceDetector

MIRRORED_VIEW = (0, 2, 1, 4, 3)  # what the detector's templates become in a mirrored picture


@dataclass(frozen=True, slots=True)
class Picture:
    """One training picture.

    Attributes
    ----------
    number : int
        The same for a picture and its mirrored copy.
    grey : ndarray, shape (H, W), uint8
    points : ndarray, shape (68, 2), float64
        True landmarks in pixels.
    detection : Detection or None
        The detector's box on this face, if it found one.
    """

    number: int
    grey: npt.NDArray[np.uint8]
    points: npt.NDArray[np.float64]
    detection: Detection | None


def read_pictures(images: Iterable[LabelledImage], *, detect: bool) -> list[Picture]:
    """Read pictures as grey values and append their mirrored copies.

    Parameters
    ----------
    images : iterable of LabelledImage
    detect : bool
        Whether to run the face detector as well.

    Returns
    -------
    list of Picture
        Picture and mirrored copy in turn.
    """
    detector = FaceDetector() if detect else None
    pictures = []
    for number, image in enumerate(images):
        grey = image.read_grey()
        found = None
        if detector is not None:
            found = detection_of(detector.detect(grey), image.points)
        picture = Picture(number, grey, np.asarray(image.points), found)
        pictures += [picture, mirrored(picture)]
    return pictures


def detection_of(
    detections: Sequence[Detection], points: npt.NDArray[np.float64]
) -> Detection | None:
    """Choose the best detection that lies on a labelled face.

    Parameters
    ----------
    detections : sequence of Detection
        Best first.
    points : ndarray, shape (68, 2)

    Returns
    -------
    Detection or None
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
    """Mirror a picture together with its landmarks and its detection.

    Parameters
    ----------
    picture : Picture

    Returns
    -------
    Picture
    """
    width = picture.grey.shape[1]
    found = picture.detection
    if found is not None:
        x0, y0, x1, y1 = found.box
        box = (width - 1 - x1, y0, width - 1 - x0, y1)
        found = Detection(box, found.score, MIRRORED_VIEW[found.view])
    flipped = np.ascontiguousarray(picture.grey[:, ::-1])
    return Picture(picture.number, flipped, mirror(picture.points, width), found)


def set_aside(
    images: Sequence[LabelledImage], share: float
) -> tuple[list[LabelledImage], list[LabelledImage]]:
    """Set a part of the pictures aside for comparing models under development.

    Parameters
    ----------
    images : sequence of LabelledImage
    share : float
        Between 0 and 1.

    Returns
    -------
    kept, aside : list of LabelledImage
        Chosen by a checksum of the name, so that the split stays when pictures are added. Pictures
        of one clip or person (`NAME_1`, `NAME_a`) stay together.
    """

    def chosen(image: LabelledImage) -> bool:
        person = re.sub(r"_(\d|[ab])$", "", image.name)
        return zlib.crc32(person.encode()) % 1000 < 1000 * share

    return [i for i in images if not chosen(i)], [i for i in images if chosen(i)]
