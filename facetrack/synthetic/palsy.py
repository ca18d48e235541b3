"""A face of which one half hardly moves and hangs, as after a stroke or in Bell's palsy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.landmarks.markup import MIRROR

# How little points of the person's right half move: 0 as usual, 1 not at all.
_WEAK: Final = {
    17: 1.0, 18: 1.0, 19: 1.0, 20: 0.9, 21: 0.7, 36: 0.6, 37: 0.9, 38: 0.9, 39: 0.4, 40: 0.8,
    41: 0.8, 31: 0.7, 32: 0.4, 48: 1.0, 49: 0.9, 50: 0.6, 58: 0.6, 59: 0.9, 60: 1.0, 61: 0.6,
    67: 0.6,
}  # fmt: skip
# How far they hang, in outer-eye distances.
_HANG: Final = {
    17: 0.06, 18: 0.08, 19: 0.09, 20: 0.08, 21: 0.05, 37: 0.03, 38: 0.03, 40: 0.01, 41: 0.01,
    48: 0.1, 49: 0.05, 50: 0.015, 58: 0.02, 59: 0.06, 60: 0.09, 61: 0.02, 67: 0.03,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Palsy:
    """Which half of a face, the person's right or left, is weak, and how much, 0 to 1."""

    side: str = "right"
    strength: float = 1.0

    @property
    def mobility(self) -> npt.NDArray[np.float64]:
        """Part of its usual motion that each landmark makes, shape (68,)."""
        return 1 - 0.9 * self._spread(_WEAK)

    @property
    def droop(self) -> npt.NDArray[np.float64]:
        """How far each landmark hangs, shape (68,), outer-eye distances."""
        return self._spread(_HANG)

    def _spread(self, table: dict[int, float]) -> npt.NDArray[np.float64]:
        values = np.zeros(68)
        values[list(table)] = list(table.values())
        return self.strength * (values if self.side == "right" else values[list(MIRROR)])
