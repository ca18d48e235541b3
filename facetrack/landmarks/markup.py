"""Mark-ups: which number is which part of the face.

All numbers are 0-based positions in the 68 points of iBUG / Multi-PIE. "Right" and "left" are the
person's; the person's right eye lies on the left of the image.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError

REGIONS: Final[dict[str, tuple[int, ...]]] = {
    "jaw": tuple(range(17)),
    "right_brow": tuple(range(17, 22)),
    "left_brow": tuple(range(22, 27)),
    "nose": tuple(range(27, 36)),
    "right_eye": tuple(range(36, 42)),
    "left_eye": tuple(range(42, 48)),
    "outer_mouth": tuple(range(48, 60)),
    "inner_mouth": tuple(range(60, 68)),
}

GROUPS: Final[dict[str, tuple[int, ...]]] = {
    "jaw": REGIONS["jaw"],
    "brows": REGIONS["right_brow"] + REGIONS["left_brow"],
    "nose": REGIONS["nose"],
    "eyes": REGIONS["right_eye"] + REGIONS["left_eye"],
    "mouth": REGIONS["outer_mouth"] + REGIONS["inner_mouth"],
}

MARKUPS: Final[dict[int, tuple[int, ...]]] = {
    68: tuple(range(68)),
    66: tuple(i for i in range(68) if i not in (60, 64)),
    51: tuple(range(17, 68)),
    49: tuple(i for i in range(17, 68) if i not in (60, 64)),
}

MIRROR: Final[tuple[int, ...]] = (
    *range(16, -1, -1),  # jaw
    *range(26, 16, -1),  # brows
    27, 28, 29, 30,  # bridge
    35, 34, 33, 32, 31,  # nose base
    45, 44, 43, 42, 47, 46,  # right eye <- left eye
    39, 38, 37, 36, 41, 40,  # left eye <- right eye
    54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55,  # outer lip
    64, 63, 62, 61, 60, 67, 66, 65,  # inner lip
)  # fmt: skip

OUTER_EYE_CORNERS: Final = (36, 45)
# Corners of the eyes, bridge and base of the nose: what expressions and speech hardly move.
STABLE: Final = (27, 28, 29, 30, 33, 36, 39, 42, 45)


def to_markup(points: npt.ArrayLike, count: int) -> npt.NDArray[np.float64]:
    """Keep the points of a smaller mark-up, (..., count, 2), of (..., 68, 2).

    51 drops the jaw; 66 and 49 also drop the inner mouth corners. InputError for another count.
    """
    array = np.asarray(points, dtype=np.float64)
    if count not in MARKUPS:
        raise InputError(f"mark-ups have {', '.join(map(str, MARKUPS))} points, got {count}")
    if array.ndim < 2 or array.shape[-2:] != (68, 2):
        raise InputError(f"points must have shape (..., 68, 2), got {array.shape}")
    return array[..., list(MARKUPS[count]), :]


def mirror(points: npt.ArrayLike, width: float) -> npt.NDArray[np.float64]:
    """Mirror landmarks (..., 68, 2) together with an image of this width; 1 mirrors at x = 0.

    x becomes width - 1 - x, and points of the left and the right side change places.
    """
    array = np.asarray(points, dtype=np.float64)[..., list(MIRROR), :].copy()
    array[..., 0] = width - 1 - array[..., 0]
    return array


def outer_eye_distance(points: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Measure |p36 - p45|, which normalises all errors, in pixels, of shapes (..., 68, 2).

    The literature on 300-W and 300-VW calls it "inter-ocular distance".
    """
    array = np.asarray(points, dtype=np.float64)
    right, left = OUTER_EYE_CORNERS
    apart = array[..., right, :] - array[..., left, :]
    distance: npt.NDArray[np.float64] = np.hypot(apart[..., 0], apart[..., 1])
    return distance


def pupil_distance(points: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Measure the distance of the pupils, as the means of each eye's points, in pixels.

    "Inter-pupil distance" in the 300-W literature. It is shorter than the distance of the outer eye
    corners, so percentages of it are larger.
    """
    array = np.asarray(points, dtype=np.float64)
    right, left = (
        array[..., list(REGIONS[eye]), :].mean(axis=-2) for eye in ("right_eye", "left_eye")
    )
    distance: npt.NDArray[np.float64] = np.hypot(*np.moveaxis(right - left, -1, 0))
    return distance
