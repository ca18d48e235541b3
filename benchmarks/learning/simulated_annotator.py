"""A simulated annotator: how many frames must be corrected until a whole clip is right."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.learning.teaching import Method
from facetrack.annotation.corrections import Correction
from facetrack.annotation.residual import carry_residuals
from facetrack.annotation.retrack import Refit, retrack
from facetrack.annotation.taught import taught
from facetrack.evaluation.footage import Corrections, Footage
from facetrack.face import Source
from facetrack.landmarks.markup import MARKUPS, outer_eye_distance
from facetrack.tracking.track import Fits
from facetrack.video.frame import Frame, frame_of

Points = npt.NDArray[np.float64]

NEAR: Final = 0.05  # of the outer-eye distance: a point this near is right
ENOUGH: Final = 0.95  # of the points must be right in every frame


@dataclass(frozen=True, slots=True)
class Annotated:
    """What it took to get one clip right.

    Attributes
    ----------
    clip, method : str
    frames : int
        Frames that are judged.
    corrected : int
        Frames that had to be corrected.
    wrong_before : int
        Frames that were not right without any correction.
    """

    clip: str
    method: str
    frames: int
    corrected: int
    wrong_before: int

    @property
    def per_thousand(self) -> float:
        """Corrected frames per 1,000."""
        return 1000 * self.corrected / self.frames


class TrackAnew:
    """Tracks the whole clip anew from the corrected frames, forward and back.

    Parameters
    ----------
    model : Fits
    learning : bool
        Whether the model learns from the corrections first. Without, it is what every annotation
        tool does that tracks with a frozen model.
    """

    def __init__(self, model: Fits, *, learning: bool) -> None:
        self._model, self._learning = model, learning
        self.name = "learning" if learning else "tracking anew, no learning"
        self._known: dict[tuple[int, int | None, int | None], list[Refit]] = {}

    def teach(self, footage: Footage, corrections: Corrections) -> Points:
        """Track anew; see `teaching.Method`."""
        frames = corrections.frames.tolist()
        anchors = dict(zip(frames, corrections.labels, strict=True))
        model = self._taught(footage, anchors) if self._learning else self._model
        track = footage.plain.copy()
        for frame, points in anchors.items():
            track[frame] = points
        borders = [None, *frames, None]
        for before, after in itertools.pairwise(borders):
            for refit in self._gap(model, footage, anchors, before, after):
                track[refit.frame] = refit.points
        return track

    def _taught(self, footage: Footage, anchors: dict[int, Points]) -> Fits:
        source = np.full(68, Source.CORRECTED, dtype=np.uint8)
        corrections = {frame: Correction(points, source) for frame, points in anchors.items()}
        return taught(self._model, corrections, lambda frame: footage.greys[frame])

    def _gap(
        self,
        model: Fits,
        footage: Footage,
        anchors: dict[int, Points],
        before: int | None,
        after: int | None,
    ) -> list[Refit]:
        """Track what lies between two neighbouring corrections; a frozen model only once."""
        start = 0 if before is None else before + 1
        stop = len(footage.greys) if after is None else after
        if start >= stop:
            return []
        key = (id(footage), before, after)
        if not self._learning and key in self._known:
            return self._known[key]
        near = {f: anchors[f] for f in (before, after) if f is not None}

        def look(number: int) -> Frame:
            return frame_of(footage.greys[number], index=number)

        outcome = retrack(model, look, near, (start, stop))
        if self._learning:
            return carry_residuals(model, look, near, outcome).refits
        self._known[key] = outcome.refits
        return outcome.refits


def annotate(
    footage: Footage,
    method: Method,
    *,
    markup: int = 68,
    most: int | None = None,
    progress: Callable[[int], None] = lambda corrected: None,
) -> Annotated:
    """Correct the worst frame, again and again, until every frame is right.

    Parameters
    ----------
    footage : Footage
        Its reference is what the annotator says; frames that it does not trust are not judged.
    method : Method
        What is made of the corrections.
    markup : {68, 66, 51, 49}
        The points that are judged.
    most : int, optional
        Give up after so many corrections; by default when all frames are corrected.
    progress : callable
        Told of the number of corrections so far.

    Returns
    -------
    Annotated
    """
    judged = np.flatnonzero(footage.trusted)
    members = list(MARKUPS[markup])
    track = footage.plain
    corrected: list[int] = []
    wrong_before: int | None = None
    while True:
        right = right_points(track[judged], footage.reference[judged], members)
        right[np.isin(judged, corrected)] = 1.0
        wrong = int((right < ENOUGH).sum())
        wrong_before = wrong if wrong_before is None else wrong_before
        if not wrong or len(corrected) == most:
            return Annotated(footage.name, method.name, len(judged), len(corrected), wrong_before)
        corrected = sorted([*corrected, int(judged[np.argmin(right)])])
        progress(len(corrected))
        frames = np.array(corrected, dtype=np.int64)
        track = method.teach(footage, Corrections(frames, footage.reference[frames]))


def right_points(points: Points, truth: Points, members: Sequence[int]) -> npt.NDArray[np.float64]:
    """Return which share of each frame's points is right, minus a little for how wrong it is.

    Parameters
    ----------
    points, truth : ndarray, shape (n, 68, 2), float64
    members : sequence of int
        The points that count.

    Returns
    -------
    ndarray, shape (n,), float64
        Share of points within 5 % of the outer-eye distance. Of frames with the same share the one
        with the larger mean error is less by less than 1e-6, so that it is corrected first.
    """
    eyes = outer_eye_distance(truth)[:, None]
    off = np.linalg.norm(points - truth, axis=2)[:, members] / eyes
    off = np.nan_to_num(off, nan=1e3)
    share = (off <= NEAR).mean(axis=1)
    mean = off.mean(axis=1)
    return np.asarray(share - 1e-6 * mean / (1 + mean) * (share < ENOUGH))
