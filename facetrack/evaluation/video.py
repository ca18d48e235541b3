"""A tracker and its peers on clips with reference tracks: error, losses, jitter, lag, blinks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.evaluation.blinks import BlinkLeak, blink_leak, find_blinks
from facetrack.evaluation.clips import (
    Clip,
    FaceTracker,
    Points,
    count_losses,
    peer_track,
    track_clip,
)
from facetrack.evaluation.errors import complete, normalised_errors
from facetrack.evaluation.jitter import jitter, lag, pool, still_stretches
from facetrack.evaluation.peers import Peer
from facetrack.evaluation.score import load_landmarks
from facetrack.evaluation.stored import stored_tracks
from facetrack.parallel import Map

OURS = "facetrack"
SMOOTHED = "facetrack, smoothed"


@dataclass(frozen=True, slots=True)
class SystemOnClip:
    """One system on one clip."""

    errors: dict[str, npt.NDArray[np.float64]]  # by reference, of compared frames; inf where lost
    losses: int  # how often a tracked face was lost
    lost_frames: int  # compared frames without a face
    jitter: dict[str, float]  # on the still stretches; see `jitter.jitter`
    leak: BlinkLeak


@dataclass(frozen=True, slots=True)
class ClipReport:
    """All systems on one clip."""

    name: str
    frames: int
    compared: int  # frames on which the references agree
    still: int  # frames of still stretches
    blinks: int
    lag: float  # of our smoothing in milliseconds; NaN where none was asked for
    systems: dict[str, SystemOnClip]


@dataclass(frozen=True, slots=True)
class PooledSystem:
    """One system on all clips."""

    errors: dict[str, npt.NDArray[np.float64]]
    losses: int
    lost_frames: int
    jitter: dict[str, float]  # mean over all still frames
    leak: float  # mean over all blinks; see `BlinkLeak`
    leak_correlation: float


@dataclass(frozen=True, slots=True)
class VideoReport:
    """All systems on all clips."""

    clips: tuple[ClipReport, ...]
    pooled: dict[str, PooledSystem]
    lag: float  # median over the clips in milliseconds; NaN without smoothing


def evaluate_clips(
    make_tracker: Callable[[], FaceTracker],
    clips: Sequence[Clip],
    *,
    peers: Sequence[Callable[[], Peer]] = (),
    predictions: Mapping[str, Path] | None = None,
    map_: Map = map,
) -> VideoReport:
    """Track clips, each with a fresh tracker and fresh peers, and compare with their references."""
    # References that are trackers themselves are judged for jitter and blinks, too.
    if not clips:
        raise InputError("there is no clip to evaluate")
    work = partial(_evaluate_clip, make_tracker, peers=tuple(peers), predictions=predictions or {})
    reports = tuple(map_(work, clips))
    names = list(dict.fromkeys(name for r in reports for name in r.systems))
    lags = [r.lag for r in reports if np.isfinite(r.lag)]
    return VideoReport(
        clips=reports,
        pooled={name: _pooled(name, reports) for name in names},
        lag=float(np.median(lags)) if lags else float("nan"),
    )


def _evaluate_clip(
    make_tracker: Callable[[], FaceTracker],
    clip: Clip,
    *,
    peers: Sequence[Callable[[], Peer]],
    predictions: Mapping[str, Path],
) -> ClipReport:
    n = len(clip.compared)
    ours = track_clip(make_tracker(), clip.open(), n_frames=n)
    systems: dict[str, Points] = {OURS: ours.raw_points}
    delay = float("nan")
    if not np.array_equal(ours.points, ours.raw_points, equal_nan=True):
        systems[SMOOTHED] = ours.points
        delay = lag(ours.raw_points, ours.points, ours.timestamps)
    for make_peer in peers:
        peer = make_peer()
        systems[peer.name] = peer_track(peer, clip.open(), n_frames=n).points
    systems |= stored_tracks(predictions, clip.name, n, _numbered)
    if not clip.exact:
        systems |= {f"{name} (reference)": track for name, track in clip.references.items()}
    judges = list(clip.references.values())
    stretches = still_stretches(judges)
    blinks, opening = find_blinks(judges)
    return ClipReport(
        name=clip.name,
        frames=n,
        compared=int(clip.compared.sum()),
        still=sum(end - first for first, end in stretches),
        blinks=len(blinks),
        lag=delay,
        systems={
            name: SystemOnClip(
                errors=_errors(points, clip),
                losses=count_losses(points),
                lost_frames=int((clip.compared & ~complete(points)).sum()),
                jitter=jitter(points, stretches),
                leak=blink_leak(points, blinks, opening),
            )
            for name, points in systems.items()
        },
    )


def _numbered(path: Path) -> tuple[Sequence[int], Points]:
    landmarks = load_landmarks(path)
    if landmarks.keys and not landmarks.numbered:
        raise InputError(f"{path}: its files must be named by frame numbers, such as 000001.pts")
    return [int(k) for k in landmarks.keys], landmarks.points


def _errors(points: Points, clip: Clip) -> dict[str, npt.NDArray[np.float64]]:
    chosen = clip.compared
    return {
        name: normalised_errors(points[chosen], reference[chosen])
        for name, reference in clip.references.items()
    }


def _pooled(name: str, reports: Sequence[ClipReport]) -> PooledSystem:
    pairs = [(r, r.systems[name]) for r in reports if name in r.systems]
    references = list(dict.fromkeys(key for _, s in pairs for key in s.errors))
    leaks = [{"motion": s.leak.amplitude, "correlation": s.leak.correlation} for _, s in pairs]
    leak = pool(leaks, [s.leak.blinks for _, s in pairs])
    return PooledSystem(
        errors={
            key: np.concatenate([s.errors[key] for _, s in pairs if key in s.errors])
            for key in references
        },
        losses=sum(s.losses for _, s in pairs),
        lost_frames=sum(s.lost_frames for _, s in pairs),
        jitter=pool([s.jitter for _, s in pairs], [r.still for r, _ in pairs]),
        leak=leak["motion"],
        leak_correlation=leak["correlation"],
    )
