"""What folds over people left out say together: tables, the JSON behind them, plots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.pain.frames import Frames
from facetrack.pain.measures import LEVELS, agreement, by_subject, confusion, pcc, rmse
from facetrack.pain.protocol import FoldScores
from facetrack.reporting.plots import new_figure, save_figure
from facetrack.reporting.tables import Part, Quantity, Table

Floats = npt.NDArray[np.float64]

PAPER: Final = {"rmse": 0.99, "pcc": 0.67}  # Egede, Valstar and Martinez, FG 2017, on UNBC
_COLUMNS: Final = ("rmse", "pcc", "icc", "mae", "macro_mae", "rmse_present")
_RESAMPLES: Final = 2000
_ENDS: Final = ("low", "high")


def pool(folds: Iterable[FoldScores], count: int) -> dict[str, Floats]:
    """Put the scores of all folds in the order of the frames; NaN where no fold tested one."""
    found: dict[str, Floats] = {}
    for fold in folds:
        for name, scores in fold.scores.items():
            found.setdefault(name, np.full(count, np.nan))[fold.test] = scores
    return found


def measure(
    frames: Frames, pooled: Mapping[str, Floats], folds: Sequence[FoldScores], *, seed: int = 0
) -> dict[str, Any]:
    """Measure the agreement of all arms with the labels, over all tested frames."""
    if "score" not in pooled:
        raise InputError(f"no fold could be fitted; {folds[0].name}: {folds[0].problem}")
    tested = np.isfinite(pooled["score"])
    labels, subjects = frames.labels[tested], frames.subjects[tested]
    constants = {"always mean": np.full(len(labels), labels.mean()), "always 0": 0 * labels}
    scores = {n: values[tested] for n, values in pooled.items() if n not in _ENDS}
    arms = {name: agreement(labels, values) for name, values in {**constants, **scores}.items()}
    for name, values in scores.items():
        if name != "mean":
            arms[name]["pcc_low"], arms[name]["pcc_high"] = _pcc_interval(
                labels, values, subjects, seed
            )
    held = (pooled["low"][tested] <= labels) & (labels <= pooled["high"][tested])
    people = by_subject(subjects.tolist(), labels, scores["score"])
    return {
        "arms": arms,
        "coverage": _coverage(held, labels, subjects)
        | {"width": float((pooled["high"] - pooled["low"])[tested].mean())},
        "confusion": confusion(labels, scores["score"]).tolist(),
        "subjects": people,
        "folds": {f.name: {"window": f.window, "fusion": f.fusion} for f in folds if not f.problem},
        "failed": {f.name: f.problem for f in folds if f.problem},
        "frames": int(tested.sum()),
        "present": float((labels > 0).mean()),
    }


def _coverage(
    held: npt.NDArray[np.bool_], labels: Floats, subjects: npt.NDArray[np.str_]
) -> dict[str, float]:
    each = [float(held[subjects == name].mean()) for name in np.unique(subjects)]
    present = labels > 0
    return {
        "all": float(held.mean()),
        "present": float(held[present].mean()) if present.any() else float("nan"),
        "absent": float(held[~present].mean()) if (~present).any() else float("nan"),
        "worst_subject": min(each),
        "best_subject": max(each),
    }


def _pcc_interval(
    labels: Floats, scores: Floats, subjects: npt.NDArray[np.str_], seed: int
) -> tuple[float, float]:
    """Resample subjects, not frames: these follow each other and are no independent facts."""
    rng = np.random.default_rng(seed)
    moments = []
    for name in np.unique(subjects):
        y, p = labels[subjects == name], scores[subjects == name]
        moments.append([len(y), y.sum(), p.sum(), (y**2).sum(), (p**2).sum(), (y * p).sum()])
    table = np.array(moments)
    drawn = rng.integers(0, len(table), (_RESAMPLES, len(table)))
    n, y, p, yy, pp, yp = table[drawn].sum(axis=1).T
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (n * yp - y * p) / np.sqrt((n * yy - y**2) * (n * pp - p**2))
    known = found[np.isfinite(found)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)


def score_table(details: Mapping[str, Any]) -> list[Part]:
    """Lay the results out."""
    # `unbc` puts the paper's numbers beside; `fewer` and `random` are arms with fewer subjects to
    # train on, and of frames that were split at random.
    people, coverage = details["subjects"], details["coverage"]
    defined = [p["pcc"] for p in people.values() if p["pcc"] is not None and np.isfinite(p["pcc"])]
    middle = float(np.median(defined)) if defined else float("nan")
    windows = [f["window"] for f in details["folds"].values()]
    chosen = [f["fusion"] for f in details["folds"].values()]
    return [
        f"{details['frames']} frames of {len(people)} subjects, each left out of what scored it, "
        f"{100 * details['present']:.0f} % of them above 0; pooled over all frames",
        _arms(details["arms"], paper=bool(details.get("unbc"))),
        f"Intervals of 90 % hold {_percent(coverage['all'])} of the labels, "
        f"{_percent(coverage['present'])} of those above 0, {_percent(coverage['absent'])} of "
        f"those that are 0; single subjects {_percent(coverage['worst_subject'])} to "
        f"{_percent(coverage['best_subject'])}; mean width {coverage['width']:.2f}",
        f"PCC within a subject: median {middle:.2f}, not defined for "
        f"{len(people) - len(defined)} of {len(people)}",
        f"Averaged over {min(windows):.2f} to {max(windows):.2f} s (lag: half of it); second "
        f"level: {chosen.count('linear')} sums, {chosen.count('vectors')} regressions",
        "Frames by level of the label (rows) and of the score",
        Table(
            ["", *LEVELS], [[n, *row] for n, row in zip(LEVELS, details["confusion"], strict=True)]
        ),
        *(f"Fold {name} could not be fitted: {why}" for name, why in details["failed"].items()),
        *_fewer(details),
        *_random(details),
    ]


def _arms(arms: Mapping[str, Mapping[str, float]], *, paper: bool = False) -> Table:
    rows: list[list[object]] = []
    for name, found in arms.items():
        low, high = found.get("pcc_low"), found.get("pcc_high")
        known = low is not None and high is not None
        shown = "mean of the training" if name == "mean" else name
        between = f"{low:.2f} to {high:.2f}" if known else ""
        rows.append([shown, *(_number(found[c]) for c in _COLUMNS), between])
    if paper:
        rows.append(["the paper, on UNBC", PAPER["rmse"], PAPER["pcc"], *[None] * 4, ""])
    headers = ["", "RMSE", "PCC", "ICC(3,1)", "MAE", "macro MAE", "RMSE above 0", "PCC, 95 %"]
    return Table(headers, rows)


def _fewer(details: Mapping[str, Any]) -> list[Part]:
    """Lay out what fewer subjects to train on cost: the paper's point is small samples."""
    fewer = details.get("fewer")
    if not fewer:
        return []
    counts = {**fewer, "all others": details["arms"]}
    names = ("hand-crafted (usual)", "deep (usual)", "fused (usual)", "score")
    rows = [
        [count, *(_number(arms[n][key]) for n in names for key in ("rmse", "pcc"))]
        for count, arms in counts.items()
    ]
    headers = [f"{n}, {key}" for n in names for key in ("RMSE", "PCC")]
    return ["With fewer subjects to train on", Table(["subjects", *headers], rows)]


def _random(details: Mapping[str, Any]) -> list[Part]:
    arms = details.get("random")
    if not arms:
        return []
    return [
        "Frames split at random, without regard to who it is: looks better and is wrong, because "
        "neighbouring frames are near copies and the person is known",
        _arms({name: arms[name] for name in ("all that is used", "score")}),
    ]


def _number(value: float | None) -> Quantity:
    return Quantity(float("nan") if value is None else value, 3)


def _percent(value: float | None) -> str:
    return "-" if value is None or not np.isfinite(value) else f"{100 * value:.0f} %"


def score_plots(
    folder: Path, frames: Frames, names: Sequence[str], pooled: Mapping[str, Floats]
) -> list[Path]:
    """Draw score and label over time, a picture for each subject."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for subject in np.unique(frames.subjects):
        numbers = np.unique(frames.sequences[frames.subjects == subject])
        figure = new_figure(9, 1.6 * len(numbers) + 0.4)
        axes = figure.subplots(len(numbers), 1, squeeze=False)[:, 0]
        for axis, number in zip(axes, numbers.tolist(), strict=True):
            here = frames.sequences == number
            t = frames.times[here]
            axis.fill_between(t, pooled["low"][here], pooled["high"][here], alpha=0.25, lw=0)
            axis.plot(t, pooled["score"][here], label="score, 90 % interval")
            axis.plot(t, frames.labels[here], "k", drawstyle="steps-mid", lw=1, label="PSPI")
            axis.set_title(names[number], fontsize=8)
            highest = max(frames.labels[here].max(), pooled["score"][here].max())
            axis.set_ylim(-0.5, max(4.0, float(highest) + 1))
        axes[0].legend(fontsize=7, loc="upper right")
        axes[-1].set_xlabel("seconds")
        path = folder / f"{subject}.png"
        save_figure(figure, path)
        written.append(path)
    return written


def difference(frames: Frames, first: Floats, second: Floats, *, seed: int = 0) -> dict[str, float]:
    """Compare two arms on the same frames: second - first, 95 % by resampling subjects."""
    names = np.unique(frames.subjects)
    rng = np.random.default_rng(seed)
    rows = {name: np.flatnonzero(frames.subjects == name) for name in names}
    found = []
    for _ in range(_RESAMPLES // 4):
        drawn = np.concatenate([rows[name] for name in rng.choice(names, len(names))])
        y = frames.labels[drawn]
        found.append(pcc(y, second[drawn]) - pcc(y, first[drawn]))
    low, high = np.nanquantile(found, [0.025, 0.975])
    y = frames.labels
    return {
        "pcc": pcc(y, second) - pcc(y, first),
        "rmse": rmse(y, second) - rmse(y, first),
        "low": float(low),
        "high": float(high),
    }
