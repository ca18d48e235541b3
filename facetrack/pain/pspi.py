"""The Prkachin-Solomon score of one frame, from the action units that a face shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError

PAIN_UNITS: Final[dict[int, str]] = {
    4: "brow lowerer",
    6: "cheek raiser",
    7: "lid tightener",
    9: "nose wrinkler",
    10: "upper lip raiser",
    43: "eyes closed",
}
CLOSED_EYES: Final = 43  # present or not; all others have intensities
MAX_PSPI: Final = 16
HELD: Final = 0.5  # seconds: eyes that close for less blink, which is another action unit
_STRONGEST: Final = 5


def pspi(units: Mapping[int, npt.ArrayLike]) -> npt.NDArray[np.float64]:
    """Compute AU4 + max(AU6, AU7) + max(AU9, AU10) + AU43, 0 to 16; NaN where a unit is.

    Intensities go from 0 (absent) to 5, that of action unit 43 from 0 to 1; others than
    `PAIN_UNITS` do not count, shapes are broadcast. It measures what a face shows: a broad smile
    that lifts the cheeks scores, and so do eyes closed at rest; a person in agony with a still face
    scores 0 (Prkachin and Solomon, The structure, reliability and validity of pain expression, Pain
    2008).
    """
    z = {u: np.asarray(units.get(u, 0.0), dtype=np.float64) for u in PAIN_UNITS}
    for unit, values in z.items():
        highest = 1 if unit == CLOSED_EYES else _STRONGEST
        if ((values < 0) | (values > highest)).any():
            raise InputError(
                f"action unit {unit} has intensities from {np.nanmin(values):g} to "
                f"{np.nanmax(values):g}; 0 to {highest} are possible"
            )
    score = z[4] + np.maximum(z[6], z[7]) + np.maximum(z[9], z[10]) + z[CLOSED_EYES]
    return np.asarray(score, dtype=np.float64)


def held(closed: npt.NDArray[np.bool_], frame_rate: float) -> npt.NDArray[np.bool_]:
    """Return where closed eyes stay closed for half a second or more: action unit 43."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], closed, [False]])))
    result = np.zeros(len(closed), dtype=bool)
    for start, stop in edges.reshape(-1, 2).tolist():
        result[start:stop] = stop - start >= HELD * frame_rate
    return result
