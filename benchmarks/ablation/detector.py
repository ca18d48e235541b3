"""Ways from a detector's box to the landmarks: arms of the ablation that need a whole model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.datasets.pts_folder import LabelledImage
from facetrack.detection.face_detector import FaceDetector
from facetrack.evaluation.errors import summary
from facetrack.evaluation.protocols import Model, from_detector
from facetrack.face import Fit
from facetrack.features.crops import warp_to_frame
from facetrack.features.maps import MapBuilder
from facetrack.features.pixels import Box
from facetrack.fitting.face_model import FaceModel
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.model import load_model, save_model
from facetrack.regression.cascade import Cascade
from facetrack.training.trainer import TrainingSettings, train_model

Points = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]

WAYS: Final[dict[str, Callable[[FaceModel], Model]]] = {
    "start": lambda model: Staged(model, (model.start,), "start cascade alone"),
    "start-tracking": lambda model: Staged(
        model, (model.start, model.tracking), "start, then tracking cascade"
    ),
    "whole": lambda model: replace(model, name="start, then refinement, both ways round (default)"),
}


@dataclass(frozen=True, slots=True)
class Staged:
    """A model that runs cascades one after the other from the box, each in a frame of its own."""

    whole: FaceModel
    cascades: tuple[Cascade, ...]
    name: str

    @property
    def shape_model(self) -> ShapeModel:
        """The whole model's."""
        return self.whole.shape_model

    def fit(self, image: Image, start: Points) -> Fit:
        """Fit as the whole model does."""
        return self.whole.fit(image, start)

    def fit_box(
        self, image: Image, box: Box, *, view: int = 0, five: npt.ArrayLike | None = None
    ) -> Fit:
        """Fit from a detector's box; see `FaceModel.fit_box`."""
        placement = self.whole.placement
        if five is not None and placement.five is not None:
            points = placement.five.start(five)
        else:
            points = placement.start(box, view)
        for cascade in self.cascades:
            to_frame = self.shape_model.to_reference(points)
            maps = MapBuilder(cascade.maps).build(warp_to_frame(image, to_frame))
            points = to_frame.inverse().apply(cascade.run(maps, to_frame.apply(points)))
        return self.whole.judge(image, points)


def measure_way(
    key: str,
    kept: Sequence[LabelledImage],
    aside: Sequence[LabelledImage],
    clips: Sequence[LabelledImage],
    place: Path,
) -> dict[str, Any]:
    """Measure one way from the detector; the whole model is trained once and kept at `place`."""
    if not place.exists():
        settings = TrainingSettings(threads=1)
        save_model(train_model(kept, clips, name=place.stem, card={}, settings=settings), place)
    model = WAYS[key](load_model(place))
    found = from_detector(model, aside, detector=FaceDetector())
    return {"title": model.name, **asdict(summary(found.errors()))}
