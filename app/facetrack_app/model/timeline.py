# SPDX-License-Identifier: GPL-3.0-or-later
"""The timeline's layers as columns of pixels, for videos of any length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack_app.model.look import Span
from facetrack_app.model.rows import Kind
from facetrack_app.model.summary import Mask, Summary, columns

Columns = npt.NDArray[np.bool_]
_STEPS: Final = (
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0,
    1800.0, 3600.0,
)  # fmt: skip
_EPS: Final = 1e-6  # seconds: rounding


@dataclass(frozen=True, slots=True)
class Layers:
    """What the timeline shows: whether a column of pixels, (width,), holds such a frame."""

    human: Columns
    learned: Columns
    plain: Columns
    doubtful: Columns
    excluded: Columns
    events: Columns
    trust: npt.NDArray[np.float32]  # the least in a column; NaN where there is none


def layers(
    summary: Summary, spans: Sequence[Span], excluded: Mask, first: int, stop: int, width: int
) -> Layers:
    """Reduce the frames that are shown to columns of pixels."""
    events = np.zeros(len(summary.kind), dtype=np.bool_)
    for span in spans:
        if span.kind == "event":
            events[span.start : span.stop] = True
    kind = summary.kind
    plain = (kind == Kind.PLAIN) | (kind == Kind.IMPORTED)
    masks = (summary.corrected, kind == Kind.LEARNED, plain, summary.doubtful, excluded, events)
    bits = np.zeros(len(kind), dtype=np.uint8)  # of each frame, one for each mask
    for place, mask in enumerate(masks):
        bits |= mask.view(np.uint8) << place
    said = np.asarray(columns(bits, first, stop, width, np.bitwise_or.reduceat), dtype=np.uint8)
    trust = columns(summary.trust, first, stop, width, np.fmin.reduceat)
    human, learned, tracked, doubtful, left_out, marked = (
        np.asarray(said & (1 << place), dtype=np.bool_) for place in range(len(masks))
    )
    return Layers(
        human, learned, tracked, doubtful, left_out, marked, np.asarray(trust, dtype=np.float32)
    )


def time_ticks(
    times: npt.NDArray[np.float64], zero: int, first: int, stop: int, most: int
) -> list[tuple[int, str]]:
    """Choose round moments for the axis of time."""
    if first >= len(times):
        return []
    shown = times[first:stop] - times[min(zero, len(times) - 1)]
    begin, end = float(shown[0]), float(shown[-1])
    step = next((s for s in _STEPS if (end - begin) / s <= max(most, 1)), _STEPS[-1])
    numbers = np.arange(np.ceil(begin / step - _EPS), np.floor(end / step + _EPS) + 1)
    frames = np.minimum(np.searchsorted(shown, numbers * step - _EPS), len(shown) - 1) + first
    minutes = max(-begin, end) >= 60
    return [
        (frame, _moment(number * step, step, minutes=minutes))
        for frame, number in zip(frames.tolist(), numbers.tolist(), strict=True)
    ]


def _moment(seconds: float, step: float, *, minutes: bool) -> str:
    digits = 2 if step < 0.1 else int(step < 1)
    sign, rest = "-" if seconds < -_EPS else "", abs(seconds)
    if not minutes:
        return f"{sign}{rest:.{digits}f} s"
    whole = int((rest + _EPS) // 60)
    return f"{sign}{whole}:{rest - 60 * whole:0{2 + (digits + 1 if digits else 0)}.{digits}f}"


def runs(mask: Columns) -> list[tuple[int, int]]:
    """Find the runs of true columns: (first, first that no longer is)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def lanes(spans: Sequence[tuple[float, float]], most: int) -> list[int]:
    """Put spans that overlap below each other."""
    free = [-np.inf] * most
    found = []
    for start, stop in spans:
        lane = next((i for i, until in enumerate(free) if until <= start), most - 1)
        free[lane] = max(free[lane], stop)
        found.append(lane)
    return found
