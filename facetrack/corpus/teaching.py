"""A tracker that is taught while a video is recorded: a profile, corrections, a profile kept."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from facetrack.annotation.corrections import Correction, read_corrections
from facetrack.corpus.fingerprint import fingerprint
from facetrack.errors import InputError
from facetrack.face import Face, Source, read_only_points
from facetrack.features.pixels import agreement, box_of
from facetrack.formats.encoding import decode, encode
from facetrack.formats.textfile import read_bytes
from facetrack.identity.person import UNKNOWN, Person, person_makers
from facetrack.identity.person_state import PersonState, teachable
from facetrack.learning.profile import Profile
from facetrack.tracking.teaching import profile_of
from facetrack.tracking.track import Fits
from facetrack.tracking.tracker import Tracker

_LIES_ON: Final = 0.2  # agreement of boxes; equal ones half a width apart agree by a third
_MOST_BYTES: Final = 1 << 30  # of a profile
_SAID: Final = (Source.CORRECTED, Source.OCCLUDED, Source.ABSENT)  # what a person says of a point


@dataclass(frozen=True, slots=True)
class Teaching:
    """What a tracker is taught in a run, and where it keeps what it knows of the person."""

    profile: Path | None = None  # to start from
    corrections: Path | None = None  # a folder, see `annotation.corrections`
    save_profile: Path | None = None  # of the person corrected last, or of the first one
    adapt: bool = False  # learn from own tracks as well

    def run_key(self) -> dict[str, Any]:
        """Say what decides about the results: checksums of profile and corrections; see `Task`."""
        run_key: dict[str, Any] = {"adapt": True} if self.adapt else {}
        if self.profile is not None:
            content = read_bytes(self.profile, limit=_MOST_BYTES)
            run_key["profile"] = hashlib.sha256(content).hexdigest()
        if self.corrections is not None:
            run_key["corrections"] = fingerprint(read_corrections(self.corrections))
        if self.save_profile is not None:
            run_key["save_profile"] = os.path.abspath(self.save_profile)
        return run_key


NOTHING: Final = Teaching()


class Teacher:
    """Teaches a tracker on its way through a video, and keeps what it knows of the person.

    `profile` is None while no person was seen, and where no one is to be kept. Raises FormatError
    if a correction cannot be read, LearningError if the model cannot learn.
    """

    def __init__(self, teaching: Teaching, model: Fits) -> None:
        if teaching != NOTHING:
            teachable(model)
        self._model = model
        self._target, self._folder = teaching.save_profile, teaching.corrections
        folder = teaching.corrections
        self._corrections = {} if folder is None else read_corrections(folder)
        self._notes: list[str] = []
        self._id = UNKNOWN
        self.profile: Profile | None = None

    def teach(self, tracker: Tracker, number: int, faces: Sequence[Face]) -> list[Face]:
        """Teach what is known of a frame after the tracker's update; return corrected faces."""
        told = list(faces)
        if number in self._corrections:
            self._correct(tracker, number, told)
        if self._target is not None:
            self._remember(tracker, told)
        return told

    def _correct(self, tracker: Tracker, number: int, faces: list[Face]) -> None:
        """Correct the face that a correction lies on, in its place in the list."""
        correction = self._corrections[number]
        place = _place_of(faces, correction)
        if place is None:
            self._leave_out(number, "no face is tracked there")
            return
        face_id = faces[place].id
        try:
            taught = tracker.correct(face_id, correction.points, correction.vouched)
        except InputError as error:
            self._leave_out(number, str(error))
            return
        faces[place] = _as_said(taught.face, correction)
        self._id = face_id

    def _leave_out(self, number: int, why: str) -> None:
        self._notes.append(f"frame {number + 1}: correction in {self._folder} left out: {why}")

    def _remember(self, tracker: Tracker, faces: Sequence[Face]) -> None:
        """Keep the person's profile as it is now: who is gone at the end cannot be asked then."""
        seen = [face.id for face in faces if face.tracked]
        if self._id == UNKNOWN and seen:
            self._id = seen[0]
        if self._id in seen:
            self.profile = tracker.profile(self._id)

    def finish(self, n_frames: int) -> tuple[str, ...]:
        """Write the profile at the end of the video; return what was left out and why, by line."""
        for number in self._corrections:
            if number >= n_frames:
                self._leave_out(number, f"the video ends at frame {n_frames}")
        if self._target is not None:
            if self.profile is not None:
                self.profile.save(self._target)
            else:
                self._notes.append("no face was seen, so no profile was written")
        return tuple(self._notes)

    def state(self) -> dict[str, Any]:
        """Return everything that `restore` needs, as JSON knows it."""
        person = None
        if self.profile is not None:
            state = PersonState(list(self.profile.examples), self.profile.learned)
            person = Person(self._id, list(self.profile.gallery), state)
        saved: dict[str, Any] = encode(_Saved(self._id, self._notes, person))
        return saved

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        saved = decode(_Saved, state, person_makers(self._model))
        person = saved.person
        self.profile = None if person is None else profile_of(person, self._model)
        self._id, self._notes = saved.id, saved.notes


@dataclass(slots=True)
class _Saved:
    """What of a teacher goes into a checkpoint."""

    id: int
    notes: list[str]
    person: Person | None


def _place_of(faces: Sequence[Face], correction: Correction) -> int | None:
    """Find the face that a correction lies on."""
    known = np.isfinite(correction.points).all(axis=1)
    if not known.any():
        return None
    box = box_of(correction.points[known])
    agreements = [
        agreement(box, box_of(face.raw_points[known])) if face.tracked else 0.0 for face in faces
    ]
    best = max(range(len(faces)), key=agreements.__getitem__, default=None)
    return best if best is not None and agreements[best] >= _LIES_ON else None


def _as_said(face: Face, correction: Correction) -> Face:
    """Put into a face what the person says of hidden and absent points, which teach nothing."""
    said = np.isin(correction.source, _SAID)
    points, raw = (
        read_only_points(np.where(said[:, None], correction.points, p))
        for p in (face.points, face.raw_points)
    )
    absent = correction.source == Source.ABSENT
    confidence = np.where(absent, np.nan, face.confidence)
    source = np.where(said, correction.source, face.source)
    for array in (confidence, source):
        array.setflags(write=False)
    return replace(face, points=points, raw_points=raw, confidence=confidence, source=source)
