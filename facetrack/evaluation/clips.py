"""Clips with reference tracks, and what trackers say of their frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from facetrack.datasets.tracks import load_track
from facetrack.errors import FormatError
from facetrack.evaluation.difficulty import Difficulty
from facetrack.evaluation.errors import complete
from facetrack.evaluation.peers import Peer
from facetrack.evaluation.score import load_landmarks
from facetrack.face import Face
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.opening import open_source
from facetrack.synthetic.video import SyntheticVideo
from facetrack.video.frame import Frame
from facetrack.video.source import VideoSource

Points = npt.NDArray[np.float64]

AGREE = 0.08  # of the outer-eye distance: where references disagree more, none is trusted
_SUFFIXES = (".mp4", ".mkv", ".avi", ".mov", ".webm", ".m4v")
_TAIL = "_consensus"


class FaceTracker(Protocol):
    """What is needed of a tracker here; see `tracking.tracker.Tracker`."""

    def update(self, image: Frame, timestamp: float | None = None) -> list[Face]:
        """Follow the faces into the next frame."""
        ...


@dataclass(frozen=True, slots=True)
class Clip:
    """A video and what reference trackers or an exact truth say of it."""

    name: str
    open: Callable[[], VideoSource]
    references: Mapping[str, Points] = field(repr=False)  # main one first; NaN: no face
    compared: npt.NDArray[np.bool_] = field(repr=False)  # (n,), where the references can be trusted
    exact: bool = False  # the truth of a synthetic clip; else references are trackers themselves
    difficulty: Difficulty | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Track:
    """One system's landmarks in a whole clip: (n, 68, 2) pixels, NaN where not found."""

    points: Points
    raw_points: Points  # before smoothing
    timestamps: npt.NDArray[np.float64]  # seconds


def find_clips(folder: Path) -> list[Clip]:
    """List videos `NAME.mp4` of a folder with `NAME_consensus.npz` or `NAME.npz`, by name."""
    if not folder.is_dir():
        raise FormatError(folder, "no such folder")
    clips = []
    for video in sorted(p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES):
        track = _track_beside(video)
        if track is not None:
            clips.append(_clip(video, track))
    if not clips:
        raise FormatError(
            folder, "no video with a track beside it", remedy="expected NAME.mp4 and NAME.npz"
        )
    return clips


def find_clip(video: Path) -> Clip:
    """Find the reference track beside a video."""
    track = _track_beside(video)
    if track is None:
        raise FormatError(video, "no track beside it", remedy=f"expected {video.stem}.npz")
    return _clip(video, track)


def _track_beside(video: Path) -> Path | None:
    tracks = (video.with_name(f"{video.stem}{tail}.npz") for tail in (_TAIL, ""))
    return next((track for track in tracks if track.is_file()), None)


def clip_with_truth(video: Path, truth: Path) -> Clip:
    """Join a video and a truth that lies elsewhere."""
    if truth.suffix.lower() == ".npz":
        return _clip(video, truth)
    landmarks = load_landmarks(truth)
    if not landmarks.numbered:
        raise FormatError(truth, "is not of frames", remedy="expected names such as 000001.pts")
    frames = np.array([int(key) for key in landmarks.keys])
    points = np.full((frames.max() + 1, 68, 2), np.nan)
    points[frames] = landmarks.points
    opener = partial(open_source, video)
    return Clip(video.stem, opener, {"reference": points}, complete(points))


def _clip(video: Path, path: Path) -> Clip:
    track = load_track(path)
    points = np.asarray(track.points, dtype=np.float64)
    references = {"dlib ERT" if track.points_pfld is not None else "reference": points}
    compared = complete(points)
    if track.points_pfld is not None:
        references["PFLD"] = np.asarray(track.points_pfld, dtype=np.float64)
        compared &= complete(references["PFLD"])
    if track.agreement is not None:
        compared &= np.asarray(track.agreement < AGREE)  # NaN is not
    return Clip(video.stem, partial(open_source, video), references, compared)


def still_clip(shape_model: ShapeModel, *, n_frames: int = 150) -> Clip:
    """Make a synthetic clip of a face that does not move, under a camera's noise."""
    truth = np.stack([_still_video(shape_model, n_frames).truth(0)] * n_frames)
    compared = np.ones(n_frames, dtype=bool)
    opener = partial(_still_video, shape_model, n_frames)
    return Clip("still synthetic", opener, {"truth": truth}, compared, exact=True)


def _still_video(shape_model: ShapeModel, n_frames: int) -> SyntheticVideo:
    return SyntheticVideo(shape_model, n_frames=n_frames, still=((0, n_frames),))


def track_clip(tracker: FaceTracker, source: VideoSource, *, n_frames: int | None = None) -> Track:
    """Follow one face through a clip, cut or filled with NaN to `n_frames` if given."""

    def points_of(frame: Frame) -> tuple[Points, Points] | None:
        seen = [face for face in tracker.update(frame) if face.tracked]
        return (seen[0].points, seen[0].raw_points) if seen else None

    return _collect(source, points_of, n_frames)


def peer_track(peer: Peer, source: VideoSource, *, n_frames: int | None = None) -> Track:
    """Run a peer on every frame of a clip, each for itself; raw points equal points."""

    def points_of(frame: Frame) -> tuple[Points, Points] | None:
        points = peer.predict(frame.image)
        return None if points is None else (points, points)

    return _collect(source, points_of, n_frames)


def _collect(
    source: VideoSource,
    points_of: Callable[[Frame], tuple[Points, Points] | None],
    n_frames: int | None,
) -> Track:
    seen: list[tuple[int, float, tuple[Points, Points] | None]] = []
    with source:
        for frame in source:
            if n_frames is not None and frame.index >= n_frames:
                break
            seen.append((frame.index, frame.timestamp, points_of(frame)))
    length = 1 + seen[-1][0] if n_frames is None and seen else n_frames or 0
    points, raw = np.full((2, length, 68, 2), np.nan)
    times = np.full(length, np.nan)
    for index, timestamp, found in seen:
        times[index] = timestamp
        if found is not None:
            points[index], raw[index] = found
    return Track(points, raw, times)


def count_losses(points: npt.ArrayLike) -> int:
    """Count how often a face that was tracked is not tracked in the next frame."""
    seen = complete(points)
    return int((seen[:-1] & ~seen[1:]).sum())
