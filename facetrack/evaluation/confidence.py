"""Whether the confidence of points comes true, by landmark group and by yaw of the head."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.datasets.pts_folder import LabelledImage
from facetrack.errors import InputError
from facetrack.evaluation.clips import Clip, FaceTracker
from facetrack.evaluation.errors import point_errors
from facetrack.evaluation.footage import (
    Corrections,
    Spread,
    choose_frames,
    examples_of,
    read_footage,
    taught_tracker,
)
from facetrack.evaluation.protocols import Detects, Model, fit_detected, fit_starts
from facetrack.evaluation.reliability import Reliability, reliability
from facetrack.face import Fit
from facetrack.fitting.confidence import WITHIN
from facetrack.fitting.face_model import FaceModel
from facetrack.landmarks.markup import GROUPS, outer_eye_distance
from facetrack.landmarks.pose import head_pose
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.learning.learner import Learner
from facetrack.parallel import Map
from facetrack.tracking.tracker import Tracker

YAW_BANDS: Final = {
    "yaw 0-15": (0.0, 15.0),
    "yaw 15-30": (15.0, 30.0),
    "yaw over 30": (30.0, 180.0),
}

TAUGHT: Final = (1, 3, 8)  # corrected frames of a clip
FIELD: Final = 10.0  # outer-eye distances: side of the picture that the head's yaw is told in

Array = npt.NDArray[np.float64]
Rows = list[tuple[Array, Array, Array]]  # confidence (68,), points (68, 2), truth (68, 2)


@dataclass(frozen=True, slots=True)
class Judged:
    """Points of n faces with their confidence and their true errors."""

    data: str
    start: str  # how their fits began
    confidence: Array  # (n, 68)
    errors: Array  # (n, 68), fractions of the true outer-eye distance
    yaw: Array  # (n,), of the true shape in degrees, without its sign

    def parts(self) -> dict[str, Reliability]:
        """Compare confidence and outcome: `all`, each landmark group, each band of yaw."""
        right = self.errors < WITHIN
        found = {"all": reliability(self.confidence, right)}
        for name, points in GROUPS.items():
            of = list(points)
            found[name] = reliability(self.confidence[:, of], right[:, of])
        for name, (low, high) in YAW_BANDS.items():
            rows = (self.yaw >= low) & (self.yaw < high)
            if rows.any():
                found[name] = reliability(self.confidence[rows], right[rows])
        return found


def judge_pictures(
    model: Model,
    data: str,
    images: Sequence[LabelledImage],
    *,
    seeds: int = 0,
    detector: Detects | None = None,
    map_: Map = map,
) -> Judged:
    """Fit labelled pictures from `seeds` tracking starts each, or from a face detector."""
    work = partial(_fit_picture, model, seeds, detector)
    rows = [row for found in map_(work, list(enumerate(images))) for row in found]
    start = "projected truth" if detector is None else "detector"
    return judged(data, start, rows, model.shape_model)


def _fit_picture(
    model: Model, seeds: int, detector: Detects | None, numbered: tuple[int, LabelledImage]
) -> Rows:
    _, labelled = numbered
    if detector is None:
        fits: list[Fit | None] = [*fit_starts(model, numbered, seeds=seeds, projected=True)]
    else:
        fits = [fit_detected(model, detector, labelled)]
    return [(fit.confidence, fit.points, labelled.points) for fit in fits if fit is not None]


def judge_clips(
    make_tracker: Callable[[], FaceTracker],
    data: str,
    clips: Sequence[Clip],
    shape_model: ShapeModel,
    *,
    map_: Map = map,
) -> list[Judged]:
    """Track clips and compare the raw points with each reference, pooled over the clips."""
    # Frames on which the references agree and the face was tracked.
    rows: dict[str, Rows] = {}
    for found in map_(partial(_follow, make_tracker), clips):
        for reference, new in found.items():
            rows.setdefault(reference, []).extend(new)
    return [judged(data, f"against {name}", r, shape_model) for name, r in rows.items() if r]


def _follow(make_tracker: Callable[[], FaceTracker], clip: Clip) -> dict[str, Rows]:
    tracker = make_tracker()
    rows: dict[str, Rows] = {name: [] for name in clip.references}
    with clip.open() as source:
        for frame in source:
            seen = [face for face in tracker.update(frame) if face.tracked]
            if not seen or frame.index >= len(clip.compared) or not clip.compared[frame.index]:
                continue
            for name, reference in clip.references.items():
                truth = reference[frame.index]
                rows[name].append((seen[0].confidence, seen[0].raw_points, truth))
    return rows


def judge_taught(
    model: FaceModel,
    data: str,
    clips: Sequence[Clip],
    *,
    counts: Sequence[int] = TAUGHT,
    map_: Map = map,
) -> list[Judged]:
    """Teach corrected frames of clips, track them again, and compare all others with the truth."""
    rows: dict[int, Rows] = {count: [] for count in counts}
    for found in map_(partial(_teach, model, tuple(counts)), clips):
        for count, new in found.items():
            rows[count].extend(new)
    return [
        judged(data, f"taught {count}", found, model.shape_model)
        for count, found in rows.items()
        if found
    ]


def _teach(model: FaceModel, counts: Sequence[int], clip: Clip) -> dict[int, Rows]:
    footage = read_footage(Tracker(model), clip)
    learner = Learner(model.tracking, model.priors)
    rows: dict[int, Rows] = {}
    for count in counts:
        corrected, others = choose_frames(footage.trusted, count, Spread.CLIP)
        corrections = Corrections(corrected, footage.reference[corrected])
        examples = examples_of(model, footage, corrections)
        tracker = taught_tracker(model, examples, learner.learn(examples))
        faces = [
            [face for face in tracker.update(grey, float(time)) if face.tracked]
            for grey, time in zip(footage.greys, footage.timestamps, strict=True)
        ]
        rows[count] = [
            (faces[i][0].confidence, faces[i][0].raw_points, footage.reference[i])
            for i in others.tolist()
            if faces[i]
        ]
    return rows


def judged(data: str, start: str, rows: Rows, shape_model: ShapeModel) -> Judged:
    """Measure errors and yaw of faces: (confidence, points, truth) each, points in pixels."""
    if not rows:
        raise InputError(f"{data}: no face was found, so no confidence can be judged")
    confidence, points, truth = (np.stack(column) for column in zip(*rows, strict=True))
    if not np.isfinite(confidence).all():
        raise InputError("the model says no confidence of points; train it with this version")
    yaw = np.array([_yaw(shape, shape_model.mean_3d) for shape in truth])
    return Judged(data, start, confidence, point_errors(points, truth), yaw)


def with_all(report: Sequence[Judged]) -> list[Judged]:
    """Add a row with all data together for each way to start that several data share."""
    rows = list(report)
    for start in dict.fromkeys(entry.start for entry in report):
        same = [entry for entry in report if entry.start == start]
        if len(same) > 1:
            confidence, errors, yaw = (
                np.concatenate([getattr(entry, name) for entry in same])
                for name in ("confidence", "errors", "yaw")
            )
            rows.append(Judged("all", start, confidence, errors, yaw))
    return rows


def _yaw(truth: Array, mean_3d: Array) -> float:
    """Return how far a head is turned from the line of sight, in degrees."""
    # The picture around the face is what is looked at: in a whole frame a face at the border has
    # another yaw towards the camera's axis than it shows.
    side = max(2, round(FIELD * float(outer_eye_distance(truth))))
    centred = truth - truth.mean(axis=0) + (side - 1) / 2
    return abs(float(np.degrees(head_pose(centred, mean_3d, (side, side)).rotation[1])))
