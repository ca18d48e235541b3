# SPDX-License-Identifier: GPL-3.0-or-later
"""Where to look next: doubtful stretches, corrected frames and the worst frames of a person."""

from __future__ import annotations

from typing import Final

import numpy as np

from facetrack_app.model.rows import Kind
from facetrack_app.model.session import Session
from facetrack_app.model.summary import next_stretch, next_true

_APART: Final = 1.0  # seconds between two of the worst frames


def next_doubtful(
    session: Session, person: int | None, frame: int, *, back: bool = False
) -> int | None:
    """Find the next stretch that is doubtful and not excluded."""
    if person is None:
        return None
    return next_stretch(session.summary(person).doubtful & ~session.excluded(), frame, back=back)


def next_corrected(
    session: Session, person: int | None, frame: int, *, back: bool = False
) -> int | None:
    """Find the next corrected frame; see `next_doubtful`."""
    if person is None:
        return None
    return next_true(session.summary(person).corrected, frame, back=back)


class Worst:
    """Goes through a person's frames, the least trusted first, corrected ones left out.

    The trust of a frame is the confidence of its points; where it was tracked from corrections on
    both sides, it falls with the disagreement of the two.
    """

    def __init__(self) -> None:
        self.frame: int | None = None  # where to look now; None: nowhere
        self._person: int | None = None
        self._seen: list[int] = []

    def next(self, session: Session, person: int | None) -> str:
        """Find the next one, a second apart from all before; after the last one, begin anew."""
        if person != self._person:
            self._person, self._seen = person, []
        self.frame, begun = self._find(session), bool(self._seen)
        again = self.frame is None and begun
        if again:
            self._seen = []
            self.frame = self._find(session)
        if self.frame is None or person is None:
            return "there is no such frame: none is tracked, or all are corrected or left out"
        self._seen.append(self.frame)
        summary = session.summary(person)
        lost = summary.kind[self.frame] == Kind.LOST
        what = "lost" if lost else f"trust {summary.trust[self.frame]:.2f}"
        words = f"worst frame no. {len(self._seen)}: {what}"
        return f"these were all, the worst one again; {words}" if again else words

    def _find(self, session: Session) -> int | None:
        if self._person is None:
            return None
        summary, times = session.summary(self._person), session.times()
        trust = np.where(summary.kind == Kind.LOST, -1.0, summary.trust)
        trust[(summary.kind == Kind.NOTHING) | summary.corrected | session.excluded()] = np.inf
        trust[len(times) :] = np.inf
        for frame in self._seen:
            first = np.searchsorted(times, times[frame] - _APART, side="right")
            trust[first : np.searchsorted(times, times[frame] + _APART)] = np.inf
        trust[np.isnan(trust)] = 0.0
        worst = int(trust.argmin()) if len(trust) else 0
        return worst if len(trust) and np.isfinite(trust[worst]) else None
