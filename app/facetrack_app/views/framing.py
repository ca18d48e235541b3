# SPDX-License-Identifier: GPL-3.0-or-later
"""The annotate view's keys for looking: which part of the picture and of the video is shown."""

from __future__ import annotations

from functools import partial
from typing import Final

from facetrack_app.services.annotator import Annotator
from facetrack_app.views.canvas import Canvas
from facetrack_app.views.timeline import Timeline

_PAN: Final = 60  # px of the screen that a key moves the picture


class Framing:
    """Calls named as in the table of actions, for an open video."""

    def __init__(self, annotator: Annotator, canvas: Canvas, timeline: Timeline) -> None:
        self._annotator, self._canvas, self.zoom_all = annotator, canvas, canvas.zoom_all
        self.zoom_in, self.zoom_out = partial(canvas.zoom_by, 1), partial(canvas.zoom_by, -1)
        pan = canvas.pan_by
        self.pan_left, self.pan_right = partial(pan, _PAN, 0), partial(pan, -_PAN, 0)
        self.pan_up, self.pan_down = partial(pan, 0, _PAN), partial(pan, 0, -_PAN)
        self.stretch_time = partial(timeline.zoom_by, 1)
        self.squeeze_time = partial(timeline.zoom_by, -1)

    def zoom_face(self) -> None:
        """Fill the view with the face."""
        if self._annotator.editor is not None:
            self._canvas.zoom_to(self._annotator.editor.points)
