"""Landmark errors and what is said of many of them (method.md, 5.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.landmarks.markup import outer_eye_distance, pupil_distance, to_markup

LIMIT = 0.08
OUTER_EYES: Final = "outer eye corners"
# The distances by which errors are divided, by the names that people read.
NORMALISATIONS: Final[Mapping[str, Callable[[npt.ArrayLike], npt.NDArray[np.float64]]]] = {
    OUTER_EYES: outer_eye_distance,
    "pupils": pupil_distance,
}


@dataclass(frozen=True, slots=True)
class ErrorSummary:
    """What many errors amount to; names and units are those of the JSON reports.

    Attributes
    ----------
    n : int
        Number of faces.
    found : float
        Share of faces with a prediction, 0 to 1.
    mean, median : float
        Error of the found faces, % of the outer-eye distance; NaN when none was found.
    auc08 : float
        Area under the cumulative error curve up to 8 %, 0 to 1; faces not found count.
    over08 : float
        Share of faces over 8 % or not found, 0 to 1.
    """

    n: int
    found: float
    mean: float
    median: float
    auc08: float
    over08: float


def complete(points: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return which shapes have only finite coordinates.

    Parameters
    ----------
    points : array_like, shape (n, k, 2)
        Landmarks; NaN or inf where nothing was found.

    Returns
    -------
    ndarray, shape (n,), bool
    """
    return np.asarray(np.isfinite(np.asarray(points, dtype=np.float64)).all(axis=(1, 2)))


def point_errors(
    points: npt.ArrayLike, truth: npt.ArrayLike, by: str = OUTER_EYES
) -> npt.NDArray[np.float64]:
    """Measure the error of every point of every face.

    Parameters
    ----------
    points : array_like, shape (n, 68, 2)
        Predicted landmarks in pixels; NaN or inf where nothing was found.
    truth : array_like, shape (n, 68, 2)
        True landmarks in pixels of the same images.
    by : str
        One of `NORMALISATIONS`.

    Returns
    -------
    ndarray, shape (n, 68), float64
        Distances as fractions of that distance of the true face; inf for all points of a face that
        has a coordinate which is not finite.

    Raises
    ------
    InputError
        If the shapes differ, or a true shape is not finite or has no such distance, or there is no
        such normalisation.
    """
    p, t = np.asarray(points, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if p.shape != t.shape or p.ndim != 3 or p.shape[1:] != (68, 2):
        raise InputError(f"points and truth must both be (n, 68, 2), got {p.shape} and {t.shape}")
    if by not in NORMALISATIONS:
        raise InputError(f"errors are divided by {', '.join(NORMALISATIONS)}, got {by!r}")
    eyes = NORMALISATIONS[by](t)
    wrong = np.flatnonzero(~(complete(t) & (eyes > 0)))
    if len(wrong):
        raise InputError(
            f"the truth of face {wrong[0]} (from 0) is not finite or its {by} coincide"
        )
    missing = np.flatnonzero(~complete(p))
    p = p.copy()
    p[missing] = t[missing]
    distances = np.linalg.norm(p - t, axis=2)
    errors: npt.NDArray[np.float64] = distances / eyes[:, None]
    errors[missing] = np.inf
    return errors


def normalised_errors(
    points: npt.ArrayLike, truth: npt.ArrayLike, markup: int = 68
) -> npt.NDArray[np.float64]:
    """Measure the mean point-to-point error of every face.

    Parameters
    ----------
    points : array_like, shape (n, 68, 2)
        Predicted landmarks in pixels; NaN or inf where nothing was found.
    truth : array_like, shape (n, 68, 2)
        True landmarks in pixels of the same images.
    markup : {68, 66, 51, 49}
        The points that count; 51 drops the jaw, 49 also the inner mouth corners.

    Returns
    -------
    ndarray, shape (n,), float64
        Mean distance / true outer-eye distance `|p36 - p45|`; inf where nothing was found.

    Raises
    ------
    InputError
        If the shapes differ, the mark-up is unknown, or a true shape cannot normalise.
    """
    errors = point_errors(points, truth)
    chosen = to_markup(np.stack([errors, errors], axis=-1), markup)[..., 0]
    return np.asarray(chosen.mean(axis=-1), dtype=np.float64)


def auc(errors: npt.ArrayLike, limit: float = LIMIT) -> float:
    """Compute the area under the cumulative error curve, divided by the limit.

    Parameters
    ----------
    errors : array_like, shape (n,)
        Errors as fractions; inf or NaN is a failure.
    limit : float
        Where the curve ends, a fraction of the outer-eye distance.

    Returns
    -------
    float
        From 0 (all at or over the limit) to 1 (all perfect).

    Raises
    ------
    InputError
        If there is no error.

    Notes
    -----
    (1 / limit) times the integral of CED(x) from 0 to the limit equals the mean of
    max(0, 1 - error / limit), exactly (method.md, 5.3).
    """
    return float(np.maximum(0.0, 1.0 - _checked(errors) / limit).mean())


def failure_rate(errors: npt.ArrayLike, limit: float = LIMIT) -> float:
    """Compute the share of errors over a limit.

    Parameters
    ----------
    errors : array_like, shape (n,)
        Errors as fractions; inf or NaN is a failure.
    limit : float
        Largest error that still counts as a success.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    InputError
        If there is no error.
    """
    return float((_checked(errors) > limit).mean())


def summary(errors: npt.ArrayLike) -> ErrorSummary:
    """Sum up errors.

    Parameters
    ----------
    errors : array_like, shape (n,)
        Errors as fractions of the outer-eye distance; inf or NaN where nothing was found.

    Returns
    -------
    ErrorSummary

    Raises
    ------
    InputError
        If there is no error.
    """
    e = _checked(errors)
    found = e[np.isfinite(e)]
    return ErrorSummary(
        n=len(e),
        found=len(found) / len(e),
        mean=100 * float(found.mean()) if len(found) else float("nan"),
        median=100 * float(np.median(found)) if len(found) else float("nan"),
        auc08=auc(e),
        over08=failure_rate(e),
    )


def cumulative_curve(errors: npt.ArrayLike, grid: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Compute the cumulative error curve: the share of errors at or below each abscissa.

    Parameters
    ----------
    errors : array_like, shape (n,)
        Errors as fractions; inf or NaN is a failure.
    grid : array_like, shape (k,)
        Abscissae as fractions.

    Returns
    -------
    ndarray, shape (k,), float64
    """
    e = np.sort(_checked(errors))
    return np.searchsorted(e, np.asarray(grid, dtype=np.float64), side="right") / len(e)


def _checked(errors: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Make failures infinite; a mean over nothing is a mistake of the caller."""
    e = np.asarray(errors, dtype=np.float64).ravel()
    if not len(e):
        raise InputError("there is no face to evaluate")
    return np.where(np.isnan(e), np.inf, e)
