# SPDX-License-Identifier: GPL-3.0-or-later
"""Annotating one video: what the gestures of the annotate view do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import FacetrackError, InputError
from facetrack.face import N_POINTS, Source
from facetrack.landmarks.markup import MARKUPS
from facetrack.video.frame import Frame
from facetrack_app.model.commands import Command, Correct, Retrack, Uncorrect
from facetrack_app.model.editing import Editor, Reach
from facetrack_app.model.effort import Effort
from facetrack_app.model.history import History
from facetrack_app.model.look import View
from facetrack_app.model.notice import Notice
from facetrack_app.model.playback import Playback
from facetrack_app.model.summary import Mask, Summary, next_stretch, next_true
from facetrack_app.services.background import BackgroundTracking, Progress
from facetrack_app.services.frames import FrameReader
from facetrack_app.services.opening import Document
from facetrack_app.services.posting import Post
from facetrack_app.services.retracking import stretch_around
from facetrack_app.services.teaching import Teaching

Points = npt.NDArray[np.float64]
GRAB: Final = 12.0  # px of the screen around a point in which it can be grabbed


class Annotator:
    """One open video with its session, and the threads that work for it.

    Parameters
    ----------
    document : Document
    model : FaceModel
    post : Post
        Runs a function in this object's thread.

    Attributes
    ----------
    changed : Notice
        Something that is shown has changed.
    said : Notice
        A sentence for the person, and whether it is about trouble.
    progressed : Notice
        A sentence on work in the background and its share, 0 to 1; empty when there is none.
    frame : Frame or None
        The picture that is shown.
    editor : Editor or None
        The chosen person's face in the frame that is shown.
    teaching : Teaching
        What follows a correction.
    ghost : ndarray or None
        The shape before the last correction of this frame.
    """

    def __init__(self, document: Document, model: Any, post: Post) -> None:
        self.document, self.session = document, document.session
        self.history = History(self.session)
        self.playback = Playback(self.session.n_frames, int(self.session.setting("frame", 0)))
        self.effort = Effort(float(self.session.setting("effort", 0.0)))
        self.changed: Notice[[]] = Notice()
        self.said: Notice[[str, bool]] = Notice()
        self.progressed: Notice[[str, float]] = Notice()
        self.frame: Frame | None = None
        self.editor: Editor | None = None
        self.ghost: Points | None = None
        self.markup = 68
        self.person = min(self.session.people, key=abs, default=None)
        self.model, self._post = model, post
        self._ghosts: dict[int, Points] = {}
        self._reader = FrameReader(document.open, self._frame_ready, self._trouble)
        self.teaching = Teaching(
            self.session, self.history, model, document.open, post, self.said, self.progressed
        )
        self._background = BackgroundTracking(
            self.session.store.path,
            document.source,
            model,
            self.session.n_frames,
            self._tracked,
            max_faces=int(self.session.setting("max_faces", 1)),
        )

    def start(self) -> None:
        """Show the first frame and begin to track."""
        if self.session.tracked < self.session.n_frames:
            self._background.start()
        self.session.changed.connect(lambda tables: self.reload())
        self.show(self.playback.frame)

    def close(self) -> None:
        """End all threads and let go of the session."""
        self.teaching.close()
        if self._background.running:
            self._background.stop()
        self._reader.close()
        with self.session.store.transaction():
            self.session.put_setting("frame", self.playback.frame)
            self.session.put_setting("effort", self.effort.seconds)
        self.session.close()

    # What is shown

    def show(self, index: int) -> None:
        """Go to a frame."""
        self.playback.go(index)
        self._reader.request(self.playback.frame)

    def choose(self, person: int | None) -> None:
        """Choose whose face is edited."""
        self.person = person
        self.reload()

    def view(self, person: int) -> View:
        """Look at a person in the frame that is shown."""
        return self.session.view(person, self.shown)

    @property
    def shown(self) -> int:
        """Number of the frame that is shown; that of the picture, not of the wish."""
        return self.playback.frame if self.frame is None else self.frame.index

    def reload(self) -> None:
        """Take the face up again from the session; a drag that goes on is not disturbed."""
        if self.editor is not None and self.editor.holding:
            return
        if self.person not in self.session.people:
            self.person = min(self.session.people, key=abs, default=None)
        selected = self.editor.selected if self.editor is not None else None
        reach = self.editor.reach if self.editor is not None else None
        view = View(None, None) if self.person is None else self.view(self.person)
        points, source = view.points, view.source
        self.editor = None
        if points is not None and source is not None:
            self.editor = Editor.of(points, source)
            self.editor.visible = MARKUPS[self.markup]
            self.editor.selected = selected
            self.editor.reach = reach or self.editor.reach
        self.ghost = self._ghosts.get(self.shown)
        self.changed()

    def grab(self, place: tuple[float, float], within: float, *, whole: bool) -> bool:
        """Take hold of the point under the pointer, of whoever it is; else let go of all.

        Returns
        -------
        bool
            Whether something changed that is shown.
        """
        if self.editor is not None:
            point = self.editor.nearest(place, within)
            if point is not None:
                self.editor.grab(point, place, Reach.SHAPE if whole else None)
                return True
        for person in self.session.people:
            points = self.view(person).points
            if person != self.person and points is not None:
                apart = np.linalg.norm(points - place, axis=1)
                if (apart <= within).any():
                    self.choose(person)
                    return True
        if self.editor is not None and self.editor.selected is not None:
            self.editor.selected = None
            return True
        return False

    # Corrections

    def run(self, command: Command) -> int | None:
        """Do a command; what does not work is said. Returns the step's number."""
        self.effort.gesture(time.monotonic())
        try:
            return self.history.run(command)
        except FacetrackError as error:
            self.said(str(error), True)
            self.reload()
            return None

    def correct(self) -> None:
        """Make what the editor holds a correction; learn from it and track anew around it."""
        if self.editor is None or self.person is None:
            return
        before = self.view(self.person).points
        frame = self.shown
        step = self.run(Correct.of(self.person, frame, self.editor.correction()))
        if step is None:
            return
        if before is not None:
            self._ghosts = {frame: before}
        self.ghost = self._ghosts.get(frame)
        self.teaching.learn(step, self.person, *stretch_around(self.session, self.person, frame))

    def uncorrect(self) -> None:
        """Remove the correction of the frame that is shown."""
        if self.person is not None:
            self.run(Uncorrect(self.person, self.shown))

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

    def fit_here(self) -> None:
        """Fit the model from the points as they stand, and take the result as a correction."""
        if self.editor is None or self.frame is None:
            return
        try:
            fit = self.model.fit(self.frame.grey, self.editor.points)
        except InputError as error:
            self.said(f"the model cannot fit here: {error}", True)
            return
        self.place(fit.points)

    def track(self, direction: int) -> None:
        """Track anew from the frame that is shown, on (1) or back (-1), to the next correction."""
        if self.person is None:
            return
        start, stop = stretch_around(self.session, self.person, self.shown)
        if direction > 0:
            start = self.shown + 1
        else:
            stop = self.shown
        if not self.session.corrections(self.person):
            self.said("correct a frame first: tracking anew starts from it", True)
        elif start < stop:
            step = self.run(Retrack(self.person, start, stop))
            if step is not None:
                self.teaching.learn(step, self.person, start, stop)

    def undo(self) -> None:
        """Take the last step back; what is being tracked anew is given up."""
        self._turn(self.history.undo, "undone")

    def redo(self) -> None:
        """Do again what was undone last."""
        self._turn(self.history.redo, "done again")

    def _turn(self, turn: Callable[[], str | None], word: str) -> None:
        self.teaching.stop()
        self._ghosts = {}
        self.effort.gesture(time.monotonic())
        try:
            title = turn()
        except FacetrackError as error:
            self.said(str(error), True)
        else:
            self.said(f"{word}: {title}" if title else "there is nothing more", False)

    def stop(self) -> bool:
        """Stop tracking anew; returns whether anything was going on."""
        return self.teaching.stop()

    # Where to go next

    def next_doubtful(self, *, back: bool = False) -> int | None:
        """Find the next doubtful stretch of the chosen person that is not excluded."""
        return self._next(lambda s: s.doubtful & ~self.session.excluded(), next_stretch, back)

    def next_corrected(self, *, back: bool = False) -> int | None:
        """Find the next corrected frame of the chosen person."""
        return self._next(lambda s: s.corrected, next_true, back)

    def _next(
        self, mask: Callable[[Summary], Mask], find: Callable[..., int | None], back: bool
    ) -> int | None:
        if self.person is None:
            return None
        return find(mask(self.session.summary(self.person)), self.playback.frame, back=back)

    # What comes from the threads

    def _frame_ready(self) -> None:
        self._post(self._show_newest)

    def _show_newest(self) -> None:
        frame = self._reader.frames.take(timeout=0)
        if frame is not None:
            self.frame = frame
            self.reload()

    def _tracked(self, progress: Progress) -> None:
        self._post(lambda: self._take_tracked(progress))

    def _take_tracked(self, progress: Progress) -> None:
        self.session.absorb_tracked(progress.start, progress.done)
        if self.person is None:
            self.person = min(self.session.people, key=abs, default=None)
        if progress.trouble:
            self.said(progress.trouble, True)
        left = "" if progress.finished else progress.time_left
        self.progressed(left and f"tracking, {left}", progress.done / max(progress.total, 1))
        if progress.start <= self.shown < progress.done or self.editor is None:
            self.reload()
        self.changed()

    def _trouble(self, message: str) -> None:
        self._post(lambda: self.said(message, True))
