# SPDX-License-Identifier: GPL-3.0-or-later
"""The thread that analyses an open session beside the window."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from typing import Final

from facetrack.errors import FacetrackError, InputError
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.reading import Kind
from facetrack.signals.registry import Choice, choose, owner
from facetrack.video.frame import Frame
from facetrack.video.seeking import SeekableVideo
from facetrack_app.model.faces import Size
from facetrack_app.model.observable import Observable, Voice
from facetrack_app.model.session import Session
from facetrack_app.model.store import Store
from facetrack_app.services.analysis import Analysis
from facetrack_app.services.latest_value import LatestValue
from facetrack_app.services.posting import Post

TELL_EVERY: Final = 0.5  # seconds
SIGNALS: Final = "signals"  # setting of a session: what `choose` takes


def chosen_signals(session: Session) -> Choice:
    """Give the signals that were chosen for a session; the usual ones if some are not there."""
    try:
        return choose(session.setting(SIGNALS, "default"))
    except InputError:
        return choose()


class Analysing:
    """Keeps a session's readings and events up with its tracks.

    Attributes
    ----------
    changed : Observable
        Readings or events were written, and the session has taken notice.
    """

    def __init__(
        self,
        session: Session,
        choice: Choice,
        shape_model: ShapeModel,
        size: Size,
        open_it: Callable[[], SeekableVideo],
        post: Post,
        said: Voice,
        size_of: Callable[[int], Size] | None = None,
    ) -> None:
        self._size_of = size_of
        self.changed: Observable[[]] = Observable()
        self._session, self._shape_model, self._size = session, shape_model, size
        self._open, self._post, self._said = open_it, post, said
        self._choice = choice
        self._asked = self._answered = 0
        self._wishes: LatestValue[tuple[int, Choice, bool]] = LatestValue()
        self._thread = threading.Thread(target=self._run, name="analysing", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether something that was asked for is not yet answered."""
        return self._asked != self._answered

    def want(self, names: Sequence[str]) -> bool:
        """Compute signals, too, if they are not computed anyway; returns whether that is new.

        All of the session is analysed anew then: one choice makes one set of results.
        """
        new = [n for name in names if name not in self._choice.names for n in _together(name)]
        if new:
            wanted = ",".join([self._session.setting(SIGNALS, "default"), *new])
            with self._session.store.transaction():
                self._session.put_setting(SIGNALS, wanted)
            self._choice = choose(wanted)
        return bool(new)

    def wake(self, *, more: bool) -> None:
        """Look for what is missing; `more`: the video is being tracked."""
        self._asked += 1
        self._wishes.put((self._asked, self._choice, more))

    def close(self) -> None:
        """End after the frame at hand; what is missing then is computed at the next start.

        A thread that outlives the window computes while the libraries end: that must not be kept.
        """
        self._wishes.close()
        self._thread.join(timeout=10.0)

    def _run(self) -> None:
        with ExitStack() as stack:
            video: list[SeekableVideo] = []

            def look(frame: int) -> Frame:
                if not video:
                    video.append(stack.enter_context(closing(self._open())))
                return video[0].frame(frame)

            analysis: Analysis | None = None
            chosen: Choice | None = None
            while not self._wishes.closed:
                wish = self._wishes.take(timeout=1.0)
                if wish is None:
                    continue
                number, choice, more = wish
                try:
                    if analysis is None or choice != chosen:
                        store = stack.enter_context(closing(Store(self._session.store.path)))
                        analysis = Analysis(
                            store, choice, self._shape_model, self._size, look,
                            stills=self._session.stills, size_of=self._size_of,
                            stretch=self._session.stretch, ended=lambda: self._wishes.closed,
                        )  # fmt: skip
                        chosen = choice
                    self._catch_up(analysis, more)
                except FacetrackError as error:
                    self._tell(str(error), "analyse")
                else:
                    self._tell("", "analyse")
                self._answer(number)

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

    def _answer(self, number: int) -> None:
        def answer() -> None:
            self._answered = number

        self._post(answer)

    def _tell(self, text: str, about: str) -> None:
        self._post(lambda: self._said(text, bool(text), about))


def _together(name: str) -> list[str]:
    """Give a signal with its parts, and with the events of its estimator."""
    specs = owner(name).specs
    return [name, *(s.name for s in specs if s.part_of == name or s.kind == Kind.EVENT)]
