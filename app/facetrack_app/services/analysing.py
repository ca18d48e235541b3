# SPDX-License-Identifier: GPL-3.0-or-later
"""The thread that analyses an open session beside the window."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from functools import partial
from typing import Final

from facetrack.errors import FacetrackError
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.reading import Kind
from facetrack.signals.registry import WORDS, Choice, choose, estimators, owner, signals
from facetrack.video.frame import Frame
from facetrack.video.seeking import SeekableVideo
from facetrack_app.model.observable import Observable, Voice
from facetrack_app.model.session import Session
from facetrack_app.model.store import Store
from facetrack_app.services.analysis import Analysis
from facetrack_app.services.opening import Document
from facetrack_app.services.posting import Post
from facetrack_app.services.worker import Worker

TELL_EVERY: Final = 0.5  # seconds
SIGNALS: Final = "signals"  # setting of a session: what `choose` takes


def chosen_signals(session: Session) -> Choice:
    """Give the signals that were chosen for a session, as far as they are known by now."""
    known = {*WORDS, *estimators(), *signals()}
    wanted = session.setting(SIGNALS, "default").split(",")
    return choose(",".join(name for name in wanted if name in known) or "default")


class Analysing:
    """Keeps a session's readings and events up with its tracks."""

    def __init__(
        self, document: Document, choice: Choice, shape_model: ShapeModel, post: Post, said: Voice
    ) -> None:
        self.changed: Observable[[]] = Observable()  # results, as the session knows
        self._document, self._session, self._choice = document, document.session, choice
        self._shape_model, self._post, self._said = shape_model, post, said
        self._asked = self._answered = 0
        self._analysis: Analysis | None = None
        self._analysed: Choice | None = None
        self._video: SeekableVideo | None = None
        self._worker: Worker[tuple[int, Choice, bool]] = Worker("analysing", self._fulfil)
        self._wishes = self._worker.wishes

    @property
    def busy(self) -> bool:
        """Whether something that was asked for is not yet answered."""
        return self._asked != self._answered

    @property
    def names(self) -> frozenset[str]:
        """The signals that are computed."""
        return self._choice.names

    def want(self, names: Sequence[str]) -> bool:
        """Compute signals, too; returns whether that changes what is computed.

        All of the session is analysed anew then: one choice makes one set of results.
        """
        new = [n for name in names if name not in self._choice.names for n in _together(name)]
        if new:
            wanted = [self._session.setting(SIGNALS, "default"), *new]
            with self._session.store.transaction():
                self._session.put_setting(SIGNALS, ",".join(wanted))
        before, self._choice = self._choice, chosen_signals(self._session)
        return self._choice != before  # also where a recogniser was replaced

    def wake(self, *, more: bool) -> None:
        """Look for what is missing; `more`: the video is being tracked."""
        self._asked += 1
        self._wishes.put((self._asked, self._choice, more))

    def close(self) -> None:
        """End after the frame at hand; what is missing then is computed at the next start."""
        self._worker.close()

    def _fulfil(self, wish: tuple[int, Choice, bool], stack: ExitStack) -> None:
        number, choice, more = wish

        def look(frame: int) -> Frame:
            self._video = self._video or stack.enter_context(closing(self._document.open()))
            return self._video.frame(frame)

        try:
            if self._analysis is None or choice != self._analysed:
                store = stack.enter_context(closing(Store(self._session.store.path)))
                self._analysis = Analysis(
                    store, choice, self._shape_model, self._document.size, look,
                    stills=self._session.stills, size_of=self._document.size_of,
                    stretch=self._session.stretch, ended=lambda: self._wishes.closed,
                )  # fmt: skip
                self._analysed = choice
            self._catch_up(self._analysis, more)
        except FacetrackError as error:
            self._tell(str(error), "analyse")
        else:
            self._tell("", "analyse")
        self._post(partial(setattr, self, "_answered", number))

    def _catch_up(self, analysis: Analysis, more: bool) -> None:
        known = set(analysis.faults)
        told = time.monotonic()
        untold = False
        while not self._wishes.closed and analysis.step(more=more):
            untold = time.monotonic() - told < TELL_EVERY
            if not untold:  # each time, the window draws its timeline anew
                told = time.monotonic()
                self._post(self._take)
            if self._wishes.waiting:  # it may know of more frames
                break
        if untold:
            self._post(self._take)
        for name in set(analysis.faults) - known:
            text = f"the signals of {name} are switched off: {analysis.faults[name]}"
            self._tell(text, f"the signals of {name}")

    def _take(self) -> None:
        self._session.absorb_analysed()
        self.changed()

    def _tell(self, text: str, about: str) -> None:
        self._post(lambda: self._said(text, bool(text), about))


def _together(name: str) -> list[str]:
    """Give a signal with its parts, and with the events of its estimator."""
    specs = owner(name).specs
    return [name, *(s.name for s in specs if s.part_of == name or s.kind == Kind.EVENT)]
