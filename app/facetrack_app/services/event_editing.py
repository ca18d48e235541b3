# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person does to a line of the list of events: each is one step of the history."""

from __future__ import annotations

import numpy as np

from facetrack_app.model.commands import ChangeSpan, RemoveSpan
from facetrack_app.model.event_list import Line
from facetrack_app.model.judged import Decision, Judged
from facetrack_app.services.annotator import Annotator

_ROUNDING = 5e-3  # seconds: the list shows hundredths


class EventEditing:
    """Changes events and marks of an open video."""

    def __init__(self, annotator: Annotator) -> None:
        self._annotator, self._judging = annotator, annotator.judging

    def accept(self, line: Line) -> None:
        """Say that an event is right; a mark is the person's own anyway."""
        if isinstance(line.what, Judged) and line.source == "machine":
            self._judging.accept(line.what)

    def remove(self, line: Line) -> None:
        """Reject what the program found; delete what the person made."""
        if isinstance(line.what, Judged):
            if line.what.decision != Decision.REJECTED:
                self._judging.reject(line.what)
        else:
            self._annotator.run(RemoveSpan(line.what.id))

    def rename(self, line: Line, name: str) -> None:
        """Say what it is."""
        name = name.strip()
        if not name or name == line.name:
            return
        if isinstance(line.what, Judged):
            self._judging.rename(line.what, name)
        else:
            self._annotator.run(ChangeSpan(line.what.id, line.first, line.last + 1, name))

    def move(self, line: Line, *, start: float | None = None, stop: float | None = None) -> None:
        """Say when it begins or ends, in seconds from time zero; the nearest frame counts."""
        first, last = line.first, line.last
        mark = not isinstance(line.what, Judged)
        if start is not None:
            first = self._frame(start)
        if stop is not None:  # a mark ends where its last frame does
            last = self._frame(stop, before=mark)
        if first > last:
            self._annotator.said("an event ends after it begins", True)
        elif (first, last) == (line.first, line.last):
            return
        elif isinstance(line.what, Judged):
            self._judging.move(line.what, first, last)
        else:
            self._annotator.run(ChangeSpan(line.what.id, first, last + 1, line.name))

    def _frame(self, seconds: float, *, before: bool = False) -> int:
        """Find the frame nearest to a moment; `before`: the last one that begins before it."""
        session = self._annotator.session
        times = session.times() - session.times()[min(session.time_zero, len(session.times()) - 1)]
        if before:
            return max(int(np.searchsorted(times, seconds - _ROUNDING)) - 1, 0)
        return int(np.abs(times - seconds).argmin())
