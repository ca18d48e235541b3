# SPDX-License-Identifier: GPL-3.0-or-later
"""The annotate view's keys for events: what a machine found, and what a person says to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, partialmethod

from PyQt5.QtWidgets import QWidget

from facetrack_app.model.judged import Judged, event_in_words
from facetrack_app.model.vocabulary import Vocabulary
from facetrack_app.services.annotator import Annotator
from facetrack_app.views.asking import ask_name

_CHOOSE = "choose an event first (click it in the timeline, or E)"
MADE = "made"  # kind of a range whose end is still to come


class Events:
    """Methods named as in the table of actions, for an open video."""

    def __init__(
        self,
        annotator: Annotator,
        go: Callable[[int | None], None],
        vocabulary: Vocabulary,
        parent: QWidget,
    ) -> None:
        self._annotator, self._go, self._parent = annotator, go, parent
        self._vocabulary = vocabulary
        self._judging = annotator.judging
        self.accept_event = partial(self._on_chosen, self._judging.accept)
        self.reject_event = partial(self._on_chosen, self._judging.reject)
        self.rename_event = partial(self._on_chosen, self._rename)
        self.event_begins_here = partial(self._on_chosen, partial(self._move, by_stop=False))
        self.event_ends_here = partial(self._on_chosen, partial(self._move, by_stop=True))

    def _seek(self, *, back: bool) -> None:
        """Choose the next event, or the one before, and go to it."""
        annotator = self._annotator
        frame = self._judging.next(annotator.person, annotator.playback.frame, back=back)
        if frame is None:
            annotator.said("there is no event on this side", False)
            return
        self._go(frame)
        self._say()

    next_event, previous_event = partialmethod(_seek, back=False), partialmethod(_seek, back=True)

    def _say(self) -> None:
        if self._judging.chosen is not None:
            self._annotator.said(event_in_words(self._judging.chosen), False)

    def choose(self, judged: Judged) -> None:
        """Choose an event."""
        self._judging.choose(judged)
        self._say()

    def _on_chosen(self, do: Callable[[Judged], None]) -> None:
        if self._judging.chosen is None:
            self._annotator.said(_CHOOSE, False)
        else:
            do(self._judging.chosen)

    def _rename(self, judged: Judged) -> None:
        name = ask_name(self._parent, self._vocabulary, judged.event.name)
        if name is not None:
            self._judging.rename(judged, name)

    def _move(self, judged: Judged, *, by_stop: bool) -> None:
        """Move an end of an event to this frame."""
        session, here = self._annotator.session, self._annotator.playback.frame
        first, last = session.frames_of(judged.event.start, judged.event.stop)
        first, last = (first, here) if by_stop else (here, last)
        if first > last:
            self._annotator.said("an event ends after it begins; move the other end first", True)
        elif max(first, last) >= session.tracked:
            self._annotator.said(f"frame {here + 1} is not tracked yet", True)
        else:
            self._judging.move(judged, first, last)

    def move(self, judged: Judged, first: int, last: int) -> None:
        """Move an event to other frames."""
        last = min(last, self._annotator.session.tracked - 1)
        self._judging.move(judged, min(first, last), last)

    def make_event(self) -> None:
        """Begin or end an event of the chosen person."""
        annotator, frame = self._annotator, self._annotator.playback.frame
        if annotator.person is None:
            annotator.said("no person is chosen; choose a person first", True)
        elif frame >= annotator.session.tracked:
            annotator.said(f"frame {frame + 1} is not tracked yet", True)
        elif (ends := annotator.mark(MADE)) is not None:
            name = ask_name(self._parent, self._vocabulary)
            if name is not None:
                self._judging.make(annotator.person, name, *ends)
        annotator.changed()
