# SPDX-License-Identifier: GPL-3.0-or-later
"""The annotate view's keys for looking: which part of the picture and of the video is shown."""

from __future__ import annotations

from typing import Final

from facetrack_app.services.annotator import Annotator
from facetrack_app.views.canvas import Canvas
from facetrack_app.views.timeline import Timeline

_PAN: Final = 60  # px of the screen that a key moves the picture


class Framing:
    """Methods named as in the table of actions, for an open video."""

    def __init__(self, annotator: Annotator, canvas: Canvas, timeline: Timeline) -> None:
        self._annotator, self._canvas, self._timeline = annotator, canvas, timeline

    def zoom_face(self) -> None:
        """Fill the view with the face."""
        if self._annotator.editor is not None:
            self._canvas.zoom_to(self._annotator.editor.points)

    def zoom_all(self) -> None:
        """Show the whole picture."""
        self._canvas.zoom_all()

    def zoom_in(self) -> None:
        """Show the middle larger."""
        self._canvas.zoom_by(1)

    def zoom_out(self) -> None:
        """Show more of the picture."""
        self._canvas.zoom_by(-1)

    def pan_left(self) -> None:
        """Show more of the left."""
        self._canvas.pan_by(_PAN, 0)

    def pan_right(self) -> None:
        """Show more of the right."""
        self._canvas.pan_by(-_PAN, 0)

    def pan_up(self) -> None:
        """Show more of the top."""
        self._canvas.pan_by(0, _PAN)

    def pan_down(self) -> None:
        """Show more of the bottom."""
        self._canvas.pan_by(0, -_PAN)

    def stretch_time(self) -> None:
        """Show a shorter part of the video in the timeline."""
        self._timeline.zoom_by(1)

    def squeeze_time(self) -> None:
        """Show a longer part of the video in the timeline."""
        self._timeline.zoom_by(-1)
