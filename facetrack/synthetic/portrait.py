"""Portraits that the synthetic video brings to life."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.formats.picture import Image, as_bgr
from facetrack.formats.pts import read_pts
from facetrack.landmarks.markup import mirror

Points = npt.NDArray[np.float64]

_ASTRONAUT_OUTLINE: Final = (
    (201, 23), (185, 38), (163, 51), (156, 58), (153, 68), (154, 92), (157, 104), (170, 116),
    (170, 121), (174, 128), (182, 132), (183, 149), (160, 150), (140, 160), (125, 174), (115, 190),
    (113, 207), (90, 227), (76, 235), (65, 246), (46, 278), (40, 294), (34, 315), (26, 342),
    (19, 390), (23, 460), (29, 493), (39, 511), (511, 511), (507, 491), (497, 450), (492, 410),
    (475, 370), (440, 348), (393, 345), (362, 347), (357, 317), (352, 287), (340, 262), (319, 243),
    (303, 233), (291, 199), (284, 188), (273, 176), (258, 166), (258, 159), (264, 149), (266, 137),
    (275, 134), (290, 117), (296, 107), (300, 92), (296, 58), (288, 43), (276, 31), (248, 18),
    (227, 16), (214, 21),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A picture of one face and where its landmarks are; raises InputError if either is none."""

    image: Image  # BGR; grey, BGRA and 16-bit pictures are converted
    points: Points  # (68, 2), pixels, centres at integers
    outline: Points | None = None  # (n, 2), by which the person is cut out; None: an oval

    def __post_init__(self) -> None:
        points = np.array(self.points, dtype=np.float64)
        if points.shape != (68, 2) or not np.isfinite(points).all():
            raise InputError(f"a portrait needs 68 finite points, got shape {points.shape}")
        if np.linalg.norm(points[45] - points[36]) < 1:
            raise InputError("a portrait's outer eye corners must be at least 1 pixel apart")
        points.setflags(write=False)
        image = as_bgr(self.image).view()
        image.setflags(write=False)
        object.__setattr__(self, "image", image)
        object.__setattr__(self, "points", points)


@cache
def astronaut() -> Portrait:
    """Give Eileen Collins (NASA, public domain), the picture that scikit-image ships."""
    with as_file(files("facetrack.synthetic") / "astronaut.pts") as path:
        points = read_pts(path)
    outline = np.array(_ASTRONAUT_OUTLINE, dtype=np.float64)
    return Portrait(_astronaut_picture(), points, outline)


def _astronaut_picture() -> Image:
    """Read scikit-image's picture without loading scikit-image, which takes 0.2 s."""
    package = find_spec("skimage")
    for folder in package.submodule_search_locations or [] if package is not None else []:
        picture = cv2.imread(str(Path(folder) / "data" / "astronaut.png"))
        if picture is not None:
            return np.asarray(picture, dtype=np.uint8)
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[..., ::-1])  # type: ignore[no-untyped-call]


@cache
def stranger() -> Portrait:
    """Give a second identity: the astronaut mirrored, longer in the face and darker."""
    first = astronaut()
    height, width = first.image.shape[:2]
    stretch = 1.14
    image = cv2.resize(
        first.image[:, ::-1], (width, round(height * stretch)), interpolation=cv2.INTER_CUBIC
    )
    points, outline = mirror(first.points, width), np.array(_ASTRONAUT_OUTLINE, dtype=np.float64)
    outline[:, 0] = width - 1 - outline[:, 0]
    for array in (points, outline):
        # cv2.resize keeps the corners of the picture, not the centres of its corner pixels.
        array[:, 1] = (array[:, 1] + 0.5) * (image.shape[0] / height) - 0.5
    tone = np.array([0.42, 0.54, 0.72])  # blue, green, red: darker hair, browner skin
    return Portrait(np.rint(image * tone).astype(np.uint8), points, outline)
