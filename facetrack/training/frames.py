"""Training frames: images warped to the reference frame from a start (method.md, 2.1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facetrack.features.crops import warp_to_frame
from facetrack.landmarks.shape_model import ShapeModel

Shapes = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TrainingFrames:
    """What a cascade is trained on. The frame is aligned to the start, not to the truth."""

    patches: npt.NDArray[np.uint8]  # (N, size, size), grey levels of the reference frame
    starts: Shapes  # (N, 68, 2), pixels of the reference frame, as the truths
    truths: Shapes
    pictures: npt.NDArray[np.int64]  # (N,), a picture's number; mirrored copies share it

    def __len__(self) -> int:
        return len(self.patches)

    def with_starts(self, starts: Shapes) -> TrainingFrames:
        """Return the same frames with other current shapes."""
        return TrainingFrames(self.patches, starts, self.truths, self.pictures)

    def select(self, chosen: npt.NDArray[np.bool_]) -> TrainingFrames:
        """Return a part of the frames; `chosen` is a mask of shape (N,)."""
        return TrainingFrames(
            self.patches[chosen], self.starts[chosen], self.truths[chosen], self.pictures[chosen]
        )


def make_frames(
    items: Iterable[tuple[int, npt.NDArray[np.uint8], Shapes, Shapes]], shape_model: ShapeModel
) -> TrainingFrames:
    """Warp images to the frames that their starts define."""
    patches, starts, truths, pictures = [], [], [], []
    for picture, image, start, truth in items:
        to_frame = shape_model.to_reference(start)
        patches.append(warp_to_frame(image, to_frame))
        starts.append(to_frame.apply(start))
        truths.append(to_frame.apply(truth))
        pictures.append(picture)
    return TrainingFrames(
        np.stack(patches), np.stack(starts), np.stack(truths), np.array(pictures, dtype=np.int64)
    )
