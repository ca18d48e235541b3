"""Testing on people left out: folds over subjects, each a file, and what all folds say together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from math import nan
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError, InputError
from facetrack.formats.archive import read_archive, write_archive
from facetrack.pain.calibration import HIGHEST, smooth
from facetrack.pain.fitting import Fit, Options, Tune, fit_set, fuse
from facetrack.pain.frames import Frames, read_frames
from facetrack.pain.sets import FORMS
from facetrack.parallel import Map

Floats = npt.NDArray[np.float64]
_Tested = tuple[dict[str, Floats], float, str]  # scores by name, window in seconds, fusion

KIND: Final = "facetrack pain fold"
# Sets of features that are fused, by the name of the result; `score` is the causally smoothed
# fusion of all, `centred` the one that is known half a window later.
HAND: Final = ("geometry", "appearance")
COMBINED: Final = {"hand-crafted": HAND, "fused": (*HAND, "deep")}
KINDS: Final = ("geometry", "appearance", "deep")


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """Who is tested, and who is trained on, by numbers of frames."""

    name: str  # also of its file
    train: npt.NDArray[np.intp]
    test: npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class FoldScores:
    """What one fold says of its test frames."""

    name: str
    test: npt.NDArray[np.intp]  # (n,), numbers of the frames
    scores: Mapping[str, Floats]  # (n,), 0 to 16: of each arm; `low` and `high` are of `score`
    window: float  # seconds that were averaged over
    fusion: str  # linear or vectors
    problem: str = ""  # why it could not be fitted: no scores then


def subject_folds(
    frames: Frames, *, count: int | None = None, trained_on: int | None = None, seed: int = 0
) -> list[Fold]:
    """Leave subjects out: `count` folds of several, or one each."""
    # `trained_on`: train on so many subjects, drawn anew for each fold, instead of on all others.
    names = np.unique(frames.subjects)
    folds = len(names) if count is None else count
    if not 2 <= folds <= len(names) or len(names) < 3:
        raise InputError(f"{folds} folds need as many subjects, and at least three; {len(names)}")
    rng = np.random.default_rng([seed, trained_on or 0])
    order = names if count is None else rng.permutation(names)
    found = []
    for number in range(folds):
        tested = order[number::folds]
        others = np.setdiff1d(names, tested)
        if trained_on is not None:
            others = rng.permutation(others)[:trained_on]
        name = str(tested[0]) if count is None else f"{number + 1:02d}-of-{folds}"
        found.append(
            Fold(
                name if trained_on is None else f"{name}-on-{trained_on}",
                np.flatnonzero(np.isin(frames.subjects, others)),
                np.flatnonzero(np.isin(frames.subjects, tested)),
            )
        )
    return found


def frame_folds(frames: Frames, count: int, seed: int = 0) -> list[Fold]:
    """Leave frames out at random: wrong, since their neighbours are near copies."""
    fold = np.random.default_rng([seed, 1]).integers(0, count, len(frames))
    return [
        Fold(f"frames-{k + 1:02d}-of-{count}", np.flatnonzero(fold != k), np.flatnonzero(fold == k))
        for k in range(count)
    ]


def run_folds(
    folds: Sequence[Fold],
    frames: Path,
    work: Path,
    *,
    step: float,
    mean: Floats,
    options: Options,
    forms: bool = True,
    seed: int = 0,
    tune: Tune | None = None,
    map_: Map = map,
) -> Iterator[FoldScores]:
    """Fit and test every fold; one whose file is there, of the same inputs, is not done again."""
    # One that cannot be fitted says why, and is tried again next time. `forms`: whether all kinds
    # of features are tested in all forms, not only those of `options`. `step`: seconds between
    # frames.
    work.mkdir(parents=True, exist_ok=True)
    fit = partial(_fit_and_test, step, mean, options, forms, seed, tune)
    settings = [step, asdict(options), forms, seed]
    yield from map_(partial(_run_fold, frames, work, fit, settings), folds)


def _run_fold(
    frames: Path, work: Path, fit: Callable[..., _Tested], settings: list[Any], fold: Fold
) -> FoldScores:
    path = work / f"{fold.name}.npz"
    read, checksum = read_frames(frames)
    inputs = [checksum, *settings, _digest(fold)]
    made_of = hashlib.sha256(json.dumps(inputs).encode()).hexdigest()
    known = _stored(path, made_of)
    if known is not None:
        return known
    try:
        scores, window, fusion = fit(read.take(fold.train), read.take(fold.test))
    except InputError as error:
        return FoldScores(fold.name, fold.test, {}, nan, "", str(error))
    description = {"made_of": made_of, "window": window, "fusion": fusion}
    arrays = {f"score:{name}": values for name, values in scores.items()}
    write_archive(path, {"test": fold.test, **arrays}, description, kind=KIND, schema=1)
    return FoldScores(fold.name, fold.test, scores, window, fusion)


def _fit_and_test(
    step: float,
    mean: Floats,
    options: Options,
    forms: bool,
    seed: int,
    tune: Tune | None,
    train: Frames,
    test: Frames,
) -> _Tested:
    scores = {"mean": np.full(len(test), train.labels.mean())}
    chosen = {f"{kind} ({form})": (kind, form) for kind, form in options.sets}
    asked = set(chosen.values()) | ({(k, f) for k in KINDS for f in FORMS} if forms else set())
    left_out, tested = {}, {}
    for kind, form in sorted(asked):
        one = fit_set(kind, form, train, mean, step, options, seed, tune)
        name, source = one.features.name, test.values[one.features.source]
        left_out[name] = one.left_out
        features = one.features.features_of(test.times, test.sequences, source)
        tested[name], _ = one.features.score(features)

    def fused(parts: Sequence[str]) -> tuple[Floats, Fit]:
        fit = fuse(train, [left_out[p] for p in parts], step, options.groups, seed)
        return fit.fusion.apply(np.stack([tested[p] for p in parts], axis=1)), fit

    for name in tested:  # one set alone has a second level, too: it goes too far with strangers
        scores[name] = fused([name])[0].clip(0, HIGHEST)
    for form in FORMS:
        for arm, kinds in COMBINED.items():
            parts = [f"{kind} ({form})" for kind in kinds]
            if set(parts) <= set(tested):
                scores[f"{arm} ({form})"] = fused(parts)[0].clip(0, HIGHEST)
    found, fit = fused(list(chosen))
    scores["all that is used"] = found.clip(0, HIGHEST)
    smoothed = smooth(test.times, found, fit.window, sequences=test.sequences)
    centred = smooth(test.times, found, fit.window, centred=True, sequences=test.sequences)
    scores["score"], scores["centred"] = smoothed.clip(0, HIGHEST), centred.clip(0, HIGHEST)
    scores["low"], scores["high"] = fit.calibration.interval(smoothed)
    return scores, fit.window, "linear" if fit.fusion.regression is None else "vectors"


def _digest(fold: Fold) -> str:
    return hashlib.sha256(fold.train.tobytes() + b"|" + fold.test.tobytes()).hexdigest()


def _stored(path: Path, made_of: str) -> FoldScores | None:
    """Read a fold that was done; None where it was not, or of other inputs."""
    if not path.exists():
        return None
    try:
        arrays, said = read_archive(path, kind=KIND, schema=1)
    except FormatError:  # cut short by another program: it is done again
        return None
    if said.get("made_of") != made_of:
        return None
    scores = {name[6:]: array for name, array in arrays.items() if name.startswith("score:")}
    return FoldScores(path.stem, arrays["test"], scores, said["window"], said["fusion"])
