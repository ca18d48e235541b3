# SPDX-License-Identifier: GPL-3.0-or-later
"""The annotate view's keys for editing: points, shapes, steps."""

from __future__ import annotations

from collections.abc import Callable
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

    def next_point(self) -> None:
        """Select the next point."""
        self._select(1)

    def previous_point(self) -> None:
        """Select the point before."""
        self._select(-1)

    def _select(self, step: int) -> None:
        if self._annotator.editor is not None:
            self._annotator.editor.select_next(step)
            self._annotator.changed()

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

    def reach_point(self) -> None:
        """Drag one point."""
        self._annotator.choose_reach(Reach.POINT)

    def reach_region(self) -> None:
        """Drag a region."""
        self._annotator.choose_reach(Reach.REGION)

    def reach_shape(self) -> None:
        """Drag the whole shape."""
        self._annotator.choose_reach(Reach.SHAPE)

    def grow_shape(self) -> None:
        """Make the whole shape larger."""
        self._reshape(_GROWTH, 0.0)

    def shrink_shape(self) -> None:
        """Make the whole shape smaller."""
        self._reshape(1 / _GROWTH, 0.0)

    def turn_shape_left(self) -> None:
        """Turn the whole shape against the clock."""
        self._reshape(1.0, -_TURN)

    def turn_shape_right(self) -> None:
        """Turn the whole shape with the clock."""
        self._reshape(1.0, _TURN)

    def _reshape(self, factor: float, angle: float) -> None:
        editor = self._annotator.editor
        if editor is not None and not editor.holding and editor.reshape(factor, angle):
            self._annotator.correct()

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

    def uncorrect(self) -> None:
        """Remove this frame's correction."""
        self._annotator.uncorrect()

    def fit_here(self) -> None:
        """Fit once more from the points as they stand."""
        self._annotator.placing.fit_here()

    def undo(self) -> None:
        """Take the last step back, and go there."""
        self._go_there(self._annotator.undo())

    def redo(self) -> None:
        """Do again what was undone last, and go there."""
        self._go_there(self._annotator.redo())

    def _go_there(self, frame: int | None) -> None:
        if frame is not None:
            self._go(frame)

    def track_back(self) -> None:
        """Track anew back from here."""
        self._annotator.track(-1)

    def track_on(self) -> None:
        """Track anew on from here."""
        self._annotator.track(1)

    def toggle_tracking(self) -> None:
        """Stop tracking the video, or go on."""
        self._annotator.tracking.toggle()
