# SPDX-License-Identifier: GPL-3.0-or-later
"""Annotating one video: what the gestures of the annotate view do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from facetrack.annotation.taught import completed
from facetrack.errors import FacetrackError, InputError
from facetrack.face import N_POINTS, Source
from facetrack_app.model.command import free_name
from facetrack_app.model.commands import Command, Correct, NewPerson, Retrack, Uncorrect
from facetrack_app.model.editing import Editor, Points, centred_face
from facetrack_app.model.effort import Effort
from facetrack_app.model.history import History
from facetrack_app.model.notice import Notice
from facetrack_app.services.analysing import Analysing, chosen_signals
from facetrack_app.services.background import Progress
from facetrack_app.services.judging import Judging
from facetrack_app.services.opening import Document
from facetrack_app.services.posting import Post
from facetrack_app.services.retracking import stretch_around
from facetrack_app.services.teaching import Teaching
from facetrack_app.services.video_tracking import NOTES, VideoTracking
from facetrack_app.services.viewing import Viewing

GRAB: Final = 12.0  # px of the screen around a point in which it can be grabbed


class Annotator(Viewing):
    """One open video whose faces are corrected, and the threads that work for it.

    Parameters
    ----------
    document : Document
    model : FaceModel
    post : Post
        Runs a function in this object's thread.

    Attributes
    ----------
    history : History
    effort : Effort
        Hands-on time.
    pending : (str, int) or None
        Kind and first frame of a range whose end is still to come.
    progressed : Notice
        A sentence on work in the background and its share, 0 to 1; empty when there is none.
    teaching : Teaching
        What follows a correction.
    tracking : VideoTracking
        What tracks the whole video.
    analysing : Analysing
        What computes the signals of it.
    judging : Judging
        What is decided about events.
    """

    def __init__(self, document: Document, model: Any, post: Post) -> None:
        super().__init__(document, post)
        self.model = model
        self.history = History(self.session)
        self.effort = Effort(float(self.session.setting("effort", 0.0)))
        self.pending: tuple[str, int] | None = None
        self.progressed: Notice[[str, float]] = Notice()
        self.teaching = Teaching(
            self.session, self.history, model, document.open, self._post, self.said,
            self.progressed,
        )  # fmt: skip
        self.tracking = VideoTracking(
            self.session, document.source, model, self._post, self._take_tracked, self.said
        )
        self.analysing = Analysing(
            self.session, chosen_signals(self.session), model.shape_model, document.size,
            document.open, self._post, self.said, document.size_of,
        )  # fmt: skip

        self.judging = Judging(self.session, self.run, self.changed)

    @property
    def notes(self) -> list[str]:
        """What is to be known of this video: another model, another place, what its file lacks."""
        return [*self.document.notes, *self.session.setting(NOTES, [])]

    def start(self) -> None:
        """Show the first frame, track, and take up what was interrupted."""
        for changed in (self.session.changed, self.analysing.changed):
            changed.connect(lambda *tables: self.judging.follow(self.person))
        self.session.changed.connect(lambda tables: self.reload())
        self.session.changed.connect(lambda tables: self._analyse())
        self.analysing.changed.connect(self.changed)
        self.show(self.playback.frame)
        self.tracking.begin()
        self._analyse()
        self.teaching.resume()

    def close(self) -> None:
        """Save, end all threads and let go of the session."""
        self._open = False
        self.teaching.close()
        self.tracking.close()
        self.analysing.close()
        try:
            with self.session.store.transaction():
                for name, value in self._kept().items():
                    self.session.put_setting(name, value)
        except FacetrackError as error:
            self.said(str(error), True)
        super().close()

    def _kept(self) -> dict[str, float]:
        """Where the person is, and for how long they worked: saved with every step."""
        return {"frame": self.playback.frame, "effort": self.effort.seconds}

    # Corrections

    def run(self, command: Command) -> int | None:
        """Do a command; what does not work is said. Returns the step's number."""
        self.effort.gesture(time.monotonic())
        try:
            return self.history.run(command, self._kept())
        except FacetrackError as error:
            self.said(str(error), True)
            self.reload()
            return None

    def release(self) -> None:
        """Let go of what is held; what moved is a correction."""
        if self.editor is not None and self.editor.holding:
            if self.editor.release():
                self.correct()
            self._show_newest()

    def correct(self) -> None:
        """Make what the editor holds a correction; learn from it and track anew around it."""
        if self.editor is None or self.person is None:
            return
        before, frame = self.view(self.person).points, self.shown
        step = self.run(Correct.of(self.person, frame, self.editor.correction()))
        if step is None:
            return
        self._before = (self.person, frame, before) if before is not None else None
        self.changed()
        if frame >= self.session.tracked:
            self.said(f"kept; frame {frame + 1} is not tracked yet, nor are its neighbours", False)
        if self.session.stills:
            self.said("kept; R and ] fit other pictures anew with what it teaches", False)
        self.teaching.learn(step, self.person, *stretch_around(self.session, self.person, frame))

    def uncorrect(self) -> None:
        """Remove the correction of the frame that is shown; the others are learned anew."""
        if self.person is None:
            return
        step = self.run(Uncorrect(self.person, self.shown))
        if step is not None:
            around = stretch_around(self.session, self.person, self.shown)
            if not self.teaching.learn(step, self.person, *around):
                self.said("removed; its neighbours stay as they are, Ctrl+Z takes all back", False)

    def place(self, points: Points) -> None:
        """Put a whole shape into the frame that is shown, as a correction."""
        if self.person is None:
            self.said("nobody is chosen; choose a person first", True)
            return
        if self.editor is None:
            absent = np.full(N_POINTS, Source.ABSENT, dtype=np.uint8)
            self.editor = Editor.of(np.full((N_POINTS, 2), np.nan), absent)
        self.editor.place_shape(points)
        self.correct()

    def new_person(self) -> None:
        """Begin a person whom the tracker did not find: the mean face, to be dragged into place.

        It teaches nothing until a person has moved it.
        """
        if self.run(NewPerson(free_name(self.session))) is None:
            return
        person = min(self.session.people)
        points = centred_face(self.model.shape_model.mean, self.document.size)
        source = [int(Source.INTERPOLATED)] * N_POINTS
        self.run(Correct(person, self.shown, points.tolist(), source))
        self.choose(person)

    def toggle_absent(self) -> bool:
        """Say that the selected point is absent, or, if it is, bring it back where it should be.

        Returns
        -------
        bool
            Whether a point is selected.
        """
        if self.editor is None or self.person is None or self.editor.selected is None:
            return False
        if not self.editor.mark_absent():
            whole = completed(self.model.shape_model, self.editor.correction())
            if whole is not None:
                self.editor.bring_back(whole)
        self.correct()
        return True

    def fit_here(self) -> None:
        """Fit the model from the points as they stand, and take the result as a correction."""
        if self.editor is None or self.frame is None:
            return
        if self.session.stills and self._fit_taught():
            return
        start = completed(self.model.shape_model, self.editor.correction())
        try:
            if start is None:
                raise InputError("fewer than half of the points have a place")
            fit = self.model.fit(self.frame.grey, start)
        except InputError as error:
            self.said(f"the model cannot fit here: {error}", True)
            return
        self.place(fit.points)

    def _fit_taught(self) -> bool:
        """Fit a picture's face with what corrections of others taught; returns whether any did."""
        if self.person is None or self.session.summary(self.person).corrected[self.shown]:
            return False
        if not self.session.teaches(self.person):
            return False
        step = self.run(Retrack(self.person, self.shown, self.shown + 1))
        return step is not None and self.teaching.learn(
            step, self.person, self.shown, self.shown + 1
        )

    def track(self, direction: int) -> None:
        """Track anew from the frame that is shown, on (1) or back (-1), to the next correction."""
        if self.person is None:
            return
        if not self.session.summary(self.person).corrected[self.shown]:
            self.said("correct or accept (Return) this frame first: tracking starts from it", True)
            return
        start, stop = stretch_around(self.session, self.person, self.shown)
        if self.session.stills:
            start, stop = 0, self.session.tracked
        start, stop = (self.shown + 1, stop) if direction > 0 else (start, self.shown)
        if start >= stop:
            self.said("there is nothing to track on this side", False)
            return
        step = self.run(Retrack(self.person, start, stop))
        if step is not None:
            self.teaching.learn(step, self.person, start, stop)

    def undo(self) -> None:
        """Take the last step back; what is being tracked anew for it is given up."""
        self._turn(self.history.undo, "undone")

    def redo(self) -> None:
        """Do again what was undone last."""
        self._turn(self.history.redo, "done again")

    def _turn(self, turn: Callable[[], str | None], word: str) -> None:
        self._before = None
        self.effort.gesture(time.monotonic())
        try:
            title = turn()
        except FacetrackError as error:
            self.said(str(error), True)
            return
        self.teaching.turned()
        self.said(f"{word}: {title}" if title else "there is nothing more", False)

    def stop(self) -> bool:
        """Stop tracking anew; returns whether anything was going on."""
        return self.teaching.stop()

    # What comes from the background

    def want_signals(self, names: tuple[str, ...]) -> None:
        """Compute signals besides those that are computed, if they are not among them."""
        if self.analysing.want(names):
            self._analyse()

    def _analyse(self) -> None:
        self.analysing.wake(more=self.tracking.running)

    def _take_tracked(self, progress: Progress) -> None:
        self._analyse()
        if self.person is None:
            self.person = self._first_person()
        left = "" if progress.finished else progress.time_left
        self.progressed(left and f"tracking, {left}", progress.done / max(progress.total, 1))
        if progress.start <= self.shown < progress.done or self.editor is None:
            self.reload()
        else:
            self.changed()
        if progress.finished:
            self.teaching.resume()
