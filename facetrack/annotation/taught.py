"""The one place that chooses what learns a person from corrections while a video is annotated."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from facetrack.annotation.corrections import Correction
from facetrack.annotation.offset import OffsetLearner
from facetrack.landmarks.procrustes import fit_similarity
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.learning.learner import Learner
from facetrack.learning.lesson import make_lesson
from facetrack.tracking.face_model import FaceModel
from facetrack.tracking.personal_model import PersonalModel
from facetrack.tracking.track import Fits
from facetrack.video.frame import Image

Points = npt.NDArray[np.float64]


def taught(model: Fits, corrections: Iterable[tuple[int, Image, Correction]]) -> Fits:
    """Make a model that has learned from all corrections of a person.

    What was learned is a function of the model and the corrections alone, so that undoing one
    undoes what it taught, and a replay learns the same.

    Parameters
    ----------
    model : Fits
        The trained model; it stays as it is.
    corrections : iterable of (int, ndarray, Correction)
        Numbers of frames, grey frames, and what the person said of them, in their order.

    Returns
    -------
    Fits
        A `PersonalModel`; of a model that an older version trained, which keeps no sums to learn
        from, one that is moved by a constant offset.
    """
    lessons = [
        (frame, image, whole, correction.vouched)
        for frame, image, correction in corrections
        if (whole := completed(model.shape_model, correction)) is not None
        and correction.vouched.any()
    ]
    if not isinstance(model, FaceModel) or not model.priors:
        offset = OffsetLearner(model)
        for _, image, points, mask in lessons:
            offset.correct(image, points, mask)
        return offset
    learned = Learner(model.tracking, model.priors).learn(
        make_lesson(image, points, mask, model.shape_model, key=frame)
        for frame, image, points, mask in lessons
    )
    return model if learned is None else PersonalModel(model, learned)


def completed(shape_model: ShapeModel, correction: Correction) -> Points | None:
    """Fill in the points that are absent, from the mean face at their place.

    Parameters
    ----------
    shape_model : ShapeModel
    correction : Correction

    Returns
    -------
    ndarray, shape (68, 2), float64, or None
        None where fewer than half of the points are known.
    """
    known = np.asarray(np.isfinite(correction.points).all(axis=1))
    if known.sum() < len(known) // 2:
        return None
    if known.all():
        return np.array(correction.points)
    mean = shape_model.mean
    placed = fit_similarity(mean[known], correction.points[known]).apply(mean)
    return np.where(known[:, None], correction.points, placed)
