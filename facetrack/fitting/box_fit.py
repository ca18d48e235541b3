"""From a detector's box, or its five points, to landmarks."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.features.crops import warp_to_frame
from facetrack.features.maps import MapBuilder, MapSpec
from facetrack.features.pixels import Box, Image
from facetrack.landmarks.markup import mirror
from facetrack.landmarks.procrustes import fit_similarity
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.regression.cascade import Cascade

Points = npt.NDArray[np.float64]

_KEEP: Final = 0.4  # of the start cascade's form, where the refinement starts


@dataclass(frozen=True, slots=True)
class FivePlacement:
    """Where a detector's five points put the first shape: a linear map, learnt from truths.

    `mean` (5, 2) is that of the five points, brought upon each other by similarities; `weights`
    (136, 11) lead from the five points that a similarity brought upon the mean, less the mean, and
    1, to the landmarks there. Yaw and pitch show in how the points lie to each other.
    """

    mean: Points
    weights: Points

    def start(self, five: npt.ArrayLike) -> Points:
        """Place a shape (68, 2) on five points of `detection.Detection.five`, pixels of the image.

        InputError if the points are not five, not finite, or all in one place.
        """
        to_mean = fit_similarity(five, self.mean)
        evidence = np.append((to_mean.apply(five) - self.mean).ravel(), 1.0)
        return to_mean.inverse().apply((self.weights @ evidence).reshape(68, 2))


@dataclass(frozen=True, slots=True)
class BoxPlacement:
    """Where a detector's box puts the first shape, learnt from boxes and truths."""

    shapes: Points  # (views, 68, 2): medians by the detector's view, in box widths from the centre
    five: FivePlacement | None = None  # for detectors with five points; None: too few trained it

    def start(self, box: Box, view: int) -> Points:
        """Place the shape of a view in a box; InputError if that is empty or there is none such."""
        x0, y0, x1, y1 = box
        if not np.isfinite(box).all() or x1 <= x0 or y1 <= y0:
            raise InputError(f"a box is x0 < x1, y0 < y1 in pixels, got {box}")
        if not 0 <= view < len(self.shapes):
            raise InputError(f"views are numbered 0 to {len(self.shapes) - 1}, got {view}")
        placed: Points = self.shapes[view] * (x1 - x0)
        return placed + np.array([x0 + x1, y0 + y1]) / 2


class Builders(threading.local):
    """Map buffers of each thread: a model may serve several threads at once."""

    def __init__(self) -> None:
        self.by_spec: dict[tuple[MapSpec, ...], MapBuilder] = {}

    def get(self, specs: tuple[MapSpec, ...]) -> MapBuilder:
        """Return the calling thread's builder of these maps."""
        if specs not in self.by_spec:
            self.by_spec[specs] = MapBuilder(specs)
        return self.by_spec[specs]

    def __reduce__(self) -> tuple[type[Builders], tuple[()]]:
        """Let a model travel to other processes, where its threads fill buffers of their own."""
        return Builders, ()


@dataclass(frozen=True, slots=True)
class BoxFitter:
    """Finds the landmarks in a detector's box."""

    shape_model: ShapeModel
    placement: BoxPlacement  # from the box to the first start
    start: Cascade  # for the large motion from the box
    refinement: Cascade  # from where `start` ends: the face's place is known, its form not yet
    builders: Builders = field(default_factory=Builders, repr=False, compare=False)

    def fit(
        self, image: Image, box: Box, view: int = 0, five: npt.ArrayLike | None = None
    ) -> Points:
        """Fit the landmarks in a box as dlib's frontal detector gives it, pixels of the image.

        `view` is which of the detector's templates found it; `five`, where it sees eyes, nose and
        mouth (5, 2), is a better start. InputError if the image is wrong, the box empty, or the
        view unknown.
        """
        if five is None:
            start = self.placement.start(box, view)
        elif self.placement.five is None:
            mean = self.shape_model.mean
            start = fit_similarity(five_of(mean), five).apply(mean)
        else:
            start = self.placement.five.start(five)
        first = self._both_ways(self.start, image, start)
        relaxed = self.shape_model.relax(first, keep=_KEEP)
        return self._both_ways(self.refinement, image, relaxed)

    def _both_ways(self, cascade: Cascade, image: Image, start: Points) -> Points:
        """Run a cascade on the picture and on its mirror image and average the two shapes.

        Half of what differs between them is an accident of the training pictures. It costs a second
        run, which a face's first fit has time for.
        """
        to_frame = self.shape_model.to_reference(start)
        patch = warp_to_frame(image, to_frame)
        builder = self.builders.get(cascade.maps)
        straight, turned = run_both_ways(cascade, builder, patch, to_frame.apply(start))
        return to_frame.inverse().apply(0.5 * (straight + turned))


def five_of(points: npt.ArrayLike) -> Points:
    """Return the landmarks (5, 2) nearest to a detector's five points.

    Centres of the eyes, tip of the nose, corners of the mouth.
    """
    p = np.asarray(points, dtype=np.float64)
    eyes = p[36:42].mean(axis=0), p[42:48].mean(axis=0)
    return np.stack([*eyes, p[30], p[48], p[54]])


def run_both_ways(
    cascade: Cascade, builder: MapBuilder, patch: Image, start: Points
) -> tuple[Points, Points]:
    """Run a cascade on a patch and on its mirror image; both ends as they lie on the patch."""
    size = len(patch)
    straight = cascade.run(builder.build(patch), start)
    turned = cascade.run(builder.build(patch[:, ::-1]), mirror(start, size))
    return straight, mirror(turned, size)
