# SPDX-License-Identifier: GPL-3.0-or-later
"""The annotate view's keys for moving: through the video, and of points."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partialmethod

from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtWidgets import QInputDialog

from facetrack_app.model import stops
from facetrack_app.model.playback import PACES
from facetrack_app.model.stops import Worst
from facetrack_app.services.annotator import Annotator
from facetrack_app.services.playing_sound import PlayingSound
from facetrack_app.views.canvas import Canvas
from facetrack_app.views.timeline import Timeline


class Moves:
    """Methods named as in the table of actions, for an open video."""

    def __init__(
        self, annotator: Annotator, canvas: Canvas, timeline: Timeline, sound: PlayingSound
    ) -> None:
        self._annotator, self._canvas, self._timeline = annotator, canvas, timeline
        self._sound = sound
        self._begun = 0.0, 0.0  # when playing began, by the clock and in the video
        self._worst = Worst()
        self._timer = QTimer(canvas)
        self._timer.setTimerType(Qt.PreciseTimer)
        self._timer.timeout.connect(self._advance)

    def pause(self) -> None:
        """Stand still."""
        self._timer.stop()
        self._sound.end()
        self._annotator.playback.speed = 0

    def go(self, frame: int | None) -> None:
        """Go to a frame; None: there is none to go to."""
        if frame is None:
            self._annotator.said("there is no such frame on this side", False)
            return
        self.pause()
        self._annotator.show(frame)
        self._timeline.move_to(self._annotator.playback.frame)
        self._annotator.effort.gesture(time.monotonic())

    def step(self, frames: int) -> None:
        """Go some frames on."""
        self.go(self._annotator.playback.frame + frames)

    step_back, step_on = partialmethod(step, -1), partialmethod(step, 1)

    def _nudge(self, dx: float, dy: float) -> bool:
        annotator = self._annotator
        if annotator.editor is None or annotator.editor.selected is None:
            return False
        if annotator.shown != annotator.playback.frame:  # another picture is on its way
            return False
        sign = -1 if self._canvas.mirrored else 1
        if annotator.editor.nudge(sign * dx, dy):
            annotator.correct()
        return True

    left_far, right_far = partialmethod(_nudge, -10, 0), partialmethod(_nudge, 10, 0)
    up_far, down_far = partialmethod(_nudge, 0, -10), partialmethod(_nudge, 0, 10)

    def _seek(self, find: Callable[..., int | None], *, back: bool) -> None:
        annotator = self._annotator
        self.go(find(annotator.session, annotator.person, annotator.playback.frame, back=back))

    previous_corrected = partialmethod(_seek, stops.next_corrected, back=True)
    next_corrected = partialmethod(_seek, stops.next_corrected, back=False)
    previous_doubtful = partialmethod(_seek, stops.next_doubtful, back=True)
    next_doubtful = partialmethod(_seek, stops.next_doubtful, back=False)

    def _arrow(self, dx: int, dy: int) -> None:
        """Move the selected point, else go to another frame: up and down, to a corrected one."""
        if not self._nudge(dx, dy):
            self.step(dx) if dx else self._seek(stops.next_corrected, back=dy < 0)

    left, right = partialmethod(_arrow, -1, 0), partialmethod(_arrow, 1, 0)
    up, down = partialmethod(_arrow, 0, -1), partialmethod(_arrow, 0, 1)

    def worst_frame(self) -> None:
        """Go to the worst frame; once more: to the next worst one that is not near the others."""
        annotator = self._annotator
        words = self._worst.next(annotator.session, annotator.person)
        if self._worst.frame is not None:
            self.go(self._worst.frame)
        annotator.said(words, False)

    first_frame = partialmethod(go, 0)

    def last_frame(self) -> None:
        """Go to the end."""
        self.go(self._annotator.session.n_frames - 1)

    def go_to_frame(self) -> None:
        """Ask for a number."""
        count = self._annotator.session.n_frames
        here = self._annotator.playback.frame + 1
        number, sure = QInputDialog.getInt(
            self._canvas, "Go to frame", f"1 to {count}:", here, 1, count
        )
        if sure:
            self.go(number - 1)

    def play(self) -> None:
        """Play or pause."""
        self._annotator.playback.toggle()
        self._run_clock()

    def _shuttle(self, direction: int) -> None:
        self._annotator.playback.shuttle(direction)
        self._run_clock()

    shuttle_back, shuttle_on = partialmethod(_shuttle, -1), partialmethod(_shuttle, 1)

    def _change_pace(self, steps: int) -> None:
        playback = self._annotator.playback
        self.set_pace(PACES[min(max(PACES.index(playback.pace) + steps, 0), len(PACES) - 1)])

    slower, faster = partialmethod(_change_pace, -1), partialmethod(_change_pace, 1)

    def set_pace(self, pace: float) -> None:
        """Play so fast from now on."""
        self._annotator.playback.pace = pace
        self._run_clock()

    def _run_clock(self) -> None:
        annotator = self._annotator
        if annotator.playback.speed:
            here = float(annotator.document.times[annotator.playback.frame])
            self._begun = time.perf_counter(), here
            self._timer.start(1000 // 60)
        else:
            self._timer.stop()
        if annotator.playback.rate == 1:
            self._sound.begin(here)
        else:
            self._sound.end()
        annotator.changed()

    def mute(self, muted: bool) -> None:
        """Play without sound, or with it again."""
        self._sound.muted = muted
        self._run_clock()

    def _advance(self) -> None:
        """Show the frame that is due by its own time."""
        annotator, playback = self._annotator, self._annotator.playback
        clock, moment = self._begun
        now, heard = time.perf_counter(), self._sound.moment()
        if heard is not None:  # frames follow the sound, and go on from there when it ends
            self._begun = now, heard
            moment = heard
        else:
            moment += (now - clock) * playback.rate
        if playback.follow(annotator.document.times, moment):
            annotator.show(playback.frame)
            self._timeline.move_to(playback.frame)
        if not playback.speed:
            self.pause()
            annotator.changed()

    def stop(self) -> None:
        """Stop what goes on: playing, tracking anew, a range, a selection."""
        self.pause()
        editor = self._annotator.editor
        dragging = editor is not None and editor.holding
        asked = self._annotator.placing.waiting
        if dragging or asked or not self._annotator.stop():
            self._annotator.pending = None
            self._annotator.placing.cancel()
            self._annotator.cancel()
            self._annotator.changed()
