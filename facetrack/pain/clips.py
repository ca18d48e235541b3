"""Scores of real clips beside what another program's action units make of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError
from facetrack.fitting.face_model import FaceModel
from facetrack.formats.npz import read_whole_npz
from facetrack.opening import open_source
from facetrack.pain.pictures import CHANNELS
from facetrack.pain.pspi import pspi
from facetrack.pain.signal import SCORE, Pain
from facetrack.reading import Readings
from facetrack.reporting.tables import Part, Quantity, Table
from facetrack.signals.episodes import Episodes
from facetrack.signals.expression import EXPRESSION
from facetrack.signals.pipeline import Pipeline
from facetrack.signals.registry import Choice
from facetrack.tracking.tracker import Tracker

Floats = npt.NDArray[np.float64]

MOVES: Final = 2.0  # points that the other program's score moves by, to say something
_SMOOTHED: Final = 7  # frames
_ALARM, _QUIET = 3.0, 1.5  # our score, where the other's is below
_AUS: Final = (4, 6, 7, 9, 10)


@dataclass(frozen=True, slots=True, eq=False)
class ScoredClip:
    """One clip of one person."""

    clip: str
    times: Floats  # (frames,), seconds; NaN in frames that the tracker did not see
    score: Floats  # (frames,); NaN where it cannot be assessed
    plain: Floats  # (frames,), sum of our own channels of brows down, squint and upper lip
    reasons: Mapping[str, int]  # why frames have no score, and how many
    episodes: int


def score_clip(item: tuple[Path, int], *, model: FaceModel, pain: str) -> ScoredClip:
    """Track and score a clip of so many frames of one person, as `facetrack track` does."""
    path, count = item
    estimators = (Pain(pain), EXPRESSION)
    names = frozenset(spec.name for e in estimators for spec in e.specs)
    pipeline = Pipeline(Choice(estimators, names))
    times, score, plain = (np.full(count, nan) for _ in range(3))
    reasons: dict[str, int] = {}
    tracker = Tracker(model, max_faces=1)
    found = []
    with open_source(path) as source:
        for frame in source:
            if frame.index < count:
                times[frame.index] = frame.timestamp
                found += pipeline.update(frame, tracker.update(frame))
    found += pipeline.finish()
    events = 0
    for finding in found:
        if not isinstance(finding.result, Readings):
            events += 1
            continue
        index, values = finding.result.frame, finding.result.values
        if finding.estimator == "pain":
            score[index] = values[SCORE].value
            if values[SCORE].reason:
                reasons[values[SCORE].reason] = reasons.get(values[SCORE].reason, 0) + 1
        elif all(name in values for name in CHANNELS):
            plain[index] = sum(values[name].value for name in CHANNELS)
    return ScoredClip(path.stem, times, score, plain, reasons, events)


def other_pspi(path: Path) -> Floats:
    """Read another program's action units; return PSPI without closed eyes, 0 to 15, or NaN."""
    # .npz with `frames` and `AU04`, `AU06`, ..., each (n,).
    arrays = read_whole_npz(path)
    try:
        frames = arrays["frames"].astype(np.intp)
        units = {au: arrays[f"AU{au:02d}"].astype(np.float64) for au in _AUS}
    except KeyError as error:
        raise FormatError(path, f"has no {error.args[0]}") from error
    found = np.full(int(frames.max(initial=-1)) + 1, nan)
    for row, frame in enumerate(frames.tolist()):
        found[frame] = pspi({au: float(values[row]) for au, values in units.items()})
    return found


def compare_clips(
    clips: Iterable[ScoredClip], theirs: Mapping[str, Floats]
) -> dict[str, dict[str, Any]]:
    """Compare scores in time, by clip."""
    # `moves`: points between the 5th and 95th percentile of the other's score; `rank`: Spearman,
    # both smoothed over 7 frames; `alarms`: episodes of 3 or more per minute where the other's is
    # under 1.5.
    from scipy.stats import spearmanr  # loads slowly

    found: dict[str, dict[str, Any]] = {}
    for clip in clips:
        other = theirs[clip.clip]
        known = np.isfinite(clip.score) & np.isfinite(other) & np.isfinite(clip.plain)
        minutes = float(np.nanmax(clip.times, initial=0.0)) / 60
        smoothed = [_smooth(values, known) for values in (clip.score, clip.plain, other)]
        ours, plain, truth = (values[known] for values in smoothed)
        enough = known.sum() > _SMOOTHED
        found[clip.clip] = {
            "moves": float(np.ptp(np.nanpercentile(other, [5, 95]))),
            "rank": float(spearmanr(ours, truth)[0]) if enough else nan,
            "rank_plain": float(spearmanr(plain, truth)[0]) if enough else nan,
            "alarms": _alarms(clip, smoothed[2]) / minutes if minutes else nan,
            "assessed": float(np.isfinite(clip.score).mean()),
            "highest": float(np.nanmax(clip.score, initial=0.0)),
            "episodes": clip.episodes,
            "reasons": dict(clip.reasons),
        }
    return found


def clip_table(compared: Mapping[str, Mapping[str, Any]]) -> list[Part]:
    """Lay the comparison out."""
    rows: list[Sequence[object]] = []
    moving = [c for c in compared.values() if c["moves"] > MOVES]
    for name, c in compared.items():
        moves = c["moves"] > MOVES
        ranks = [Quantity(c[key] if moves else nan, 2) for key in ("rank", "rank_plain")]
        cells = [name, Quantity(c["moves"], 1), *ranks, Quantity(c["alarms"], 2)]
        rows.append([*cells, Quantity(c["highest"], 1), Quantity(100 * c["assessed"], 0, " %")])
    means = [float(np.mean([c[key] for c in moving])) for key in ("rank", "rank_plain")]
    return [
        "Rank correlation in time with the PSPI of another program's action units (without closed "
        "eyes), both smoothed over 7 frames; agreement with it is agreement, not accuracy",
        Table(
            ["clip", "moves by", "score", "plain sum", "alarms/min", "highest", "assessed"], rows
        ),
        f"Mean of the {len(moving)} clips that move by more than {MOVES:g} points: "
        f"{means[0]:.2f}; a plain sum of our own channels: {means[1]:.2f}",
    ]


def _smooth(values: Floats, known: npt.NDArray[np.bool_]) -> Floats:
    """Average over seven frames, of those that are known."""
    kernel = np.ones(_SMOOTHED)
    total = np.convolve(np.where(known, values, 0.0), kernel, "same")
    weight = np.convolve(known.astype(np.float64), kernel, "same")
    return np.asarray(total / np.maximum(weight, 1.0))


def _alarms(clip: ScoredClip, other: Floats) -> int:
    """Count our episodes above the level of an alarm where the other program is quiet."""
    episodes = Episodes("alarm", level=_ALARM)
    count = 0
    for time, score, quiet in zip(clip.times, clip.score, other < _QUIET, strict=True):
        if np.isfinite(time):
            count += len(episodes.update(float(time), float(score) if quiet else nan))
    return count + len(episodes.finish())
