"""Fitting the estimator: the first level, its scores of people left out, the second level."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.pain.calibration import Calibration, calibrate, smooth
from facetrack.pain.frames import Frames
from facetrack.pain.fusion import Fusion, choose_fusion
from facetrack.pain.history import from_usual, past
from facetrack.pain.layer import Layer
from facetrack.pain.measures import rmse
from facetrack.pain.model import PainModel
from facetrack.pain.projection import fit_projection, fit_supervised
from facetrack.pain.relevance import RelevanceVectors, fit_relevance
from facetrack.pain.sets import FORMS, SETS, FeatureSet, Standard, fit_standard

Floats = npt.NDArray[np.float64]
Tune = Callable[[Floats, Floats, Floats, int], Layer]  # windows, labels, units, seed
Rows = npt.NDArray[np.intp]

_WIDTHS: Final = (0.125, 0.25, 0.5, 1.0, 2.0)  # of the kernel, around 1 / median squared distance
_TRIED_ON: Final = 500  # rows
_AVERAGED: Final = (1, 3, 5, 9, 15)  # frames of the training's rate
_RARE: Final = 0.005  # share of the training below which a frame is unlike it
_THINNED: Final = 3  # of frames that follow each other with the same label one is taken


@dataclass(frozen=True, slots=True)
class Options:
    """How an estimator is fitted."""

    sets: tuple[tuple[str, str], ...] = (
        ("geometry", "usual"),
        ("appearance", "usual"),
        ("deep", "usual"),
        ("deep", "static"),
    )
    rows: int = 1500  # frames that each regression is fitted on
    balance: float = 0.5  # 0: as distributed, 1: as many of each label, which costs error
    groups: int = 5  # of subjects, each left out once for what the second level is fitted on
    steps: int = 400  # of the regression, at most


@dataclass(frozen=True, slots=True, eq=False)
class FittedSet:
    """A set of features and what it says of people whom it had not seen."""

    features: FeatureSet
    left_out: Floats  # (n,), by regressions without the subject; NaN of pictures not looked at
    nearest: Floats  # (n,), the largest kernel value there


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """The second level of an estimator."""

    fusion: Fusion
    window: float  # seconds over which scores are averaged
    calibration: Calibration
    left_out: Floats  # (n,), fused and smoothed, without the subject; NaN of pictures


def groups_of(subjects: Sequence[str] | npt.NDArray[np.str_], count: int, seed: int) -> Rows:
    """Sort the subjects of n frames into `count` groups of about equal numbers, (n,)."""
    names, who = np.unique(np.asarray(subjects), return_inverse=True)
    if len(names) < 2:
        raise InputError(f"fitting needs two subjects or more, got {len(names)}")
    order = np.random.default_rng(seed).permutation(len(names))
    return np.asarray((order % min(count, len(names)))[who])


def sample(frames: Frames, among: Rows, options: Options, rng: np.random.Generator) -> Rows:
    """Draw the frames that a regression is fitted on; return numbers of frames, growing."""
    # Of frames in a row with the same label every third only.
    same = np.zeros(len(frames), dtype=np.intp)
    for number in range(1, len(frames)):
        alike = frames.labels[number] == frames.labels[number - 1]
        if alike and frames.sequences[number] == frames.sequences[number - 1]:
            same[number] = same[number - 1] + 1
    kept: Rows = among[same[among] % _THINNED == 0]
    if len(kept) <= options.rows:
        return kept
    rounded = np.round(frames.labels[kept])  # pseudo-labels lie between the levels
    _, level, counts = np.unique(rounded, return_inverse=True, return_counts=True)
    weights = (1 / counts[level]) ** options.balance
    drawn = rng.choice(kept, options.rows, replace=False, p=weights / weights.sum())
    return np.sort(drawn)


def fit_set(
    kind: str,
    form: str,
    frames: Frames,
    mean: Floats,
    step: float,
    options: Options,
    seed: int,
    tune: Tune | None = None,
) -> FittedSet:
    """Fit one set of features on training subjects; `step` is seconds between frames."""
    # All that is learned is learned anew for each group of subjects that is left out, apart from
    # the kernel's width. Pictures, sequences of one frame, train static sets alone.
    if kind == "tuned" and tune is None:
        raise InputError("the features 'tuned' need something that trains them")
    rng = np.random.default_rng([seed, list(SETS).index(kind), FORMS.index(form)])
    one = FeatureSet(kind, form, step, mean)
    every = np.arange(len(frames))
    if form != "static":
        every = every[~_pictures(frames)]
        if not len(every):
            raise InputError(f"the features {one.name!r} need sequences, not pictures alone")
    groups = groups_of(frames.subjects, options.groups, seed)

    def learn(among: Rows) -> tuple[FeatureSet, Floats, Rows]:
        """Learn what the features are made by; return features of all, and rows to fit on."""
        rows = sample(frames, among, options, rng)
        whole = _with_projection(one, frames, rows)
        if kind == "tuned" and tune is not None:
            whole = _with_layer(whole, frames, among, tune, seed)
        x = whole.features_of(frames.times, frames.sequences, frames.values[one.source])
        return whole, x, rows

    one, x, rows = learn(every)
    gamma = _best_gamma(x, frames.labels, rows, groups, rng)
    standard, regression = _regress(x, frames.labels, rows, gamma, options.steps)
    fitted = replace(one, standard=standard, regression=regression)
    left_out, nearest = np.full(len(frames), np.nan), np.full(len(frames), np.nan)
    for group in np.unique(groups[every]):
        out = every[groups[every] == group]
        _, x, rows = learn(every[groups[every] != group])
        standard, regression = _regress(x, frames.labels, rows, gamma, options.steps)
        left_out[out], _, nearest[out] = regression.judge(standard.apply(x[out]))
    return FittedSet(fitted, left_out, nearest)


def _pictures(frames: Frames) -> npt.NDArray[np.bool_]:
    """Mark the sequences of one frame."""
    _, which, counts = np.unique(frames.sequences, return_inverse=True, return_counts=True)
    alone: npt.NDArray[np.bool_] = counts[which] == 1
    return alone


def _with_projection(one: FeatureSet, frames: Frames, rows: Rows) -> FeatureSet:
    if one.kind in ("geometry", "tuned"):
        return one
    values, equal = frames.values[one.source][rows], one.kind == "deep"
    if one.form == "usual":
        found = fit_supervised(values, frames.labels[rows], frames.subjects[rows], equal=equal)
    else:
        found = fit_projection(values, equal=equal)
    return replace(one, projection=found)


def _with_layer(one: FeatureSet, frames: Frames, among: Rows, tune: Tune, seed: int) -> FeatureSet:
    base = one.base(frames.values[one.source])
    if one.form == "usual":
        base = from_usual(frames.times, base, frames.films())
    seen = np.concatenate([past(frames.times[r], base[r], one.step) for r in frames.runs()])
    layer = tune(seen[among], frames.labels[among], frames.units[among], seed)
    return replace(one, layer=layer)


def _regress(
    x: Floats, labels: Floats, rows: Rows, gamma: float, steps: int
) -> tuple[Standard, RelevanceVectors]:
    standard = fit_standard(x[rows])
    inputs = standard.apply(x[rows])
    return standard, fit_relevance(inputs, labels[rows], gamma, steps=steps)


def _best_gamma(
    x: Floats, labels: Floats, rows: Rows, groups: Rows, rng: np.random.Generator
) -> float:
    """Choose the kernel's width by subjects left out: the evidence likes too narrow ones."""
    from scipy.spatial.distance import pdist  # loads slowly

    some = rng.permutation(rows)[: 2 * _TRIED_ON]
    inputs = fit_standard(x[some]).apply(x[some])
    middle = 1 / max(float(np.median(pdist(inputs[:_TRIED_ON], "sqeuclidean"))), 1e-12)
    half = groups[some] % 2 == 0
    if half.all() or not half.any():
        return middle
    errors = []
    for width in _WIDTHS:
        found = np.empty(len(some))
        for out in (half, ~half):
            regression = fit_relevance(inputs[~out], labels[some][~out], width * middle, steps=150)
            found[out] = regression.predict(inputs[out])
        errors.append(rmse(labels[some], found))
    return middle * _WIDTHS[int(np.argmin(errors))]


def fuse(frames: Frames, scores: Sequence[Floats], step: float, groups: int, seed: int) -> Fit:
    """Fit the second level on `FittedSet.left_out` of each set; `step` is seconds."""
    rng = np.random.default_rng([seed, 9])
    table = np.stack(scores, axis=1)
    known = np.flatnonzero(np.isfinite(table).all(axis=1))  # no pictures, unless all is static
    seen, left_out = frames.take(known), np.full(len(frames), np.nan)
    grouped = groups_of(seen.subjects, groups, seed)
    fusion, apart = choose_fusion(table[known], seen.labels, grouped, rng)
    smoothed = [
        smooth(seen.times, apart, (k - 1) * step, sequences=seen.sequences) for k in _AVERAGED
    ]
    best = int(np.argmin([rmse(seen.labels, found) for found in smoothed]))
    calibration = calibrate(smoothed[best], seen.labels, seen.subjects)
    left_out[known] = smoothed[best]
    return Fit(fusion, (_AVERAGED[best] - 1) * step, calibration, left_out)


def fit_model(
    frames: Frames,
    fitted: Sequence[FittedSet],
    options: Options,
    *,
    name: str,
    encoder: tuple[str, str],
    card: Mapping[str, Any],
    seed: int,
) -> tuple[PainModel, Fit]:
    """Put an estimator together; return it with its second level."""
    step = fitted[0].features.step
    fit = fuse(frames, [one.left_out for one in fitted], step, options.groups, seed)
    limits = {
        f"nearest {one.features.name}": float(np.nanquantile(one.nearest, _RARE)) for one in fitted
    }
    features = tuple(one.features for one in fitted)
    model = PainModel(
        name, *encoder, features, fit.fusion, fit.window, fit.calibration, limits, card
    )
    return model, fit
