"""When to remember what people look like: only in clear views, or they become another person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from facetrack.features.pixels import Image
from facetrack.identity.person import signature
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.tracking.track import Track

_EVERY: Final = 15  # frames between two signatures ...
_FIRST: Final = 5  # ... after one in each of the first
_QUALITY: Final = 0.7
_APART: Final = 5  # frames without touching another face


def remember_appearances(tracks: Sequence[Track], image: Image, shape_model: ShapeModel) -> None:
    """Let the persons of tracks remember how they look now, where that is due."""
    for track in tracks:
        unseen = not track.person.exemplars
        due = unseen or track.age < _FIRST or track.age % _EVERY == 0
        clear = unseen or track.apart >= _APART
        if track.decided and due and clear and track.quality >= _QUALITY:
            track.person.learn(signature(image, track.points, shape_model))
