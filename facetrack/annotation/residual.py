"""What a fit lacks at corrected frames, carried over to the frames between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from facetrack.annotation.offset import moved_by, residual_of
from facetrack.annotation.retrack import Outcome, Refit
from facetrack.tracking.track import Fits
from facetrack.video.frame import Frame

Points = npt.NDArray[np.float64]


def carry_residuals(
    model: Fits, look: Callable[[int], Frame], anchors: Mapping[int, Points], outcome: Outcome
) -> Outcome:
    """Move a stretch that was tracked anew so that it meets its anchors without a jump."""
    # The residual of a corrected frame is its landmarks minus the fit that starts from them, in the
    # reference frame, so that it turns and grows with the face. Between two corrected frames it is
    # interpolated linearly, outside of them held.
    if not outcome.refits:
        return outcome
    near = _neighbours(sorted(anchors), outcome.refits)
    residuals = {f: residual_of(model, look(f).grey, anchors[f]) for f in near}
    numbers = np.array(sorted(residuals))
    values = np.stack([residuals[f] for f in numbers.tolist()])
    moved = [_move(model, refit, numbers, values) for refit in outcome.refits]
    return replace(outcome, refits=moved)


def _neighbours(anchors: list[int], refits: list[Refit]) -> set[int]:
    """Choose the corrected frames next to the stretch or inside it."""
    first, last = refits[0].frame, refits[-1].frame
    inside = {a for a in anchors if first < a < last}
    before = [a for a in anchors if a < first][-1:]
    after = [a for a in anchors if a > last][:1]
    return inside | set(before) | set(after)


def _move(model: Fits, refit: Refit, numbers: npt.NDArray[np.int64], values: Points) -> Refit:
    place = int(np.searchsorted(numbers, refit.frame))
    left, right = max(place - 1, 0), min(place, len(numbers) - 1)
    apart = numbers[right] - numbers[left]
    share = (refit.frame - numbers[left]) / apart if apart else 0.0
    residual = (1 - share) * values[left] + share * values[right]
    return replace(refit, points=moved_by(model, refit.points, residual))
