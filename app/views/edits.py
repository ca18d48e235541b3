# SPDX-License-Identifier: GPL-3.0-or-later
"""The annotate view's keys for editing: points, shapes, steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facetrack_app.model.editing import Points, Reach

if TYPE_CHECKING:
    from facetrack_app.views.annotate_view import AnnotateView


class Edits:
    """Methods named as in the table of actions, for the annotate view.

    Parameters
    ----------
    view : AnnotateView
    """

    def __init__(self, view: AnnotateView) -> None:
        self._view = view
        self._copied: Points | None = None

    def next_point(self) -> None:
        """Select the next point."""
        self._select(1)

    def previous_point(self) -> None:
        """Select the point before."""
        self._select(-1)

    def _select(self, step: int) -> None:
        if self._view.annotator is not None and self._view.annotator.editor is not None:
            self._view.annotator.editor.select_next(step)
            self._view.show_faces()

    def toggle_occluded(self) -> None:
        """Mark the selected point as hidden, or as seen again."""
        editor = self._view.annotator.editor if self._view.annotator is not None else None
        if self._view.annotator is not None and editor is not None and editor.toggle_occluded():
            self._view.annotator.correct()
        else:
            self._view.said("select a point first (click it, or Tab)", False)

    def mark_absent(self) -> None:
        """Say that the selected point is not there."""
        editor = self._view.annotator.editor if self._view.annotator is not None else None
        if self._view.annotator is not None and editor is not None and editor.mark_absent():
            self._view.annotator.correct()
        else:
            self._view.said("select a point first (click it, or Tab)", False)

    def set_reach(self, reach: Reach) -> None:
        """Choose what a drag takes along."""
        if self._view.annotator is not None and self._view.annotator.editor is not None:
            self._view.annotator.editor.reach = reach
            self._view.panel.show_reach(reach)

    def reach_point(self) -> None:
        """Drag one point."""
        self.set_reach(Reach.POINT)

    def reach_region(self) -> None:
        """Drag a region."""
        self.set_reach(Reach.REGION)

    def reach_shape(self) -> None:
        """Drag the whole shape."""
        self.set_reach(Reach.SHAPE)

    def copy_shape(self) -> None:
        """Keep the shape of this frame for another one."""
        if self._view.annotator is not None and self._view.annotator.editor is not None:
            self._copied = self._view.annotator.editor.points.copy()
            self._view.said(f"copied the shape of frame {self._view.annotator.shown + 1}", False)

    def paste_shape(self) -> None:
        """Put the copied shape here, as a correction."""
        if self._view.annotator is not None and self._copied is not None:
            self._view.annotator.place(self._copied)

    def accept(self) -> None:
        """Say that all points of this frame are right."""
        if self._view.annotator is not None and self._view.annotator.editor is not None:
            self._view.annotator.editor.vouch_for_all()
            self._view.annotator.correct()

    def uncorrect(self) -> None:
        """Remove this frame's correction."""
        if self._view.annotator is not None:
            self._view.annotator.uncorrect()

    def fit_here(self) -> None:
        """Fit once more from the points as they stand."""
        if self._view.annotator is not None:
            self._view.annotator.fit_here()

    def undo(self) -> None:
        """Take the last step back."""
        if self._view.annotator is not None:
            self._view.annotator.undo()

    def redo(self) -> None:
        """Do again what was undone last."""
        if self._view.annotator is not None:
            self._view.annotator.redo()

    def track_back(self) -> None:
        """Track anew back from here."""
        if self._view.annotator is not None:
            self._view.annotator.track(-1)

    def track_on(self) -> None:
        """Track anew on from here."""
        if self._view.annotator is not None:
            self._view.annotator.track(1)
