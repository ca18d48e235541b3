"""Fitting pictures anew with what corrections of others taught: each from where its face lies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import nan

import numpy as np
import numpy.typing as npt

from facetrack.annotation.retrack import STOPPED, Looker, Outcome, Refit
from facetrack.tracking.track import WELL_FITTED, Fits, is_plausible

Points = npt.NDArray[np.float64]


def refit_stills(
    model: Fits,
    look: Looker,
    starts: Mapping[int, Points],
    *,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Outcome:
    """Fit the face of every picture anew from where it lies; fits that are no good are left out."""
    refits: list[Refit] = []
    for done, (number, points) in enumerate(sorted(starts.items())):
        if stop():
            return Outcome(refits, STOPPED, done)
        fit = model.fit(look(number).grey, points)
        progress(done + 1, len(starts))
        if is_plausible(fit, model.shape_model) and fit.quality >= WELL_FITTED:
            refits.append(Refit(number, fit.points, fit.quality, nan, fit.confidence))
    return Outcome(refits, "", len(starts))
