"""What the recogniser sees of a face in one frame: an expression, brows and the head's pose.

These are measured in the face's own frame, so a clip of them is aligned without being warped; the
pose is what nods and shakes are seen by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.datasets.channels import mirrored_channels
from facetrack.errors import FacetrackError
from facetrack.networks.expression import ExpressionEncoder
from facetrack.networks.patches import take
from facetrack.networks.samples import CHANNELS
from facetrack.signals.estimator import lost
from facetrack.signals.geometry import GEOMETRY
from facetrack.signals.observation import Observation

RATE: Final = 25.0  # frames per second of clips
_OPENINGS: Final = ("opening_right_eye", "opening_left_eye", "opening_mouth")
_BROWS: Final = ("brow_height_right", "brow_height_left")
_POSE: Final = ("pitch", "yaw", "roll")
LOOK: Final = (*CHANNELS, *_OPENINGS, *_BROWS, *_POSE)
_NO_PICTURE: Final = "there is no picture of this frame"
_GAP: Final = 0.2  # seconds without the face that are bridged

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """One face over time.

    Values are channels in about [0, 1], openings and heights of brows as ratios, angles in radians.
    """

    times: Floats  # (n,), seconds
    values: Floats  # (n, 47), by `LOOK`; NaN where the face is lost


def look(seen: Observation, encoder: ExpressionEncoder) -> tuple[Floats | None, str]:
    """Look at one face in one frame: values (47,), see `Looks`, or None and the reason."""
    if not seen.face.tracked or seen.face.pose is None:
        return None, lost(seen.face)
    if seen.frame is None:
        return None, _NO_PICTURE
    try:
        patches = take(lambda crop: seen.cut(crop, encoder.mean_shape), seen.face.points)
    except FacetrackError as error:
        return None, str(error)
    said: Mapping[str, float] = dict(
        zip(encoder.names, encoder.encode(patches).targets.tolist(), strict=True)
    )
    brows = GEOMETRY.read(seen.face)
    return np.array([
        *(said.get(name, nan) for name in (*CHANNELS, *_OPENINGS)),
        *(brows[name].value for name in _BROWS),
        *seen.face.pose.rotation,
    ]), ""  # fmt: skip


def mirrored(values: Floats) -> Floats:
    """Return what the mirrored face would look like, (..., looks) by `LOOK`."""
    return np.asarray(values[..., _ORDER] * _SIGNS)


def resampled(looks: Looks) -> Looks:
    """Bring looks to 25 frames per second, from the first frame on.

    Linear between frames in which the face is seen; NaN in gaps of 0.2 s or more, before the first
    and after the last such frame.
    """
    known = np.isfinite(looks.values).all(axis=1)
    if not known.any():
        return Looks(looks.times[:0], looks.values[:0])
    times, values = looks.times[known], looks.values[known]
    grid = (
        looks.times[0] + np.arange(int((looks.times[-1] - looks.times[0]) * RATE + 1e-6) + 1) / RATE
    )
    after = np.clip(np.searchsorted(times, grid - 1e-6), 0, len(times) - 1)
    before = np.clip(np.searchsorted(times, grid + 1e-6, side="right") - 1, 0, len(times) - 1)
    gap = times[after] - times[before]
    share = np.divide(grid - times[before], gap, out=np.zeros_like(grid), where=gap > 0).clip(0, 1)
    made = values[before] + share[:, None] * (values[after] - values[before])
    outside = (grid < times[0] - 1e-6) | (grid > times[-1] + 1e-6) | (gap >= _GAP)
    made[outside] = nan
    return Looks(grid, made)


def _mirror() -> tuple[npt.NDArray[np.int64], Floats]:
    """Return where each value of the mirrored face stands, and its sign."""
    swapped = [
        *mirrored_channels(CHANNELS), "opening_left_eye", "opening_right_eye", "opening_mouth",
        "brow_height_left", "brow_height_right", *_POSE,
    ]  # fmt: skip
    signs = np.ones(len(LOOK))
    signs[[LOOK.index("yaw"), LOOK.index("roll")]] = -1.0
    return np.array([LOOK.index(name) for name in swapped]), signs


_ORDER, _SIGNS = _mirror()
