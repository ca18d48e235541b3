"""One face that is being followed: its last shape, its motion, and the next fit."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, Final, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.face import N_POINTS, NOT_SAID, Fit
from facetrack.features.crops import TRACK_PATCH, around, take_patch
from facetrack.features.pixels import Box, Image, box_of, grey, shrink
from facetrack.formats.encoding import NO_STATE
from facetrack.identity.people import Motion
from facetrack.identity.person import UNKNOWN, Person, Signature, signature
from facetrack.landmarks.markup import outer_eye_distance
from facetrack.landmarks.shape_model import N_RIGID, ShapeModel
from facetrack.tracking.smoothing import PointSmoother

Points = Annotated[npt.NDArray[np.float64], (N_POINTS, 2)]

WELL_FITTED: Final = 0.5  # quality from which on a fit is believed
HOPELESS: Final = 0.1  # quality below which a single frame ends a track
VAGUE: Final = 0.02  # quality below which not even the detector's word keeps a fit
PATIENCE: Final = 4  # frames in a row between the two that end it

SMALLEST_AREA: Final = 900.0  # square pixels of the points' box; the released iCCR uses the same
KEEP: Final = 0.5  # of the last shape's own form in the next start
_FARTHEST: Final = 1e6  # px: beyond every image
_IMPOSSIBLE: Final = 4.5  # standard deviations of a shape parameter that no face has

_LONG: Final = 1_000_000  # frames: never touched another face

_FAST: Final = 0.1  # outer-eye distances a frame: from here on the next place is predicted
_FAR: Final = 0.15  # a fit that moved this far from its start is repeated from its end

_PATCH_EVERY: Final = 3  # frames
_REACH: Final = 1.5  # where that picture is looked for, in box sizes around the last place
_LIKE: Final = 0.25  # agreement of signatures that such a place must have with the person
_MATCHED: Final = 0.4  # correlation that makes a place worth trying


class Fits(Protocol):
    """What the tracker needs of a trained model."""

    @property
    def shape_model(self) -> ShapeModel:
        """The shapes that it knows."""

    def fit(self, image: Image, start: Points) -> Fit:
        """Fit from a shape near the face."""

    def fit_box(
        self, image: Image, box: Box, *, view: int = 0, five: npt.ArrayLike | None = None
    ) -> Fit:
        """Fit from a detector's box."""


@dataclass(slots=True, eq=False)
class Track:
    """One face's state between two frames."""

    person: Person  # whose face it is; id `UNKNOWN` and no exemplars while that is in doubt
    points: Points  # the last fit, pixels
    quality: float  # of the last fit
    # what the face looked like a moment ago, grey
    patch: Annotated[npt.NDArray[np.uint8], (TRACK_PATCH, TRACK_PATCH)]
    smoother: PointSmoother | None
    velocity: Motion = field(default_factory=lambda: np.zeros(2))  # of the centroid, pixels a frame
    weak: int = 0  # frames in a row in which the fit was not believed
    age: int = 0  # frames since the face was found
    apart: int = _LONG  # frames since the face last touched another one
    confirmed: bool = False  # the detector was certain of the face once, see `verification`
    doubts: int = 0  # how often in a row it was asked again and saw nothing plausible
    # signatures from frames in which it is in doubt whose face this is
    looks: list[Signature] = field(default_factory=list)
    # (68,), read-only, of the last fit's points; said anew in every frame, so no state
    confidence: npt.NDArray[np.float64] = field(default_factory=lambda: NOT_SAID, metadata=NO_STATE)

    @property
    def decided(self) -> bool:
        """Whether it is known whose face this is."""
        return self.person.id != UNKNOWN

    @property
    def box(self) -> Box:
        """The points' bounding box, (x0, y0, x1, y1) in pixels."""
        return box_of(self.points)

    def follow(self, model: Fits, image: Image) -> Fit | None:
        """Fit the model in the next frame; the track itself stays as it is.

        The last shape is the start, a little pulled towards the mean shape: what a fit got wrong is
        forgotten within some frames instead of being handed on for ever. A fast face is also tried
        where its motion leads to, and one that is not found there where its remembered picture fits
        best. None where every try ended in an impossible shape, and where what is well fitted
        again, after poor fits, is another person or a pattern on the wall.
        """
        eye = float(outer_eye_distance(self.points))
        start = model.shape_model.relax(self.points, keep=KEEP)
        best = self._attempt(model, image, start)
        if math.hypot(*self.velocity.tolist()) > _FAST * eye:
            best = _better(best, self._attempt(model, image, start + self.velocity))
        if best is None or best.quality < WELL_FITTED:
            shift = self._shift_of_patch(image)
            if shift is not None:
                jump = self._attempt(model, image, self.points + shift)
                if jump is not None and self._shows_person(jump, image, model.shape_model):
                    best = _better(best, jump)
        if best is not None and self.weak and best.quality >= WELL_FITTED:
            return best if self._shows_person(best, image, model.shape_model) else None
        return best

    def accept(self, fit: Fit, image: Image) -> None:
        """Take a fit over as the face's place in this frame."""
        points = np.array(fit.points)
        self.weak = 0 if fit.quality >= WELL_FITTED else self.weak + 1
        if not self.weak:  # a poor fit says little of the motion
            self.velocity = (points - self.points).mean(axis=0)
        self.points, self.quality, self.confidence = points, fit.quality, fit.confidence
        self.age += 1
        if not self.weak and self.age % _PATCH_EVERY == 0:
            self.patch = take_patch(image, points)

    def _attempt(self, model: Fits, image: Image, start: Points) -> Fit | None:
        fit = model.fit(image, start)
        eye = float(outer_eye_distance(start))
        moved = math.hypot(*(fit.points - start).mean(axis=0).tolist())
        possible = is_plausible(fit, model.shape_model)
        if not possible and is_large(fit.points):
            # Distorted beyond what faces are: again from the nearest shape that a face can have.
            fit = model.fit(image, model.shape_model.project(form_of(fit)))
            possible = is_plausible(fit, model.shape_model)
        elif possible and moved > _FAR * eye:
            fit = model.fit(image, np.array(fit.points))
            possible = is_plausible(fit, model.shape_model)
        return fit if possible else None

    def _shows_person(self, fit: Fit, image: Image, shape_model: ShapeModel) -> bool:
        """Check that a face that jumped or came back is the same one, and no pattern."""
        seen = signature(image, fit.points, shape_model)
        return not self.person.exemplars or self.person.likeness(seen) >= _LIKE

    def _shift_of_patch(self, image: Image) -> npt.NDArray[np.float64] | None:
        """Find where the remembered picture of the face has gone, in pixels."""
        x0, y0, x1, y1 = self.box
        size = max(x1 - x0, y1 - y0)
        factor = TRACK_PATCH / size
        centre = np.array([x0 + x1, y0 + y1]) / 2
        region, origin = around(image, centre, (0.5 + _REACH) * size)
        if min(region.shape[:2]) * factor < TRACK_PATCH:
            return None
        field_of_view = shrink(grey(region), factor)
        if min(field_of_view.shape) < TRACK_PATCH:
            return None
        scores = cv2.matchTemplate(field_of_view, self.patch, cv2.TM_CCOEFF_NORMED)
        _, best, _, (x, y) = cv2.minMaxLoc(scores)
        if not best > _MATCHED:
            return None
        found: npt.NDArray[np.float64] = np.array([x, y]) / factor + size / 2 + origin
        return found - centre


def form_of(fit: Fit) -> Points:
    """Return the shape by which a fit is judged: without what is this person's alone."""
    return np.asarray(fit.points if fit.before_own is None else fit.before_own)


def is_plausible(fit: Fit, shape_model: ShapeModel) -> bool:
    """Return whether a fit can be a face; see `form_of` and `is_possible`."""
    return is_possible(form_of(fit), shape_model)


def is_possible(points: Points, shape_model: ShapeModel) -> bool:
    """Return whether a fit can be a face: finite, large enough, of known form (method.md, 1.4)."""
    if not is_large(points):
        return False
    shape = shape_model.to_reference(points).apply(points)
    parameters = shape_model.parameters(shape)[N_RIGID:]
    limits = _IMPOSSIBLE * shape_model.deviations[N_RIGID:]
    return bool((np.abs(parameters) <= limits).all())


def is_large(points: Points) -> bool:
    """Return whether a shape is finite, near an image, and large enough for a face."""
    x0, y0, x1, y1 = box_of(points)
    near = x0 > -_FARTHEST and y0 > -_FARTHEST and x1 < _FARTHEST and y1 < _FARTHEST
    return near and (x1 - x0) * (y1 - y0) >= SMALLEST_AREA


def _better(a: Fit | None, b: Fit | None) -> Fit | None:
    if a is None or b is None:
        return a or b
    return b if b.quality > a.quality else a
