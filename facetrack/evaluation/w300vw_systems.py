"""Trackers and peers as systems of 300-VW, from the detector's face or from the labelled one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

from facetrack.datasets.w300vw import Clip
from facetrack.detection.detections import Detection, Finds, surroundings
from facetrack.detection.face_detector import FaceDetector
from facetrack.evaluation.clips import FaceTracker, Track, peer_track, track_clip
from facetrack.evaluation.peers import Peer
from facetrack.evaluation.w300vw import System
from facetrack.face import Face
from facetrack.features.pixels import Box, Image, box_of
from facetrack.formats.pts import read_pts
from facetrack.opening import open_source
from facetrack.training.pictures import detection_of
from facetrack.video.frame import Frame
from facetrack.video.square import stretch_of

Start = Literal["detect", "label"]
Points = npt.NDArray[np.float64]

STARTS: Final[Mapping[Start, str]] = {
    "detect": "each system follows the face that its own detector finds best, whichever is "
    "labelled: with several people in a clip it may be another one",
    "label": "of the faces that are found where none is tracked, the labelled one is followed; "
    "peers see what lies around it. Labels choose among faces, they move no point",
}
_EVERYBODY: Final = 1000  # more faces than a picture holds: every size is searched
_MARGIN: Final = 1.0  # of the labelled face's size, on each side


class MakesTracker(Protocol):
    """Makes a fresh tracker; can be pickled."""

    def __call__(self, *, detector: Finds | None = None) -> FaceTracker:
        """Make it, with another detector than its own or not."""
        ...


def tracker_system(
    name: str, make: MakesTracker, *, start: Start = "detect", settings: str = ""
) -> System:
    """Make a system of a tracker, a fresh one for each clip; `start` is one of `STARTS`."""
    return System(name, "", partial(_track, make, start), f"{settings}; start {start}")


def peer_system(make: Callable[[], Peer], *, start: Start = "detect", settings: str = "") -> System:
    """Make a system of a peer, which sees every frame by itself; `make` can be pickled."""
    peer = make()
    said = f"{settings}; {peer.name} of {peer.model_bytes} bytes; start {start}"
    return System(peer.name, peer.note, partial(_ask, make, start), said)


def _track(make: MakesTracker, start: Start, clip: Clip) -> Track:
    source = open_source(clip.video)
    if start == "detect":
        return track_clip(make(), source)
    finder = LabelledFace(FaceDetector(), clip)
    return track_clip(_Told(make(detector=finder), finder), source)


def _ask(make: Callable[[], Peer], start: Start, clip: Clip) -> Track:
    peer, source = make(), open_source(clip.video)
    return peer_track(peer if start == "detect" else _Shown(peer, clip), source)


class _Labels:
    """The label of the frame that is looked at, or the last one before it."""

    def __init__(self, clip: Clip) -> None:
        self._clip, self._file = clip, Path()
        self.points: Points | None = None

    def seek(self, position: int) -> None:
        file = self._clip.labels.get(self._clip.number(position), self._file)
        if file != self._file:
            self._file, self.points = file, read_pts(file)


class LabelledFace:
    """A face detector that finds the labelled face alone where a whole picture is searched."""

    def __init__(self, detector: Finds, clip: Clip) -> None:
        self._detector, self._labels, self._aspect = detector, _Labels(clip), 1.0

    def look_at(self, frame: Frame) -> None:
        """Go to a frame: its label is the one that counts."""
        self._labels.seek(frame.index)
        self._aspect = frame.aspect

    def detect(self, image: Image, *, wanted: int = 1) -> list[Detection]:
        """Search everywhere; see `Finds`."""
        return self._labelled(self._detector.detect(image, wanted=_EVERYBODY))

    def search(self, image: Image, step: int) -> list[Detection]:
        """Search a part; see `Finds`."""
        return self._labelled(self._detector.search(image, step))

    def detect_near(self, image: Image, box: Box) -> list[Detection]:
        """Search around a place that the tracker knows; see `Finds`."""
        return self._detector.detect_near(image, box)

    def _labelled(self, found: list[Detection]) -> list[Detection]:
        points = self._labels.points
        if points is None:
            return found
        chosen = detection_of(found, stretch_of(self._aspect).square(points))
        return [] if chosen is None else [chosen]


class _Told:
    """A tracker whose detector is told which frame comes."""

    def __init__(self, tracker: FaceTracker, finder: LabelledFace) -> None:
        self._tracker, self._finder = tracker, finder

    def update(self, image: Frame, timestamp: float | None = None) -> list[Face]:
        self._finder.look_at(image)
        return self._tracker.update(image, timestamp)


class _Shown:
    """A peer that sees what lies around the labelled face."""

    def __init__(self, peer: Peer, clip: Clip) -> None:
        self._peer, self._labels, self._next = peer, _Labels(clip), 0
        self.name, self.note, self.model_bytes = peer.name, peer.note, peer.model_bytes

    def predict(self, image: Image) -> Points | None:
        self._labels.seek(self._next)
        self._next += 1
        if self._labels.points is None:
            return self._peer.predict(image)
        left, top, right, bottom = surroundings(image.shape, box_of(self._labels.points), _MARGIN)
        points = self._peer.predict(np.ascontiguousarray(image[top:bottom, left:right]))
        return None if points is None else points + np.array([left, top])
