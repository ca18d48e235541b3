# SPDX-License-Identifier: GPL-3.0-or-later
"""The small windows beside the annotate view: numbers, and the list of events."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtWidgets import QWidget

from facetrack_app.model.vocabulary import Vocabulary
from facetrack_app.services.annotator import Annotator
from facetrack_app.services.posting import Post
from facetrack_app.views.events_window import EventsWindow
from facetrack_app.views.numbers_window import NumbersWindow
from facetrack_app.views.tool_window import ToolWindow


class Beside:
    """Methods named as in the table of actions."""

    def __init__(
        self,
        shown_frames: Callable[[], tuple[int, int]],
        vocabulary: Vocabulary,
        go: Callable[[int], None],
        post: Post,
        parent: QWidget,
    ) -> None:
        self.numbers = NumbersWindow(shown_frames, post, parent)
        self.events = EventsWindow(vocabulary, go, parent)

    def show_annotator(self, annotator: Annotator | None) -> None:
        """Speak of another video; None: of none."""
        self.numbers.show_annotator(annotator)
        self.events.show_annotator(annotator)

    def show_numbers(self) -> None:
        """Show numbers per minute of the chosen person."""
        _raise(self.numbers)

    def show_events(self) -> None:
        """List all events and marks."""
        _raise(self.events)


def _raise(window: ToolWindow) -> None:
    window.show()
    window.raise_()
