"""How hard the frames of clips are, and splitting them into easy, light and hard thirds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

THIRDS: Final = ("easy", "light", "hard")


@dataclass(frozen=True, slots=True, eq=False)
class Difficulty:
    """How hard each frame of a clip is, (n,) each; 0 is easy, 1 is very hard."""

    light: npt.NDArray[np.float64]  # what the picture lacks: one-sided light, lost contrast, noise
    pose: npt.NDArray[np.float64]  # 1 is 30 degrees
    expression: npt.NDArray[np.float64]  # 1 is one and a half standard deviations in every mode


def split_thirds(difficulties: Sequence[Difficulty]) -> list[npt.NDArray[np.int64]]:
    """Split the frames of all clips together into thirds: per clip positions in `THIRDS`."""
    # Hard is the third with the strongest pose or expression; light is the half of the others whose
    # light is worst; the rest is easy.
    motion = np.concatenate([np.maximum(d.pose, d.expression) for d in difficulties])
    light = np.concatenate([d.light for d in difficulties])
    third = len(motion) // 3
    labels = np.zeros(len(motion), dtype=np.int64)
    order = np.argsort(-motion, kind="stable")
    labels[order[:third]] = THIRDS.index("hard")
    others = np.sort(order[third:])
    worst = others[np.argsort(-light[others], kind="stable")[:third]]
    labels[worst] = THIRDS.index("light")
    ends = np.cumsum([len(d.pose) for d in difficulties])
    return np.split(labels, ends[:-1])
