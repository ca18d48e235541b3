"""Teaching a tracker: a correction becomes an example, a profile a person's state, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.face import Face
from facetrack.features.pixels import Image
from facetrack.identity.people import LIKENESS
from facetrack.identity.person import Person, Signature, similarity
from facetrack.identity.person_state import PersonState, checked_correction, teachable
from facetrack.identity.personal_model import PersonalModel
from facetrack.identity.self_teacher import SelfTeacher
from facetrack.learning.example import KEEP, make_example
from facetrack.learning.profile import Profile
from facetrack.tracking.track import Fits, Track


@dataclass(frozen=True, slots=True)
class Taught:
    """What a correction did."""

    face: Face  # with the corrected points
    examples: int  # how many the person has by now
    replaced: bool  # an earlier correction of the same frame was replaced: the later one wins


def model_of(person: Person, model: Fits) -> Fits:
    """Choose the model that fits a person: with what was learned, if anything was."""
    learned = None if person.model_state is None else person.model_state.best
    return model if learned is None else PersonalModel(teachable(model), learned)


def adapt(track: Track, before: npt.NDArray[np.float64], model: Fits, image: Image) -> None:
    """Let a track teach its own person, if it is good enough to learn from.

    After this frame's fit; `before` are its points in the frame before, pixels.
    """
    if not track.decided:
        return
    state = track.person.model_state = track.person.model_state or PersonState()
    if state.teacher is None:
        state.teacher = SelfTeacher(teachable(model), state.examples)
    state.teacher.watch(image, before, track.points, track.quality)


def correct(
    track: Track,
    model: Fits,
    image: Image,
    points: npt.ArrayLike,
    mask: npt.ArrayLike | None,
    frame: int,
) -> tuple[bool, npt.NDArray[np.bool_]]:
    """Take a person's correction of a face: it is learned, and the track continues from it.

    For points and mask see `person_state.checked_correction`. Returns whether an earlier correction
    of the frame was replaced, and the mask (68,). InputError if the correction is broken,
    LearningError if the model cannot learn; nothing has changed then.
    """
    generic = teachable(model)
    size = image.shape[1], image.shape[0]
    corrected, vouched = checked_correction(points, mask, track.points, size)
    example = make_example(image, corrected, vouched, generic.shape_model, key=frame)
    state = track.person.model_state or PersonState()
    replaced = state.teach(generic, example)
    track.person.model_state = state
    track.points, track.weak = corrected, 0
    return replaced, vouched


def profile_of(person: Person, model: Fits) -> Profile:
    """Put what is known of a person into a profile."""
    state = person.model_state or PersonState()
    looks = tuple(person.exemplars)
    return Profile(tuple(state.examples), state.best, looks, teachable(model).tracking)


def greet(
    track: Track, profile: Profile | None, model: Fits, image: Image, seen: Signature
) -> bool:
    """Let a face that has just got its person be fitted with what is known of it.

    `profile` is one that no person has claimed yet; returns whether this face, by its signature
    `seen`, claimed it. The track's points are fitted anew if anything is known.
    """
    claimed = False
    if profile is not None and track.person.model_state is None and _is_of(profile, seen):
        track.person.model_state = PersonState(list(profile.examples), profile.learned)
        claimed = True
    own = model_of(track.person, model)
    if own is not model:
        fit = own.fit(image, own.shape_model.relax(track.points, keep=KEEP))
        track.points, track.quality = np.array(fit.points), fit.quality
        track.confidence = fit.confidence
    return claimed


def _is_of(profile: Profile, seen: Signature) -> bool:
    """Return whether a face is the profile's; one without looks fits any face."""
    return (
        not profile.gallery or max(similarity(seen, look) for look in profile.gallery) >= LIKENESS
    )


def tracked_as(tracks: list[Track], face_id: int) -> Track:
    """Find the track of a face."""
    for track in tracks:
        if track.decided and track.person.id == face_id:
            return track
    ids = ", ".join(str(track.person.id) for track in tracks if track.decided) or "none"
    raise InputError(f"no face with id {face_id} is tracked in this frame; tracked: {ids}")
