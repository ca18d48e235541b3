# SPDX-License-Identifier: GPL-3.0-or-later
"""The annotate view's keys for editing: points, shapes, steps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, partialmethod
from math import radians
from typing import Final

from facetrack_app.model.editing import Points, Reach
from facetrack_app.services.annotator import Annotator

_GROWTH: Final = 1.02  # for each press of a key
_TURN: Final = radians(1.0)
_SELECT: Final = "select a point first (click it, or Tab)"


class Edits:
    """Methods named as in the table of actions, for an open video."""

    def __init__(self, annotator: Annotator, go: Callable[[int], None]) -> None:
        self._annotator, self._go = annotator, go
        self._copied: Points | None = None
        for reach in Reach:
            setattr(self, f"reach_{reach}", partial(annotator.choose_reach, reach))
        self.uncorrect, self.fit_here = annotator.uncorrect, annotator.placing.fit_here
        self.track_back, self.track_on = partial(annotator.track, -1), partial(annotator.track, 1)
        self.toggle_tracking = annotator.tracking.toggle

    def _select(self, step: int) -> None:
        if self._annotator.editor is not None:
            self._annotator.editor.select_next(step)
            self._annotator.changed()

    next_point, previous_point = partialmethod(_select, 1), partialmethod(_select, -1)

    def toggle_occluded(self) -> None:
        """Mark the selected point as hidden, or as seen again."""
        editor = self._annotator.editor
        if editor is not None and editor.toggle_occluded():
            self._annotator.correct()
        else:
            self._annotator.said(_SELECT, False)

    def mark_absent(self) -> None:
        """Say that the selected point is not there, or that it is there again."""
        if not self._annotator.placing.toggle_absent():
            self._annotator.said(_SELECT, False)

    def _reshape(self, factor: float, angle: float) -> None:
        editor = self._annotator.editor
        if editor is not None and not editor.holding and editor.reshape(factor, angle):
            self._annotator.correct()

    grow_shape = partialmethod(_reshape, _GROWTH, 0.0)
    shrink_shape = partialmethod(_reshape, 1 / _GROWTH, 0.0)
    turn_shape_left = partialmethod(_reshape, 1.0, -_TURN)
    turn_shape_right = partialmethod(_reshape, 1.0, _TURN)

    def copy_shape(self) -> None:
        """Keep the shape of this frame for another one."""
        if self._annotator.editor is not None:
            self._copied = self._annotator.editor.points.copy()
            self._annotator.said(f"copied the shape of frame {self._annotator.shown + 1}", False)

    def paste_shape(self) -> None:
        """Put the copied shape here, as a correction."""
        if self._copied is None:
            self._annotator.said("copy a shape first, in another frame", False)
        else:
            self._annotator.placing.place(self._copied)

    def accept(self) -> None:
        """Say that all points of this frame are right."""
        if self._annotator.editor is not None:
            self._annotator.editor.vouch_for_all()
            self._annotator.correct()

    def undo(self) -> None:
        """Take the last step back, and go there."""
        if (frame := self._annotator.undo()) is not None:
            self._go(frame)

    def redo(self) -> None:
        """Do again what was undone last, and go there."""
        if (frame := self._annotator.redo()) is not None:
            self._go(frame)
