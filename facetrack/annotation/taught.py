"""The one place that chooses what learns a person from corrections while a video is annotated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from facetrack.annotation.corrections import Correction
from facetrack.annotation.offset import OffsetLearner
from facetrack.errors import InputError
from facetrack.landmarks.procrustes import fit_similarity
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.learning.learner import Learner
from facetrack.learning.lesson import Lesson, make_lesson
from facetrack.learning.profile import Profile
from facetrack.tracking.face_model import FaceModel
from facetrack.tracking.identity import UNKNOWN, Person, signature
from facetrack.tracking.knowledge import teachable
from facetrack.tracking.personal_model import PersonalModel
from facetrack.tracking.track import Fits
from facetrack.video.frame import Image

Points = npt.NDArray[np.float64]
_Known = tuple[int, Image, Points, npt.NDArray[np.bool_]]


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
    known = _usable(model, corrections)
    if not isinstance(model, FaceModel) or not model.priors:
        offset = OffsetLearner(model)
        for _, image, points, mask in known:
            offset.correct(image, points, mask)
        return offset
    learned = Learner(model.tracking, model.priors).learn(_lessons(model, known))
    return model if learned is None else PersonalModel(model, learned)


def profile_of(model: Fits, corrections: Iterable[tuple[int, Image, Correction]]) -> Profile:
    """Put what corrections taught, and how the face looks in them, into a profile.

    Parameters
    ----------
    model : Fits
    corrections : iterable of (int, ndarray, Correction)
        See `taught`.

    Returns
    -------
    Profile
        For `Tracker(model, person=...)` and for other videos.

    Raises
    ------
    LearningError
        If the model cannot learn.
    InputError
        If no correction vouches for a point.
    """
    generic = teachable(model)
    known = _usable(generic, corrections)
    if not known:
        raise InputError("no frame is corrected yet, so nothing was learned")
    lessons = tuple(_lessons(generic, known))
    person = Person(UNKNOWN)
    for _, image, points, _ in known:
        person.learn(signature(image, points, generic.shape_model))
    learned = Learner(generic.tracking, generic.priors).learn(lessons)
    return Profile(lessons, learned, tuple(person.exemplars), generic.tracking)


def _usable(model: Fits, corrections: Iterable[tuple[int, Image, Correction]]) -> list[_Known]:
    """Complete the corrections from which something can be learned."""
    return [
        (frame, image, whole, correction.vouched)
        for frame, image, correction in corrections
        if (whole := completed(model.shape_model, correction)) is not None
        and correction.vouched.any()
    ]


def _lessons(model: FaceModel, known: Iterable[_Known]) -> Iterator[Lesson]:
    for frame, image, points, mask in known:
        yield make_lesson(image, points, mask, model.shape_model, key=frame)


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
