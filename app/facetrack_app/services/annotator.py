# SPDX-License-Identifier: GPL-3.0-or-later
"""Annotating one video: what the gestures of the annotate view do."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from facetrack.errors import FacetrackError
from facetrack_app.model.commands import Command, Correct, DeletePerson, Retrack, Uncorrect
from facetrack_app.model.effort import Effort
from facetrack_app.model.history import History
from facetrack_app.model.observable import Observable
from facetrack_app.model.owed import Stretch
from facetrack_app.model.wording import counted
from facetrack_app.services.analysing import Analysing, chosen_signals
from facetrack_app.services.background import Progress
from facetrack_app.services.judging import Judging
from facetrack_app.services.opening import Document
from facetrack_app.services.placing import Placing
from facetrack_app.services.posting import Post
from facetrack_app.services.retracking import stretch_around
from facetrack_app.services.teaching import Teaching
from facetrack_app.services.video_tracking import VideoTracking
from facetrack_app.services.viewing import Viewing

NOTES: Final = "notes"  # the session's setting: what its file showed, what imports left out
_MOST_NOTES: Final = 200


class Annotator(Viewing):
    """One open video whose faces are corrected, and the threads that work for it."""

    def __init__(self, document: Document, model: Any, post: Post) -> None:
        super().__init__(document, post)
        self.model = model
        self.history = History(self.session)
        self.effort = Effort(float(self.session.setting("effort", 0.0)))  # hands-on time
        self.pending: tuple[str, int] | None = None  # kind and first frame of a range to be ended
        self.progressed: Observable[[str, float]] = Observable()  # of work beside; "": none
        self.tracking = VideoTracking(
            document, model, self._post, self._take_tracked, self.keep_notes, self.said
        )
        self.teaching = Teaching(
            document, self.history, model, self._post, lambda: self.tracking.running, self.said,
            self.progressed,
        )  # fmt: skip
        choice = chosen_signals(self.session)
        self.analysing = Analysing(document, choice, model.shape_model, self._post, self.said)
        self.judging = Judging(self.session, self.run, self.changed)  # what is decided about events
        self.placing = Placing(self, model, self.run, self.correct)  # whole shapes into a frame

    @property
    def notes(self) -> list[str]:
        """What is to be known of this video: another model, another place, what its file lacks."""
        return [*self.document.notes, *self.session.setting(NOTES, [])]

    def keep_notes(self, notes: Sequence[str]) -> None:
        """Keep with the session what is to be known of it; each once."""
        known = self.session.setting(NOTES, [])
        new = [*known, *(note for note in notes if note not in known)]
        if len(new) > len(known):
            with self.session.store.transaction():
                self.session.put_setting(NOTES, new[:_MOST_NOTES])

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
        self.closed = True
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

    def mark(self, kind: str) -> tuple[int, int] | None:
        """Begin a range of frames here, or end it: returns its first and last frame then."""
        frame, pending = self.playback.frame, self.pending
        if pending is None or pending[0] != kind:
            self.pending = (kind, frame)
            self.said("go to the last frame and press the key once more (Esc: not)", False)
            return None
        self.pending = None
        return min(pending[1], frame), max(pending[1], frame)

    # Corrections

    def run(self, command: Command, stretch: Stretch | None = None) -> int | None:
        """Do a command, and track a stretch anew for it; returns the step, None if it failed."""
        self.effort.gesture(time.monotonic())
        try:
            step = self.history.run(command, self._kept(), stretch)
        except FacetrackError as error:
            self.said(str(error), True)
            self.reload()
            return None
        if stretch is not None:
            self.teaching.begin()
        elif isinstance(command, DeletePerson):
            self.teaching.turned()
        return step

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
        before, frame = self.points_of(self.person), self.shown
        said, carried, guess = self.editor.correction(), self.editor.carried, self.editor.guess
        stretch = None if guess else self.teaching.stretch(self.person, frame, said)
        stored = said.moved(self.stretch.stored)
        earlier, self._before = self._before, self._ghost(before)
        if self.run(Correct.of(self.person, frame, stored), stretch) is None:
            self._before = earlier
            self.changed()
            return
        if frame >= self.session.tracked:
            self.said(f"kept; frame {frame + 1} is not tracked yet, nor are its neighbours", False)
        elif guess:
            self.said("put it on the face by its handles, then R fits and Return accepts", False)
        elif carried:
            points = counted(carried, "point")
            self.said(f"carried {points} along: not yours until you accept (Return)", False)
        elif self.session.stills:
            self.said("kept; R and ] fit other pictures anew with what it teaches", False)

    def uncorrect(self) -> None:
        """Remove the correction of the frame that is shown; the others are learned anew."""
        if self.person is None:
            return
        stretch = self.teaching.stretch(self.person, self.shown)
        done = self.run(Uncorrect(self.person, self.shown), stretch)
        if done is not None and stretch is None:
            self.said("removed; its neighbours stay as they are, Ctrl+Z takes all back", False)

    def track(self, direction: int) -> None:
        """Track anew from the frame that is shown, on (1) or back (-1), to the next correction."""
        if self.person is None:
            return
        if not self.session.summary(self.person).corrected[self.shown]:
            self.said("correct or accept (Return) this frame first: tracking starts from it", True)
            return
        _, start, stop, _ = stretch_around(self.session, self.person, self.shown)
        if self.session.stills:
            start, stop = 0, self.session.tracked
        start, stop = (self.shown + 1, stop) if direction > 0 else (start, self.shown)
        if start >= stop:
            self.said("there is nothing to track on this side", False)
        else:
            self.run(Retrack(self.person, start, stop), Stretch(self.person, start, stop))

    def undo(self) -> int | None:
        """Take the last step back and choose its person; returns its frame, None if it has none."""
        return self._turn(self.history.undo, "undone")

    def redo(self) -> int | None:
        """Do again what was undone last; returns as `undo`."""
        return self._turn(self.history.redo, "done again")

    def _turn(self, turn: Callable[[], Command | None], word: str) -> int | None:
        self._before = None
        self.effort.gesture(time.monotonic())
        names = dict(self.session.people)
        try:
            command = turn()
        except FacetrackError as error:
            self.said(str(error), True)
            return None
        self.teaching.turned()
        if command is None:
            self.said("there is nothing more", False)
            return None
        person, frame = command.where(self.session)
        names.update(self.session.people)
        where = [f"frame {frame + 1}"] if frame is not None else []
        where += [names[person]] if person in names else []
        self.said(f"{word}: {command.title}" + (f" ({', '.join(where)})" if where else ""), False)
        if person in self.session.people and person != self.person:
            self.choose(person)
        return frame

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
        self.teaching.resume()
