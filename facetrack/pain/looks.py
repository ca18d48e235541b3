"""What is looked at in one frame: the registered shape, gradients of the face, deep features."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.features.crops import Crop, Cut
from facetrack.networks.expression import Encoding, ExpressionEncoder
from facetrack.networks.patches import Patch, take
from facetrack.pain.geometry import register, unit_shape
from facetrack.pain.hog import FACE, FaceHog
from facetrack.signals.expression import cut_off

SOURCES: Final = ("shape", "hog", "deep")


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One face in one frame."""

    values: Mapping[str, npt.NDArray[np.floating]]  # `shape` (49 registered points), `hog`, `deep`
    problem: str  # why no score can rest on it


class Looker:
    """Looks at faces; belongs to one thread."""

    # All is registered by the encoder's mean shape; `mean` is that in outer-eye distances.

    def __init__(self, encoder: ExpressionEncoder) -> None:
        self.encoder = encoder
        self.mean = unit_shape(encoder.mean_shape)
        self.hog = FaceHog(encoder.mean_shape)

    def look(self, grey: npt.NDArray[np.uint8], points: npt.ArrayLike) -> Look:
        """Look at a face by its landmarks in pixels."""

        def cut(crop: Crop) -> Cut:
            return crop.cut(grey, points, self.encoder.mean_shape)

        patches = take(cut, points)
        return self.put_together(cut, points, patches, self.encoder.encode(patches))

    def put_together(
        self,
        cut: Callable[[Crop], Cut],
        points: npt.ArrayLike,
        patches: Mapping[str, Patch],
        encoding: Encoding,
    ) -> Look:
        """Look at a face that was encoded already; `cut` is by the encoder's mean shape."""
        shape = register(points, self.mean)
        cells = self.hog.cells(cut(FACE).pixels)
        problem = next(iter(cut_off(patches).values()), "")
        values: dict[str, npt.NDArray[np.floating]] = {
            "shape": shape.ravel(),
            "hog": self.hog.describe(cells),
            "deep": np.concatenate([encoding.features, encoding.targets]),
        }
        return Look(values, problem)
