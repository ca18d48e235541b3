"""Verifying faces that the detector was never certain of: a background may fit well for a while."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from facetrack.detection.detections import Detection, Finds
from facetrack.features.pixels import Box, Image, agreement
from facetrack.tracking.track import Track

_SAME_PLACE: Final = 0.4  # intersection over union of a detection and the points' box

_ASK_EVERY: Final = 5  # frames
_MOST_DOUBTS: Final = 2  # answers in a row without a plausible detection that end a track
_CLEAR: Final = 0.95  # quality that is no reason for doubt; three quarters of true faces have more
_PROVEN: Final = 150  # frames after which a track that withstood all doubts is asked no more


def at_place(detections: Iterable[Detection], box: Box) -> list[Detection]:
    """Keep the detections that lie on a face."""
    return [d for d in detections if agreement(d.box, box) > _SAME_PLACE]


def is_confirmed(detections: Iterable[Detection], box: Box) -> bool:
    """Return whether one of the detections confirms the face in a box; see `at_place`."""
    return any(detection.confirms for detection in at_place(detections, box))


def is_unverified(track: Track) -> bool:
    """Return whether the detector is yet to be asked again, so that the face has no owner yet."""
    if track.confirmed or track.quality >= _CLEAR:
        return False
    return track.age < _ASK_EVERY or track.doubts > 0


def is_verified(track: Track, detector: Finds, image: Image) -> bool:
    """Ask the detector again, where that is due, about a face that it was never certain of.

    After this frame's fit; the track learns what the answer was. False if it is not to be believed
    any longer.
    """
    if track.confirmed or track.age % _ASK_EVERY:
        return True
    near = at_place(detector.detect_near(image, track.box), track.box)
    track.confirmed = track.age >= _PROVEN or any(d.confirms for d in near)
    plausible = track.quality >= _CLEAR or any(d.plausible for d in near)
    track.doubts = 0 if plausible else track.doubts + 1
    return track.doubts < _MOST_DOUBTS
