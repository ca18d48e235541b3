"""The one place that chooses what learns a person from corrections while a video is annotated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.annotation.corrections import Correction
from facetrack.annotation.offset import OffsetLearner
from facetrack.errors import InputError
from facetrack.fitting.face_model import FaceModel
from facetrack.identity.person import UNKNOWN, Person, signature
from facetrack.identity.person_state import teachable
from facetrack.identity.personal_model import PersonalModel
from facetrack.landmarks.procrustes import fit_similarity
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.learning.example import Example, make_example
from facetrack.learning.learner import Learner
from facetrack.learning.profile import Profile
from facetrack.tracking.track import Fits
from facetrack.video.frame import Image

Points = npt.NDArray[np.float64]
Look = Callable[[int], Image]  # from a frame's number to the frame in grey

MOST: Final = 40  # corrections that are learned from: each takes 0.5 MB while it is remembered
_Known = tuple[int, Points, npt.NDArray[np.bool_]]


@dataclass(slots=True)
class Examples:
    """What is remembered from one call of `taught` to the next, with one model and video."""

    made: dict[tuple[int, bytes, bytes], Example] = field(default_factory=dict)  # frame, points
    learner: Learner | None = None  # has learned them: the next call learns what is new


def worth_learning(frames: Sequence[int], start: int, stop: int) -> list[int]:
    """Choose the corrections that say most about start to stop, `MOST` at most, growing."""
    # All, if they are few; else those of the stretch, evenly spread if they are too many, and the
    # nearest ones outside.
    inside = [frame for frame in frames if start <= frame < stop]
    if len(inside) > MOST:
        return [inside[i * (len(inside) - 1) // (MOST - 1)] for i in range(MOST)]
    return sorted(sorted(frames, key=lambda f: max(start - f, f - stop + 1, 0))[:MOST])


def taught(
    model: Fits, corrections: Mapping[int, Correction], look: Look, known: Examples | None = None
) -> Fits:
    """Make a model that has learned from corrections of a person; the given one stays as it is.

    What was learned is a function of the model and the corrections alone, so that undoing one
    undoes what it taught, and a replay learns the same. Corrections that `known` saw need no look
    and, up to the first that is new or gone, no learning; afterwards it holds those of this call.
    A model without priors is moved by a constant offset.
    """
    usable = _usable(model, corrections)
    if not isinstance(model, FaceModel) or not model.priors:
        offset = OffsetLearner(model)
        for frame, points, mask in usable:
            offset.correct(look(frame), points, mask)
        return offset
    known = Examples() if known is None else known
    if known.learner is None:
        known.learner = Learner(model.tracking, model.priors)
    learned = known.learner.learn(_examples(model, usable, look, known))
    return model if learned is None else PersonalModel(model, learned)


def taught_profile(model: Fits, corrections: Mapping[int, Correction], look: Look) -> Profile:
    """Put what corrections taught, and how the face looks in them, into a profile."""
    generic = teachable(model)
    person, examples = Person(UNKNOWN), []
    for frame, points, mask in _usable(generic, corrections):
        image = look(frame)
        examples.append(make_example(image, points, mask, generic.shape_model, key=frame))
        person.learn(signature(image, points, generic.shape_model))
    if not examples:
        raise InputError("no frame is corrected yet, so nothing was learned")
    learned = Learner(generic.tracking, generic.priors).learn(examples)
    return Profile(tuple(examples), learned, tuple(person.exemplars), generic.tracking)


def _usable(model: Fits, corrections: Mapping[int, Correction]) -> list[_Known]:
    """Complete the corrections from which something can be learned."""
    return [
        (frame, whole, correction.vouched)
        for frame, correction in sorted(corrections.items())
        if (whole := completed(model.shape_model, correction)) is not None
        and correction.vouched.any()
    ]


def _examples(
    model: FaceModel, usable: Iterable[_Known], look: Look, known: Examples
) -> list[Example]:
    made = {}
    for frame, points, mask in usable:
        key = frame, points.tobytes(), mask.tobytes()
        made[key] = known.made.get(key) or make_example(
            look(frame), points, mask, model.shape_model, key=frame
        )
    known.made = made
    return list(made.values())


def completed(shape_model: ShapeModel, correction: Correction) -> Points | None:
    """Fill in the points that are absent, from the mean face at their place."""
    known = np.asarray(np.isfinite(correction.points).all(axis=1))
    if known.sum() < len(known) // 2:
        return None
    if known.all():
        return np.array(correction.points)
    mean = shape_model.mean
    placed = fit_similarity(mean[known], correction.points[known]).apply(mean)
    return np.where(known[:, None], correction.points, placed)
