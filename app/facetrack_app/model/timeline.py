# SPDX-License-Identifier: GPL-3.0-or-later
"""The timeline's layers as columns of pixels, for videos of any length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facetrack_app.model.look import Span
from facetrack_app.model.rows import Kind
from facetrack_app.model.summary import Mask, Summary, columns

Columns = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Layers:
    """What the timeline shows, one value for each column of pixels.

    Attributes
    ----------
    human, learned, plain, doubtful, excluded, events : ndarray, shape (width,), bool
        Whether a column holds such a frame.
    trust : ndarray, shape (width,), float32
        The least trust of the column's frames; NaN where there is none.
    """

    human: Columns
    learned: Columns
    plain: Columns
    doubtful: Columns
    excluded: Columns
    events: Columns
    trust: npt.NDArray[np.float32]


def layers(
    summary: Summary, spans: Sequence[Span], excluded: Mask, first: int, stop: int, width: int
) -> Layers:
    """Reduce the frames that are shown to columns of pixels.

    Parameters
    ----------
    summary : Summary
        The person's.
    spans : sequence of Span
    excluded : ndarray, shape (n,), bool
    first, stop : int
        Frames that are shown, up to but without the second.
    width : int
        Columns of pixels.

    Returns
    -------
    Layers
    """

    def any_of(mask: npt.NDArray[np.generic]) -> Columns:
        return np.asarray(columns(mask, first, stop, width, np.logical_or.reduceat), dtype=np.bool_)

    events = np.zeros(len(summary.kind), dtype=np.bool_)
    for span in spans:
        if span.kind == "event":
            events[span.start : span.stop] = True
    kind = summary.kind
    plain = (kind == Kind.PLAIN) | (kind == Kind.IMPORTED)
    trust = columns(summary.trust, first, stop, width, np.fmin.reduceat)
    return Layers(
        any_of(summary.corrected),
        any_of(kind == Kind.LEARNED),
        any_of(plain),
        any_of(summary.doubtful),
        any_of(excluded),
        any_of(events),
        np.asarray(trust, dtype=np.float32),
    )


def runs(mask: Columns) -> list[tuple[int, int]]:
    """Find the runs of true columns: (first, first that no longer is)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def lanes(spans: Sequence[tuple[float, float]], most: int) -> list[int]:
    """Put spans that overlap below each other.

    Parameters
    ----------
    spans : sequence of (float, float)
        By their starts.
    most : int
        How many lanes there are; what finds no free one comes into the last.

    Returns
    -------
    list of int
        The lane of each, from 0.
    """
    free = [-np.inf] * most
    found = []
    for start, stop in spans:
        lane = next((i for i, until in enumerate(free) if until <= start), most - 1)
        free[lane] = max(free[lane], stop)
        found.append(lane)
    return found
