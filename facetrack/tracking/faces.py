"""What the tracker tells the world: `Face` from a track, or from a person who is missing."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.face import N_POINTS, Face, Source, State, read_only_points
from facetrack.features.pixels import Image
from facetrack.identity.people import Missing
from facetrack.identity.person import Person
from facetrack.landmarks.pose import head_pose
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.tracking.track import Track
from facetrack.video.square import stretch_of

_INSIDE: Final = 0.4  # of the points must lie in the image


def tracked_face(
    track: Track,
    shape_model: ShapeModel,
    image: Image,
    time: float,
    corrected: npt.NDArray[np.bool_] | None = None,
    *,
    aspect: float = 1.0,
) -> Face:
    """Return the `Face` of a track after this frame's fit; its smoother takes a step.

    The image is in square pixels, as is the pose; the points are in pixels of the video, wider than
    high by `aspect`. `corrected` marks points that a person has just put where they are.
    """
    raw = points = read_only_points(track.points)
    if track.smoother is not None:
        points = read_only_points(track.smoother.update(track.points, time))
    pose = head_pose(points, shape_model.mean_3d, (image.shape[1], image.shape[0]))
    if aspect != 1:
        points, raw = (read_only_points(stretch_of(aspect).stored(p)) for p in (points, raw))
    return Face(
        id=track.person.id,
        state=State.TRACKED,
        reason="",
        points=points,
        raw_points=raw,
        quality=track.quality,
        pose=pose,
        confidence=track.confidence,
        source=_source(track.person, corrected),
    )


def _source(person: Person, corrected: npt.NDArray[np.bool_] | None) -> npt.NDArray[np.uint8]:
    taught = person.model_state is not None and person.model_state.best is not None
    source = _LEARNED if taught else _TRACKED
    if corrected is not None:
        source = np.where(corrected, np.uint8(Source.CORRECTED), source)
        source.setflags(write=False)
    return source


def _constant(source: Source) -> npt.NDArray[np.uint8]:
    array = np.full(N_POINTS, source, dtype=np.uint8)
    array.setflags(write=False)
    return array


_TRACKED: Final = _constant(Source.TRACKED)
_LEARNED: Final = _constant(Source.LEARNED)


def lost_face(missing: Missing) -> Face:
    """Return the `Face` of a person who is not seen."""
    nothing = read_only_points(np.full((N_POINTS, 2), np.nan))
    return Face(
        id=missing.person.id,
        state=State.LOST,
        reason=missing.reason,
        points=nothing,
        raw_points=nothing,
        quality=0.0,
        pose=None,
        source=_constant(Source.ABSENT),
    )


def leaves_image(points: npt.NDArray[np.float64], image: Image) -> bool:
    """Return whether too few of a face's points lie in the image."""
    height, width = image.shape[:2]
    inside = ((points >= 0) & (points <= [width - 1, height - 1])).all(axis=1)
    return float(inside.mean()) < _INSIDE
