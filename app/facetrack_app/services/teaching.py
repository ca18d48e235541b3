# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows a correction: learning, tracking anew, and the result as part of the same step."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from facetrack.annotation.corrections import Correction
from facetrack.annotation.retrack import STOPPED, Outcome
from facetrack.errors import FacetrackError
from facetrack_app.model.corrected import corrections_after
from facetrack_app.model.history import History
from facetrack_app.model.observable import Observable, Voice
from facetrack_app.model.owed import Debt, Stretch
from facetrack_app.model.parts import back_to
from facetrack_app.model.wording import counted
from facetrack_app.services.opening import Document
from facetrack_app.services.posting import Post
from facetrack_app.services.retracking import (
    Job,
    Retracking,
    rows_of,
    starts_reader,
    stretch_around,
    that_count,
)


class Teaching:
    """Learns from a person's corrections and tracks stretches anew, for one session.

    The newest correction goes first. What is seen of earlier stretches follows, each learned from
    what was said by then: all is in the end as if every gesture had waited for the one before.
    """

    def __init__(
        self,
        document: Document,
        history: History,
        model: Any,
        post: Post,
        more: Callable[[], bool],
        said: Voice,
        progressed: Observable[[str, float]],
    ) -> None:
        self._session, self._history, self._post = document.session, history, post
        self._more, self._said, self._progressed = more, said, progressed
        self._job: tuple[Job, Debt] | None = None  # tracked anew now, or not yet taken over
        self._trouble = False  # not to be run into again before the next gesture
        self._retracking = Retracking(
            model, document.open, lambda *found: post(lambda: self._take(*found)),
            lambda *why: post(lambda: self._give_up(*why)), self._progress,
        )  # fmt: skip

    @property
    def busy(self) -> bool:
        """Whether a stretch is being tracked anew, or was and is not yet taken over."""
        return self._job is not None

    def stretch(
        self, person: int, frame: int, correction: Correction | None = None
    ) -> Stretch | None:
        """Choose what is tracked anew once a frame is corrected, or not corrected any more."""
        new = correction is not None and bool(correction.vouched.any())
        if not new and not self._session.teaches(person, besides=frame):
            return None
        stretch = stretch_around(self._session, person, frame)
        if correction is None:
            stretch = stretch._replace(at=None)
        return stretch if stretch.start < stretch.stop else None

    def begin(self) -> None:
        """Track anew what the newest step asks for, before all else."""
        self._trouble = False
        debt = self._history.owed.next(self._session.tracked, more=self._more())
        if debt is None or (self._job is not None and self._job[1] == debt):
            return
        path, (person, start, stop, _) = self._session.store.path, debt.stretch
        count = functools.partial(that_count, start=start, stop=stop)
        said = functools.partial(corrections_after, path, debt.step, person, count)
        starts = starts_reader(self._session, debt.step, debt.stretch)
        self._job = Job(debt.step, debt.stretch, said, starts), debt
        self._retracking.request(self._job[0])
        self._progressed("learning (Esc stops)", 0.0)

    def resume(self) -> None:
        """Go on with what is owed, if nothing is being done."""
        if not self.busy and not self._trouble:
            self.begin()

    def stop(self) -> bool:
        """Stop what is being tracked and keep what was found; returns whether anything was."""
        try:
            self._history.owed.give_up(self._job[1] if self._job is not None else None)
        except FacetrackError as error:
            self._said(str(error), True, "learn")
        self._retracking.stop()
        return self.busy

    def turned(self) -> None:
        """Take notice of who is deleted, an undo or a redo: what is not wanted any more waits."""
        job = self._job[0] if self._job is not None else None
        if job is not None and not self._history.owed.wants(job.step, job.stretch.person):
            self._retracking.stop()
            self._job = None
            self._progressed("", 0.0)
        self._trouble = False
        self.resume()

    def close(self) -> None:
        """End the thread."""
        self._retracking.close()

    def _progress(self, done: int, total: int) -> None:
        if done % 8 == 0:
            self._post(lambda: self._show(done / total))

    def _show(self, share: float) -> None:
        if self.busy:
            self._progressed("tracking (Esc stops)", share)

    def _take(self, job: Job, outcome: Outcome) -> None:
        if self._job is None or job is not self._job[0]:  # undone or interrupted meanwhile
            return
        debt = self._job[1]
        self._job = None
        self._progressed("", 0.0)
        stopped = outcome.reason == STOPPED
        try:
            then = self._session.after(back_to(self._session.store, job.step))
            rows, found = rows_of(then, job, outcome)
            free = ~then.summary(job.stretch.person).corrected[job.stretch.start : job.stretch.stop]
            whole = stopped or found.frames == np.count_nonzero(free)
            self._history.amend(job.step, rows, found, debt, whole=whole)
        except FacetrackError as error:
            self._trouble = True
            self._said(str(error), True, "learn")
            return
        why = "you stopped it" if stopped else outcome.reason
        done = f"{counted(found.frames, 'frame')} tracked anew"
        self._said(done + (f"; {why}" if why else ""), False, "learn")
        self.resume()

    def _give_up(self, job: Job, message: str) -> None:
        if self._job is not None and job is self._job[0]:
            self._job, self._trouble = None, True
            self._progressed("", 0.0)
            self._said(message, True, "learn")
