"""A tracker and its peers on the same clips in one run: error, losses, jitter, time and size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.speed.timing import WARM_UP, StepTime, time_steps
from facetrack.errors import InputError
from facetrack.evaluation.clips import Clip, FaceTracker
from facetrack.evaluation.peers import Peer
from facetrack.evaluation.video import OURS, PooledSystem, evaluate_clips
from facetrack.parallel import Map
from facetrack.video.frame import Frame

FRAMES: Final = 120  # of each clip are timed
REFERENCE_TAIL: Final = " (reference)"


@dataclass(frozen=True, slots=True)
class Contender:
    """One system of a comparison.

    Attributes
    ----------
    name : str
    note : str
        What a reader must know to judge its numbers; may be empty.
    measures : PooledSystem
        On the compared frames of all clips.
    step : StepTime or None
        Of a whole step, from the frame to the points, its own detector included: medians over the
        clips. None of a program that ran elsewhere.
    megabytes : float or None
        Of its model's files; None of a program that ran elsewhere.
    """

    name: str
    note: str
    measures: PooledSystem
    step: StepTime | None
    megabytes: float | None


def compare(
    make_tracker: Callable[[], FaceTracker],
    model_bytes: int,
    clips: Sequence[Clip],
    *,
    peers: Sequence[Callable[[], Peer]] = (),
    predictions: Mapping[str, Path] | None = None,
    frames: int = FRAMES,
    map_: Map = map,
) -> tuple[Contender, ...]:
    """Compare a tracker with its peers; the caller keeps the libraries to one thread.

    Parameters
    ----------
    make_tracker : callable
        Makes a fresh tracker of one face.
    model_bytes : int
        Size of its model's file.
    clips : sequence of Clip
    peers : sequence of callable
        Make peers, which see every frame for itself.
    predictions : mapping of str to Path
        Programs that ran elsewhere; see `stored.stored_tracks`.
    frames : int
        So many of each clip are timed, more than 20; a clip with fewer than 21 is not.
    map_ : Map
        Where clips are worked on; timing is done here, one clip after the other.

    Returns
    -------
    tuple of Contender
        Ours first.

    Raises
    ------
    InputError
        If there is no clip, or none that can be timed.
    VideoError
        If a clip cannot be decoded.
    """
    if frames <= WARM_UP:
        raise InputError(f"timing needs more than {WARM_UP} frames of a clip, got {frames}")
    report = evaluate_clips(make_tracker, clips, peers=peers, predictions=predictions, map_=map_)
    rivals = [make() for make in peers]
    steps = _step_times(make_tracker, clips, rivals, frames)
    sizes = {OURS: model_bytes, **{peer.name: peer.model_bytes for peer in rivals}}
    notes = {peer.name: peer.note for peer in rivals}
    return tuple(
        Contender(
            name=name,
            note=notes.get(name, ""),
            measures=measures,
            step=steps.get(name),
            megabytes=sizes[name] / 1e6 if name in sizes else None,
        )
        for name, measures in report.pooled.items()
        if not name.endswith(REFERENCE_TAIL)
    )


def _step_times(
    make_tracker: Callable[[], FaceTracker],
    clips: Sequence[Clip],
    peers: Sequence[Peer],
    frames: int,
) -> dict[str, StepTime]:
    """Time whole steps of all systems in turn on the first frames of every clip."""
    by_clip = []
    for clip in clips:
        with clip.open() as source:
            first = list(islice(source, frames))
        if len(first) > WARM_UP:
            steps = {OURS: make_tracker().update, **{p.name: _whole_step(p) for p in peers}}
            by_clip.append(time_steps(first, steps))
    if not by_clip:
        raise InputError(f"no clip has more than {WARM_UP} frames to time")
    return {
        one[0].name: StepTime(
            name=one[0].name,
            p50=float(np.median([step.p50 for step in one])),
            p99=float(np.median([step.p99 for step in one])),
            cpu=float(np.median([step.cpu for step in one])),
            frames=sum(step.frames for step in one),
        )
        for one in zip(*by_clip, strict=True)
    }


def _whole_step(peer: Peer) -> Callable[[Frame], object]:
    return lambda frame: peer.predict(frame.image)
