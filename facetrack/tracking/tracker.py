"""The tracker: frames in, faces out."""

from __future__ import annotations

import os
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.detection.detections import Finds
from facetrack.detection.face_detector import FaceDetector
from facetrack.errors import InputError
from facetrack.face import Face, Fit
from facetrack.features.crops import take_patch
from facetrack.features.pixels import SMALLEST_SIDE, Image, box_of, checked_image
from facetrack.formats.encoding import encode
from facetrack.identity.people import Reason
from facetrack.identity.person import UNKNOWN, Person, signature
from facetrack.identity.person_state import teachable
from facetrack.learning.profile import Profile, load_profile
from facetrack.tracking.appearance_gallery import remember_appearances
from facetrack.tracking.clock import next_time
from facetrack.tracking.crossing import settle_crossings
from facetrack.tracking.faces import leaves_image, lost_face, tracked_face
from facetrack.tracking.search import confirm, look
from facetrack.tracking.smoothing import PointSmoother
from facetrack.tracking.teaching import (
    Taught,
    adapt,
    correct,
    greet,
    model_of,
    profile_of,
    tracked_as,
)
from facetrack.tracking.track import HOPELESS, PATIENCE, VAGUE, WELL_FITTED, Fits, Track
from facetrack.tracking.tracker_state import TrackerState
from facetrack.tracking.verification import is_confirmed, is_unverified, is_verified
from facetrack.video.frame import Frame
from facetrack.video.square import stretch_of

STATE_VERSION: Final = 6

_DOUBT: Final = 8  # frames of clear view for which a person lost near here is expected
_REMEMBERED: Final = 90  # frames for which a lost face is reported
_OUTLOOK: Final = 5  # frames: a lost face whose motion leads out of the image by then has left it
_SAME_PERSON: Final = 0.25  # agreement of signatures that lets a track jump to a detection


class Tracker:
    """Follows faces through a video.

    The same frames give the same faces, to the last bit: nothing depends on the clock, on threads
    or on chance. A tracker serves one video and one thread.

    Parameters
    ----------
    model : FaceModel
        See `facetrack.load_model`.
    max_faces : int
        At most this many faces are tracked at a time.
    smoothing : float
        From 0 (off) to 1 (much): One-Euro smoothing of `Face.points`; `Face.raw_points` stay.
    detector : FaceDetector, optional
        Another way to find faces.
    adapt : bool
        Learn from the tracker's own tracks, where heavier fits agree with them. Off by default: it
        follows hard faces better, and draws easy ones towards the heavier fits' own convention.
    profile : Profile or path-like, optional
        What is known of a person from another video. The first face that looks so is fitted with
        it, whatever its id.

    Raises
    ------
    InputError
        If an option is out of range.
    FormatError
        If the profile cannot be read or was taught to another model.
    LearningError
        If the tracker adapts or there is a profile, and the model cannot learn.
    """

    def __init__(
        self,
        model: Fits,
        *,
        max_faces: int = 1,
        smoothing: float = 0.0,
        detector: Finds | None = None,
        adapt: bool = False,
        profile: Profile | str | os.PathLike[str] | None = None,
    ) -> None:
        if max_faces < 1:
            raise InputError(f"max_faces must be at least 1, got {max_faces}")
        if not 0 <= smoothing <= 1:
            raise InputError(f"smoothing must lie between 0 and 1, got {smoothing}")
        self.model = model
        self.max_faces = max_faces
        self.smoothing = smoothing
        self._detector = FaceDetector() if detector is None else detector
        self._now = TrackerState()
        self._image: Image | None = None  # of the last update, for corrections
        if profile is not None and not isinstance(profile, Profile):
            profile = load_profile(profile, teachable(model).tracking)
        self.adapt = adapt
        if adapt:
            teachable(model)
        self._profile = profile

    def update(self, image: npt.ArrayLike | Frame, timestamp: float | None = None) -> list[Face]:
        """Track the faces in the next frame.

        Parameters
        ----------
        image : array_like, shape (H, W), (H, W, 3) or (H, W, 4), or Frame
            uint8 or uint16; grey, BGR, or BGR with alpha. A frame of `facetrack.video` is looked
            at in grey only.
        timestamp : float, optional
            Seconds; must increase from call to call. Without it a `Frame` tells its own, and other
            pictures count as 1/30 s apart.

        Returns
        -------
        list of Face
            In the order of their ids: tracked faces, those lost in this very frame, and those lost
            a short while ago whose place no other person has taken.

        Raises
        ------
        InputError
            If the image has a wrong type or shape, or time does not increase.
        """
        self._now.aspect = image.aspect if isinstance(image, Frame) else 1.0
        if isinstance(image, Frame):
            timestamp = image.timestamp if timestamp is None else timestamp
            image = image.square.grey
        picture = self._image = checked_image(image)
        time = self._now.time = next_time(self._now.time, timestamp)
        self._now.frame += 1
        if min(picture.shape[:2]) < SMALLEST_SIDE:
            self._now.lose_all(Reason.TOO_SMALL_PICTURE)
            return self._report()
        ended = self._end_all() if self._now.cuts.update(picture) else []
        for track in list(self._now.tracks):
            self._follow(track, picture)
        for track, reason in settle_crossings(
            self._now.tracks, self._now.people.missing, picture, self.model.shape_model
        ):
            self._now.lose(track, reason)
        self._search(picture)
        self._decide_who(picture, time)
        remember_appearances(self._now.tracks, picture, self.model.shape_model)
        return ended + self._report()

    def pause(self) -> None:
        """Say that frames are missing before the next one: however different, it is no cut."""
        self._now.cuts.forget()

    def set_smoothing(self, dial: float) -> None:
        """Smooth more or less from the next frame on.

        Parameters
        ----------
        dial : float
            From 0 (off) to 1 (much).

        Raises
        ------
        InputError
            If the dial is out of range.
        """
        if not 0 <= dial <= 1:
            raise InputError(f"smoothing must lie between 0 and 1, got {dial}")
        self.smoothing = dial
        for track in self._now.tracks:
            track.smoother = self._smoother()

    def _follow(self, track: Track, image: Image) -> None:
        """Fit one face in this frame, or lose it."""
        fit = track.follow(model_of(track.person, self.model), image)
        reason = Reason.COVERED
        if fit is not None and fit.quality >= HOPELESS:
            if leaves_image(fit.points, image):
                reason = Reason.LEFT
            elif fit.quality >= WELL_FITTED or track.weak + 1 < PATIENCE:
                before = track.points
                track.accept(fit, image)
                if self.adapt:
                    adapt(track, before, self.model, image)
                if not is_verified(track, self._detector, image):
                    self._now.lose(track, Reason.DOUBTED)
                return
        elif leaves_image(track.points + _OUTLOOK * track.velocity, image):
            reason = Reason.LEFT
        if not self._find_again(track, image, fit):
            self._now.lose(track, reason)

    def _find_again(self, track: Track, image: Image, poor: Fit | None) -> bool:
        """Let the detector look around the last place at once.

        Where it is certain of a face that the poor fit lies on, the face is there, only hard to
        fit (a grimace, blur), and stays tracked at that quality.
        """
        others = [other.box for other in self._now.tracks if other is not track]
        detections = self._detector.detect_near(image, track.box)
        fits = confirm(model_of(track.person, self.model), image, detections, others, 1)
        if not fits and poor is not None and poor.quality >= VAGUE:
            fits = [poor] if is_confirmed(detections, box_of(poor.points)) else []
        for fit in fits:
            seen = signature(image, fit.points, self.model.shape_model)
            if track.person.likeness(seen) >= _SAME_PERSON:
                track.accept(fit, image)
                track.weak = 0
                return True
        return False

    def _end_all(self) -> list[Face]:
        """End all faces at a cut, over which no person is recognised; returns them."""
        self._now.lose_all(Reason.CUT)
        missing = self._now.people.missing
        ended = [lost_face(gone) for gone in missing if gone.since == self._now.frame]
        self._now.people.forget_all()
        self._now.idle = 0
        return ended

    def _search(self, image: Image) -> None:
        """Look for faces while fewer are tracked than wanted; certain ones displace uncertain."""
        wanted = self.max_faces - sum(track.confirmed for track in self._now.tracks)
        if not wanted:
            self._now.idle = 1  # the next search is not due at once
            return
        detections = look(
            self._detector,
            image,
            idle=self._now.idle,
            frame=self._now.frame,
            tracked=len(self._now.tracks),
            wanted=wanted,
            missing=self._now.people.missing,
        )
        self._now.idle += 1
        taken = [track.box for track in self._now.tracks]
        for fit in confirm(self.model, image, detections, taken, wanted):
            confirmed = is_confirmed(detections, box_of(fit.points))
            if len(self._now.tracks) == self.max_faces:
                if not confirmed:
                    continue
                self._now.lose(next(t for t in self._now.tracks if not t.confirmed), Reason.DOUBTED)
            points, patch = np.array(fit.points), take_patch(image, fit.points)
            track = Track(Person(UNKNOWN), points, fit.quality, patch, self._smoother())
            track.confirmed = confirmed
            track.confidence = fit.confidence
            self._now.tracks.append(track)

    def _decide_who(self, image: Image, time: float) -> None:
        """Settle whose faces those are that came up."""
        for track in self._now.tracks:
            if track.decided or is_unverified(track):
                continue
            track.looks.append(signature(image, track.points, self.model.shape_model))
            person = self._now.people.recognise(track.looks, track.points, self._now.frame, time)
            if person is None and min(track.age, track.apart) > _DOUBT:
                person = self._now.people.new()
            if person is not None:
                seen, track.person, track.looks = track.looks[-1], person, []
                free = self._now.claimed not in {other.person.id for other in self._now.tracks}
                if greet(track, self._profile if free else None, self.model, image, seen):
                    self._now.claimed = person.id

    def correct(
        self, face_id: int, points: npt.ArrayLike, mask: npt.ArrayLike | None = None
    ) -> Taught:
        """Learn from a correction of a face in the last update's frame, not written to since.

        Parameters
        ----------
        face_id : int
            `Face.id` of a face that is tracked.
        points : array_like, shape (68, 2)
            Where the landmarks are, in pixels of the frame.
        mask : array_like, shape (68,), bool, optional
            The points that the person vouches for; all of them without it. The others are taken
            from the fit.

        Returns
        -------
        Taught
            The corrected face, and whether an earlier correction of this frame was replaced. The
            next update continues from here with what was learned.

        Raises
        ------
        InputError
            If no such face is tracked, the mask selects no point, points are not finite, or most of
            them lie outside of the frame. Nothing has changed then.
        LearningError
            If the model cannot learn. Nothing has changed then.
        """
        track = tracked_as(self._now.tracks, face_id)
        assert self._image is not None  # something is tracked
        if self._now.aspect != 1:
            points = stretch_of(self._now.aspect).square(points)
        replaced, vouched = correct(track, self.model, self._image, points, mask, self._now.frame)
        # the smoother meets this time again and starts anew: what a person says is there at once
        face = self._tell(track, vouched)
        assert track.person.model_state is not None  # just taught
        return Taught(face, len(track.person.model_state.examples), replaced)

    def profile(self, face_id: int) -> Profile:
        """Return what is known of a person who is tracked; `Profile.save` keeps it.

        Parameters
        ----------
        face_id : int

        Returns
        -------
        Profile

        Raises
        ------
        InputError
            If no such face is tracked.
        LearningError
            If the model cannot learn.
        """
        return profile_of(tracked_as(self._now.tracks, face_id).person, self.model)

    def forget(self, face_id: int) -> None:
        """Forget all that was taught of a person who is tracked; the id stays.

        Parameters
        ----------
        face_id : int

        Raises
        ------
        InputError
            If no such face is tracked.
        """
        tracked_as(self._now.tracks, face_id).person.model_state = None
        if self._now.claimed == face_id:
            self._profile = None

    def _smoother(self) -> PointSmoother | None:
        mean = self.model.shape_model.mean
        return PointSmoother(self.smoothing, mean) if self.smoothing else None

    def _tell(self, track: Track, vouched: npt.NDArray[np.bool_] | None = None) -> Face:
        assert self._image is not None  # something is tracked
        at, aspect = self._now.time or 0.0, self._now.aspect
        shape_model = self.model.shape_model
        return tracked_face(track, shape_model, self._image, at, vouched, aspect=aspect)

    def _report(self) -> list[Face]:
        faces = [self._tell(track) for track in self._now.tracks if track.decided]
        places = self.max_faces - len(faces)
        for missing in reversed(self._now.people.missing):
            gone = self._now.frame - missing.since
            if gone == 0 or (gone <= _REMEMBERED and places > 0):
                faces.append(lost_face(missing))
                places -= 1
        return sorted(faces, key=lambda face: face.id)

    def state(self) -> dict[str, Any]:
        """Return all that the tracker knows, as JSON knows it.

        Returns
        -------
        dict
            For `restore`; a tracker that continues from it gives the same bytes as this one.
        """
        return {**self._options(), **encode(self._now)}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue where another tracker with the same model and options stood.

        Parameters
        ----------
        state : dict
            As `state` returned it, also after a way through JSON.

        Raises
        ------
        InputError
            If the state is broken, of another version, or of a tracker with other options.
        """
        self._now = TrackerState.from_state(state, self._options(), self.model, self._smoother)

    def _options(self) -> dict[str, Any]:
        return {"version": STATE_VERSION, "max_faces": self.max_faces, "smoothing": self.smoothing}
