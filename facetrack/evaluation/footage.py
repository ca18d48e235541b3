"""The frames of a clip, those that a person corrects, and the tracker that these teach."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.evaluation.clips import Clip
from facetrack.evaluation.errors import complete, normalised_errors
from facetrack.face import Face
from facetrack.fitting.face_model import FaceModel
from facetrack.learning.example import Example, make_example
from facetrack.learning.learner import Learned
from facetrack.learning.profile import Profile
from facetrack.tracking.tracker import Tracker
from facetrack.video.frame import Image

Points = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

EVERY: Final = 2  # of these frames one is processed
MOST: Final = 120  # processed frames of a clip
AGREE: Final = 0.05  # of the outer-eye distance: references that disagree more correct nothing


class Spread(StrEnum):
    """Where corrections lie and what is judged."""

    CLIP = "clip"  # corrections all over the clip, all other frames judged
    FORWARD = "forward"  # corrections in the first quarter, the second half judged


class TracksGrey(Protocol):
    """What is needed of a tracker here; see `tracking.tracker.Tracker`."""

    def update(self, image: Image, timestamp: float | None = None) -> list[Face]:
        """Follow the faces into the next frame."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Footage:
    """The n processed frames of a clip, and what is known of them before anybody corrects."""

    name: str
    greys: tuple[Image, ...] = field(repr=False)
    timestamps: npt.NDArray[np.float64]  # seconds
    reference: Points  # (n, 68, 2) pixels, what the person would say; NaN where unknown
    trusted: npt.NDArray[np.bool_]  # frames that may be corrected and judged
    plain: Points  # the track without corrections; NaN where the face was not found
    thirds: Indices | None = None  # positions in `difficulty.THIRDS`, where difficulty is known


@dataclass(frozen=True, slots=True, eq=False)
class Corrections:
    """Frames that a person has corrected."""

    frames: Indices  # positions in the footage, growing
    labels: Points  # (k, 68, 2) pixels


def read_footage(
    tracker: TracksGrey,
    clip: Clip,
    *,
    reference: str | None = None,
    every: int = EVERY,
    most: int | None = MOST,
    thirds: Indices | None = None,
) -> Footage:
    """Read the frames of a clip that are processed and track them without corrections."""
    # Trusted are compared frames on which all references agree within 5 %.
    name = next(iter(clip.references)) if reference is None or clip.exact else reference
    if name not in clip.references:
        known = ", ".join(clip.references)
        raise InputError(f"{clip.name} has no reference {name!r}; choose one of: {known}")
    greys: list[Image] = []
    times: list[float] = []
    tracked: list[Points] = []
    numbers: list[int] = []
    with clip.open() as source:
        for frame in source:
            if frame.index >= len(clip.compared) or len(greys) == most:
                break
            if frame.index % every == 0:
                greys.append(frame.grey)
                times.append(frame.timestamp)
                numbers.append(frame.index)
                tracked.append(followed(tracker, frame.grey, frame.timestamp))
    person = clip.references[name][numbers]
    trusted = clip.compared[numbers] & complete(person)
    for other in clip.references.values():
        agreed = trusted & complete(other[numbers])
        trusted[agreed] = normalised_errors(other[numbers][agreed], person[agreed]) < AGREE
    return Footage(
        name=clip.name,
        greys=tuple(greys),
        timestamps=np.array(times),
        reference=person,
        trusted=trusted,
        plain=np.array(tracked).reshape(-1, 68, 2),
        thirds=None if thirds is None else thirds[numbers],
    )


def followed(tracker: TracksGrey, grey: Image, timestamp: float) -> Points:
    """Give the points of the first face in the next frame; NaN if there is none."""
    faces = [face for face in tracker.update(grey, timestamp) if face.tracked]
    return faces[0].points if faces else np.full((68, 2), np.nan)


def choose_frames(
    trusted: npt.NDArray[np.bool_], count: int, spread: Spread
) -> tuple[Indices, Indices]:
    """Choose `count` frames to correct, each in the middle of a part, and those to judge."""
    usable, n = np.flatnonzero(trusted), len(trusted)
    early = usable if spread is Spread.CLIP else usable[4 * usable < n]
    if len(early) < count:
        return early, np.array([], dtype=np.int64)
    middles = (2 * np.arange(count) + 1) * len(early) // (2 * count)
    corrected = early[middles]
    judged = usable if spread is Spread.CLIP else usable[2 * usable >= n]
    return corrected, np.setdiff1d(judged, corrected)


def examples_of(model: FaceModel, footage: Footage, corrections: Corrections) -> list[Example]:
    """Make the examples of corrected frames, as `Tracker.correct` makes them."""
    everything = np.ones(68, dtype=np.bool_)
    return [
        make_example(footage.greys[frame], label, everything, model.shape_model, key=int(frame))
        for frame, label in zip(corrections.frames, corrections.labels, strict=True)
    ]


def taught_tracker(model: FaceModel, examples: list[Example], learned: Learned | None) -> Tracker:
    """Make a fresh tracker that knows the person."""
    return Tracker(model, profile=Profile(tuple(examples), learned, (), model.tracking))
