"""The protocol of 300-VW: pooled frames of the clips of a category (method.md, 5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facetrack.datasets.w300vw import Clip
from facetrack.errors import InputError
from facetrack.evaluation.clips import Track, count_losses
from facetrack.evaluation.errors import LIMIT, ErrorSummary, normalised_errors, summary
from facetrack.formats.atomic import atomic_path
from facetrack.formats.npz import read_npz
from facetrack.parallel import Map
from facetrack.reporting.intervals import Interval, paired_interval

Points = npt.NDArray[np.float64]

ALL = "all"  # the categories together


@dataclass(frozen=True, slots=True)
class System:
    """What follows a face through clips."""

    name: str
    note: str  # what a reader must know to judge its numbers; may be empty
    track: Callable[[Clip], Track]  # can be pickled
    settings: str = ""  # what its tracks depend on: kept ones of other settings are refused


@dataclass(frozen=True, slots=True)
class ClipScore:
    """One system on one clip of 300-VW; frames from 0."""

    id: str
    category: str
    errors: npt.NDArray[np.float64]  # one per labelled, decoded frame; inf where not tracked
    losses: int
    decoded: int
    excluded: tuple[int, ...]  # whose label the challenge declared unreliable
    labels_without_frame: tuple[int, ...]  # what did not pair is not evaluated
    frames_without_label: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SystemScore:
    """One system on all clips."""

    name: str
    note: str
    clips: tuple[ClipScore, ...]
    categories: dict[str, ErrorSummary]  # pooled frames of each that was evaluated, and of `ALL`
    losses: dict[str, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """How a system differs from the first, paired by clip."""

    system: str
    category: str
    clips: int
    auc08: Interval  # of the clips' own areas; the ends are NaN with a single clip
    over08: Interval  # of the clips' own failure rates


@dataclass(frozen=True, slots=True)
class W300vwReport:
    """Systems on categories of 300-VW, with all that was left out."""

    markup: int  # number of points that count
    systems: tuple[SystemScore, ...]  # the one that is evaluated first
    differences: tuple[Difference, ...]
    missing: tuple[str, ...]  # clips of the official lists that are not there


def evaluate_300vw(
    systems: Sequence[System],
    clips: Sequence[Clip],
    *,
    missing: Sequence[str] = (),
    markup: int = 68,
    work: Path | None = None,
    map_: Map = map,
) -> W300vwReport:
    """Follow the face of every clip from its first frame and pool the frames' errors."""
    # The folder `work` keeps each track as soon as it is whole: it is not tracked again.
    if work is not None:
        work.mkdir(parents=True, exist_ok=True)
    items = [(clip, which) for clip in clips for which in range(len(systems))]
    found = list(map_(partial(_score, tuple(systems), markup, work), items))
    if not sum(len(score.errors) for score in found):
        raise InputError("no labelled frame of 300-VW was decoded")
    scores = tuple(
        _pooled(system, found[which :: len(systems)]) for which, system in enumerate(systems)
    )
    differences = [d for other in scores[1:] for d in _differences(scores[0], other)]
    return W300vwReport(markup, scores, tuple(differences), tuple(missing))


def _score(
    systems: Sequence[System], markup: int, work: Path | None, item: tuple[Clip, int]
) -> ClipScore:
    clip, system = item[0], systems[item[1]]
    points = system.track(clip).points if work is None else _kept_track(work, system, clip)
    pairing = clip.pair(len(points))
    return ClipScore(
        id=clip.id,
        category=clip.category,
        errors=normalised_errors(points[pairing.positions], pairing.truth.points, markup),
        losses=count_losses(points),
        decoded=len(points),
        excluded=tuple(sorted(clip.excluded)),
        labels_without_frame=pairing.labels_without_frame,
        frames_without_label=pairing.frames_without_label,
    )


def _kept_track(work: Path, system: System, clip: Clip) -> Points:
    """Read the track that an earlier run kept, or make and keep it."""
    slug = re.sub(r"\W+", "-", system.name.lower()).strip("-")
    place = work / f"{clip.id}-{slug}.npz"
    size = len(clip.pictures) or clip.video.stat().st_size
    settings = f"{system.settings}; {clip.video.name} ({size})"
    if not place.exists():
        points = system.track(clip).points
        with atomic_path(place) as temporary:
            np.savez(temporary, points=points, settings=np.array(settings))
        return points
    kept = read_npz(place, required=["points", "settings"])
    if str(kept["settings"]) != settings:
        raise InputError(
            f"{place}: a track of other settings ({kept['settings']}, now {settings}); "
            "remove it or choose another folder"
        )
    return np.asarray(kept["points"], dtype=np.float64)


def _pooled(system: System, clips: Sequence[ClipScore]) -> SystemScore:
    names = sorted({clip.category for clip in clips if len(clip.errors)})
    groups = {name: [c for c in clips if c.category == name] for name in names}
    groups[ALL] = list(clips)
    return SystemScore(
        system.name,
        system.note,
        tuple(clips),
        {name: summary(np.concatenate([c.errors for c in of])) for name, of in groups.items()},
        {name: sum(c.losses for c in of) for name, of in groups.items()},
    )


def _differences(first: SystemScore, other: SystemScore) -> list[Difference]:
    pairs = [p for p in zip(first.clips, other.clips, strict=True) if len(p[0].errors)]
    found = []
    for name in first.categories:
        chosen = [p for p in pairs if name in (ALL, p[0].category)]
        areas = [[np.maximum(0, 1 - c.errors / LIMIT).mean() for c in p] for p in chosen]
        failures = [[(c.errors > LIMIT).mean() for c in p] for p in chosen]
        found.append(
            Difference(other.name, name, len(chosen), _interval(areas), _interval(failures))
        )
    return found


def _interval(pairs: list[list[np.float64]]) -> Interval:
    before, after = np.array(pairs).T
    if len(pairs) < 2:
        return Interval(float((after - before).mean()), np.nan, np.nan)
    return paired_interval(before, after, np.random.default_rng(0))
