# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows a correction: learning, tracking anew, and the result as part of the same step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from facetrack.annotation.retrack import STOPPED, Outcome
from facetrack.errors import FacetrackError
from facetrack.video.seeking import SeekableVideo
from facetrack_app.model.history import History
from facetrack_app.model.notice import Notice
from facetrack_app.model.session import Session
from facetrack_app.services.posting import Post
from facetrack_app.services.retracking import Job, Retracking, changes_of


class Teaching:
    """Learns from a person's corrections and tracks stretches anew, for one session.

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
        said: Notice[[str, bool]],
        progressed: Notice[[str, float]],
    ) -> None:
        self._session, self._history, self._post = session, history, post
        self._said, self._progressed = said, progressed
        self._awaited: int | None = None  # the step whose stretch is being tracked anew
        self._retracking = Retracking(model, open_it, self._finished, self._progress, self._failed)

    @property
    def busy(self) -> bool:
        """Whether a stretch is being tracked anew, or was and is not yet taken over."""
        return self._awaited is not None

    def learn(self, step: int, person: int, start: int, stop: int) -> None:
        """Learn all corrections of a person anew, then track a stretch for a step."""
        corrections = self._session.corrections(person)
        if start < stop and corrections:
            self._awaited = step
            self._retracking.request(Job(step, person, start, stop, corrections))

    def stop(self) -> bool:
        """Stop what is being tracked; returns whether anything was."""
        return self._retracking.stop()

    def close(self) -> None:
        """End the thread."""
        self._retracking.close()

    def _finished(self, job: Job, outcome: Outcome) -> None:
        self._post(lambda: self._take(job, outcome))

    def _failed(self, message: str) -> None:
        self._post(lambda: self._give_up(message))

    def _progress(self, done: int, total: int) -> None:
        if done % 8 == 0:
            text = "learned; tracking anew (Esc stops)"
            self._post(lambda: self._progressed(text, done / total))

    def _take(self, job: Job, outcome: Outcome) -> None:
        self._progressed("", 0.0)
        self._awaited = None if self._awaited == job.step else self._awaited
        try:
            changes, found = changes_of(self._session, job, outcome)
            kept = self._history.amend(job.step, changes, found)
        except FacetrackError as error:
            self._said(str(error), True)
            return
        if kept:
            why = "you stopped it" if outcome.reason == STOPPED else outcome.reason
            self._said(f"{found.frames} frames tracked anew" + (f"; {why}" if why else ""), False)

    def _give_up(self, message: str) -> None:
        self._awaited = None
        self._progressed("", 0.0)
        self._said(message, True)
