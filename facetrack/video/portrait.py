"""Portraits that the synthetic video brings to life."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.formats.pts import read_pts
from facetrack.landmarks.markup import mirror
from facetrack.video.frame import Image, as_bgr

Points = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A picture of one face and where its landmarks are.

    Attributes
    ----------
    image : ndarray, shape (H, W, 3), uint8
        BGR; grey, BGRA and 16-bit pictures are converted.
    points : ndarray, shape (68, 2), float64
        Landmarks in pixels of the image, pixel centres at integers.

    Raises
    ------
    InputError
        If the picture is none or the points are not 68 finite ones.
    """

    image: Image
    points: Points

    def __post_init__(self) -> None:
        points = np.array(self.points, dtype=np.float64)
        if points.shape != (68, 2) or not np.isfinite(points).all():
            raise InputError(f"a portrait needs 68 finite points, got shape {points.shape}")
        if np.linalg.norm(points[45] - points[36]) < 1:
            raise InputError("a portrait's outer eye corners must be at least 1 pixel apart")
        points.setflags(write=False)
        object.__setattr__(self, "image", as_bgr(self.image))
        object.__setattr__(self, "points", points)


@cache
def astronaut() -> Portrait:
    """Give Eileen Collins (NASA, public domain), the picture that scikit-image ships.

    Returns
    -------
    Portrait
        512 x 512 pixels. The landmarks were corrected by eye on the enlarged picture.
    """
    from skimage.data import astronaut as picture  # costs 0.1 s; only synthetic video needs it

    with as_file(files("facetrack.video") / "astronaut.pts") as path:
        points = read_pts(path)
    return Portrait(np.ascontiguousarray(picture()[..., ::-1]), points)


@cache
def stranger() -> Portrait:
    """Give a second identity: the astronaut mirrored, longer in the face and darker.

    Returns
    -------
    Portrait
    """
    first = astronaut()
    height, width = first.image.shape[:2]
    stretch = 1.14
    image = cv2.resize(
        first.image[:, ::-1], (width, round(height * stretch)), interpolation=cv2.INTER_CUBIC
    )
    points = mirror(first.points, width)
    # cv2.resize keeps the corners of the picture, not the centres of its corner pixels.
    points[:, 1] = (points[:, 1] + 0.5) * (image.shape[0] / height) - 0.5
    tone = np.array([0.42, 0.54, 0.72])  # blue, green, red: darker hair, browner skin
    return Portrait(np.rint(image * tone).astype(np.uint8), points)
