"""What a trained model can do: fit a face from a shape, or from a detector's box."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.face import Fit, read_only_points
from facetrack.features.alignment import warp_to_frame
from facetrack.features.maps import MapBuilder, MapSpec
from facetrack.landmarks.markup import mirror
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.regression.cascade import Cascade
from facetrack.tracking.quality import QualityClassifier

Box = tuple[float, float, float, float]

_KEEP: Final = 0.4  # of the start cascade's form, where the refinement starts


@dataclass(frozen=True, slots=True)
class BoxPlacement:
    """Where a detector's box puts the first shape, learnt from boxes and truths.

    Attributes
    ----------
    shapes : ndarray, shape (views, 68, 2), float64
        Median shape for every view of the detector, in box widths from the box' centre.
    """

    shapes: npt.NDArray[np.float64]

    def start(self, box: Box, view: int) -> npt.NDArray[np.float64]:
        """Place the shape of a view in a box.

        Parameters
        ----------
        box : tuple of float
            x0, y0, x1, y1 in pixels of the image.
        view : int
            Which template of the detector found the box; see `detection.Detection.view`.

        Returns
        -------
        ndarray, shape (68, 2), float64
            In pixels of the image.

        Raises
        ------
        InputError
            If the box is empty or there is no such view.
        """
        x0, y0, x1, y1 = box
        if not np.isfinite(box).all() or x1 <= x0 or y1 <= y0:
            raise InputError(f"a box is x0 < x1, y0 < y1 in pixels, got {box}")
        if not 0 <= view < len(self.shapes):
            raise InputError(f"views are numbered 0 to {len(self.shapes) - 1}, got {view}")
        placed: npt.NDArray[np.float64] = self.shapes[view] * (x1 - x0)
        return placed + np.array([x0 + x1, y0 + y1]) / 2


class _Builders(threading.local):
    """Map buffers of each thread: a model may serve several threads at once."""

    def __init__(self) -> None:
        self.by_spec: dict[tuple[MapSpec, ...], MapBuilder] = {}

    def get(self, specs: tuple[MapSpec, ...]) -> MapBuilder:
        if specs not in self.by_spec:
            self.by_spec[specs] = MapBuilder(specs)
        return self.by_spec[specs]

    def __reduce__(self) -> tuple[type[_Builders], tuple[()]]:
        """Let a model travel to other processes, where its threads fill buffers of their own."""
        return _Builders, ()


@dataclass(frozen=True, slots=True)
class FaceModel:
    """A trained model. It never changes; what is learned of a person is kept apart from it.

    Attributes
    ----------
    name : str
    shape_model : ShapeModel
    placement : BoxPlacement
        From a detector's box to the first start.
    start : Cascade
        For the large motion from the box.
    refinement : Cascade
        From where the start cascade ends: the face's place is known, its form not yet.
    tracking : Cascade
        For the small motion from the last shape.
    quality : QualityClassifier
    card : dict
        What the model was trained on and how, JSON-able.
    """

    name: str
    shape_model: ShapeModel
    placement: BoxPlacement
    start: Cascade
    refinement: Cascade
    tracking: Cascade
    quality: QualityClassifier
    card: dict[str, Any]
    _builders: _Builders = field(default_factory=_Builders, repr=False, compare=False)

    def fit(self, image: npt.NDArray[np.uint8], start: npt.ArrayLike) -> Fit:
        """Fit the landmarks from a shape nearby, such as that of the last frame.

        Parameters
        ----------
        image : ndarray, shape (H, W) or (H, W, 3), uint8
            Grey or BGR.
        start : array_like, shape (68, 2)
            Pixels of the image.

        Returns
        -------
        Fit

        Raises
        ------
        InputError
            If the image or the start has a wrong type or shape, or the start is not finite.
        """
        start = np.asarray(start, dtype=np.float64)
        to_frame = self.shape_model.to_reference(start)
        maps = self._builders.get(self.tracking.maps).build(warp_to_frame(image, to_frame))
        shape = self.tracking.run(maps, to_frame.apply(start))
        quality = self.quality.probability(maps, shape)
        return Fit(read_only_points(to_frame.inverse().apply(shape)), quality)

    def fit_box(self, image: npt.NDArray[np.uint8], box: Box, *, view: int = 0) -> Fit:
        """Fit the landmarks from a detector's box.

        Parameters
        ----------
        image : ndarray, shape (H, W) or (H, W, 3), uint8
            Grey or BGR.
        box : tuple of float
            x0, y0, x1, y1 in pixels of the image, as dlib's frontal detector gives it.
        view : int
            Which of the detector's templates found it: 0 frontal, 1 and 2 turned, 3 and 4 rolled.

        Returns
        -------
        Fit

        Raises
        ------
        InputError
            If the image has a wrong type or shape, the box is empty, or there is no such view.
        """
        first = self._both_ways(self.start, image, self.placement.start(box, view))
        relaxed = self.shape_model.relax(first, keep=_KEEP)
        points = self._both_ways(self.refinement, image, relaxed)
        return Fit(read_only_points(points), self._judge(image, points))

    def _both_ways(
        self, cascade: Cascade, image: npt.NDArray[np.uint8], start: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Run a cascade on the picture and on its mirror image and average the two shapes.

        Half of what differs between them is an accident of the training pictures. It costs a second
        run, which a face's first fit has time for.
        """
        to_frame = self.shape_model.to_reference(start)
        patch = warp_to_frame(image, to_frame)
        builder = self._builders.get(cascade.maps)
        shape = to_frame.apply(start)
        size = len(patch)
        straight = cascade.run(builder.build(patch), shape)
        turned = cascade.run(builder.build(patch[:, ::-1]), mirror(shape, size))
        return to_frame.inverse().apply(0.5 * (straight + mirror(turned, size)))

    def _judge(self, image: npt.NDArray[np.uint8], points: npt.NDArray[np.float64]) -> float:
        """Tell the quality of a shape in a frame of its own."""
        to_frame = self.shape_model.to_reference(points)
        maps = self._builders.get(self.tracking.maps).build(warp_to_frame(image, to_frame))
        return self.quality.probability(maps, to_frame.apply(points))
