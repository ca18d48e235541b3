# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows a correction: learning, tracking anew, and the result as part of the same step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from facetrack.annotation.retrack import STOPPED, Outcome
from facetrack.errors import FacetrackError
from facetrack.video.seeking import SeekableVideo
from facetrack_app.model.commands import Correct, Retrack
from facetrack_app.model.history import History
from facetrack_app.model.notice import Notice, Voice
from facetrack_app.model.session import Session
from facetrack_app.model.wording import counted
from facetrack_app.services.posting import Post
from facetrack_app.services.retracking import (
    Job,
    Retracking,
    Stretch,
    changes_of,
    starts_reader,
    stretch_around,
)


class Teaching:
    """Learns from a person's corrections and tracks stretches anew, for one session.

    A correction made while a stretch is being tracked goes first: it may change what is learned.
    What it leaves over of the other stretch is tracked afterwards.

    Parameters
    ----------
    session : Session
    history : History
    model : FaceModel
    open_it : callable
        Opens the video, in the tracking thread.
    post : Post
    said, progressed : Notice
        As the annotator's.
    """

    def __init__(
        self,
        session: Session,
        history: History,
        model: Any,
        open_it: Callable[[], SeekableVideo],
        post: Post,
        said: Voice,
        progressed: Notice[[str, float]],
    ) -> None:
        self._session, self._history, self._post = session, history, post
        self._said, self._progressed = said, progressed
        self._job: Job | None = None  # tracked anew now, or found and not yet taken over
        self._owed: list[Stretch] = []
        self._retracking = Retracking(model, open_it, self._finished, self._failed, self._progress)

    @property
    def busy(self) -> bool:
        """Whether a stretch is being tracked anew, or was and is not yet taken over."""
        return self._job is not None

    def learn(self, step: int, person: int, start: int, stop: int) -> bool:
        """Learn all corrections of a person anew, then track a stretch for a step.

        Returns
        -------
        bool
            Whether there is anything to learn from and to track.
        """
        if start >= stop or not self._session.teaches(person):
            return False
        stretch = Stretch(step, person, start, stop)
        if self._job is not None:
            waiting = (*self._owed, self._job.stretch)
            self._owed = [part for owed in waiting for part in owed.without(stretch)]
        starts = starts_reader(self._session, person, start, stop)
        self._job = Job(*stretch, self._session.corrections_reader(person), starts)
        self._retracking.request(self._job)
        self._progressed("learning (Esc stops)", 0.0)
        return True

    def resume(self) -> None:
        """Take up the last step, if closing the window or an undo has kept its stretch from it."""
        last = self._history.last_step
        if self.busy or last is None or not self._history.can_amend(last):
            return
        step = self._history.steps(last)[0]
        command = step.command
        if step.retracks:
            return
        if isinstance(command, Correct):
            frames = stretch_around(self._session, command.person, command.frame)
            self.learn(last, command.person, *frames)
        elif isinstance(command, Retrack):
            self.learn(last, command.person, command.start, command.stop)

    def stop(self) -> bool:
        """Stop what is being tracked and keep what was found; returns whether anything was."""
        self._owed.clear()
        self._retracking.stop()
        return self.busy

    def turned(self) -> None:
        """Take notice of an undo or a redo: what belonged to a step that is undone is given up."""
        self._owed = [owed for owed in self._owed if self._history.is_done(owed.step)]
        if self._job is not None and not self._history.is_done(self._job.step):
            self._retracking.stop()
            self._job = None
            self._progressed("", 0.0)
            self._go_on()
        self.resume()

    def close(self) -> None:
        """End the thread."""
        self._retracking.close()

    def _go_on(self) -> None:
        """Track what a newer correction has left over, for its step or else for the last one."""
        while self._owed and not self.busy:
            owed = self._owed.pop(0)
            for step in (owed.step, self._history.last_step):
                if step is not None and self._history.can_amend(step):
                    self.learn(step, owed.person, owed.start, owed.stop)
                    break

    def _finished(self, job: Job, outcome: Outcome) -> None:
        self._post(lambda: self._take(job, outcome))

    def _failed(self, job: Job, message: str) -> None:
        self._post(lambda: self._give_up(job, message))

    def _progress(self, done: int, total: int) -> None:
        if done % 8 == 0:
            self._post(lambda: self._show(done / total))

    def _show(self, share: float) -> None:
        if self.busy:
            self._progressed("tracking anew (Esc stops)", share)

    def _take(self, job: Job, outcome: Outcome) -> None:
        if job is not self._job:  # undone or interrupted meanwhile
            return
        self._job = None
        self._progressed("", 0.0)
        stopped = outcome.reason == STOPPED
        try:
            changes, found = changes_of(self._session, job, outcome)
            kept = self._history.amend(job.step, changes, found)
        except FacetrackError as error:
            self._said(str(error), True, "learn")
            return
        if kept:
            why = "you stopped it" if stopped else outcome.reason
            done = f"{counted(found.frames, 'frame')} tracked anew"
            self._said(done + (f"; {why}" if why else ""), False, "learn")
        elif not stopped:  # people were merged or split meanwhile: track on with who they are now
            self._owed.insert(0, job.stretch)
        self._go_on()

    def _give_up(self, job: Job, message: str) -> None:
        if job is self._job:
            self._job = None
            self._owed.clear()
            self._progressed("", 0.0)
            self._said(message, True, "learn")
