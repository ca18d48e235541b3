"""How well scores agree with labels, pooled over all frames (and why single numbers mislead)."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError

Floats = npt.NDArray[np.float64]

LEVELS: Final = ("0", "1", "2", "3", "4-5", "6+")  # all but the last are frequent enough
_EDGES: Final = (0.5, 1.5, 2.5, 3.5, 5.5)
_ROUNDING: Final = 1e-9


def rmse(labels: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Compute the root of the mean squared error over all frames; NaN without frames."""
    y, p = _pair(labels, scores)
    return float(np.sqrt(np.mean((p - y) ** 2))) if len(y) else nan


def pcc(labels: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Compute Pearson's correlation over all frames; NaN where either is constant."""
    y, p = _pair(labels, scores)
    if len(y) < 2 or np.ptp(y) == 0 or np.ptp(p) == 0:
        return nan
    return float(np.corrcoef(y, p)[0, 1])


def icc(labels: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Compute the intraclass correlation ICC(3,1) of labels and scores as two raters."""
    # (BMS - EMS) / (BMS + EMS) of the two-way table (Shrout and Fleiss 1979); 0 of constant scores,
    # NaN with fewer than two frames or where both are constant.
    y, p = _pair(labels, scores)
    if len(y) < 2 or (np.ptp(y) == 0 and np.ptp(p) == 0):
        return nan
    table = np.stack([y, p], axis=1)
    rows, columns, grand = table.mean(axis=1), table.mean(axis=0), table.mean()
    between = 2 * ((rows - grand) ** 2).sum() / (len(y) - 1)
    left = ((table - rows[:, None] - columns + grand) ** 2).sum() / (len(y) - 1)
    return float((between - left) / (between + left)) if between + left > 0 else nan


def agreement(labels: npt.ArrayLike, scores: npt.ArrayLike) -> dict[str, float]:
    """Measure the agreement of scores with labels over all frames that have a score."""
    # `macro_mae` is over the levels that occur, `rmse_present` over labels above 0. An error below
    # sd(labels) sqrt(1 - pcc^2) is impossible: ArithmeticError.
    y, p = _pair(labels, scores)
    found = {"rmse": rmse(y, p), "pcc": pcc(y, p), "icc": icc(y, p)}
    if np.isfinite(found["pcc"]):
        spread = float(y.var())
        least = spread * (1 - found["pcc"] ** 2)  # squared, where rounding is of one size
        if found["rmse"] ** 2 < least - _ROUNDING * spread:
            raise ArithmeticError(
                f"an error of {found['rmse']} is below the possible {np.sqrt(least)}"
            )
    errors, levels = np.abs(p - y), level_of(y)
    found["mae"] = float(errors.mean()) if len(y) else nan
    means = [float(errors[levels == k].mean()) for k in np.unique(levels)]
    found["macro_mae"] = float(np.mean(means)) if means else nan
    found["rmse_present"] = rmse(y[y > 0], p[y > 0])
    return found


def level_of(values: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """Sort scores into `LEVELS`."""
    return np.searchsorted(_EDGES, np.asarray(values, dtype=np.float64), side="right")


def confusion(labels: npt.ArrayLike, scores: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Count frames by the level of the label (rows) and of the score (columns), (6, 6)."""
    y, p = _pair(labels, scores)
    found = np.zeros((len(LEVELS), len(LEVELS)), dtype=np.int64)
    np.add.at(found, (level_of(y), level_of(p)), 1)
    return found


def by_subject(
    subjects: Sequence[str], labels: npt.ArrayLike, scores: npt.ArrayLike
) -> dict[str, dict[str, float]]:
    """Return `rmse` and `pcc` of each subject's frames; NaN for constant labels."""
    y, p = _pair(labels, scores)
    names = np.asarray(subjects)
    return {
        str(name): {
            "rmse": rmse(y[names == name], p[names == name]),
            "pcc": pcc(y[names == name], p[names == name]),
        }
        for name in np.unique(names)
    }


def _pair(labels: npt.ArrayLike, scores: npt.ArrayLike) -> tuple[Floats, Floats]:
    y, p = np.asarray(labels, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    if y.shape != p.shape or y.ndim != 1:
        raise InputError(f"labels and scores must be of equal length, got {y.shape} and {p.shape}")
    return y, p
