# SPDX-License-Identifier: GPL-3.0-or-later
"""The curves of signals over the part of the video that the timeline shows."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from facetrack.signals.registry import owner, signals
from facetrack_app.model.curves import Curve, curve_of
from facetrack_app.model.readings import read_values
from facetrack_app.model.store import Store
from facetrack_app.services.posting import Post, run_beside


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be drawn.

    Attributes
    ----------
    names : tuple of str
        Signals.
    person : int
    first, stop : int
        Frames, up to but without the second.
    width : int
        Columns of pixels.
    """

    names: tuple[str, ...]
    person: int
    first: int
    stop: int
    width: int


class SignalCurves:
    """Reads curves beside the window; of several wishes the last is fulfilled.

    Parameters
    ----------
    database : Path
        The session's file.
    post : Post
    ready : callable
        Told in the window's thread that `curves` are others.

    Attributes
    ----------
    curves : list of Curve
    """

    def __init__(self, database: Path, post: Post, ready: Callable[[], None]) -> None:
        self.curves: list[Curve] = []
        self._database, self._post, self._ready = database, post, ready
        self._next: tuple[int, Wish] | None = None  # numbered: the same may have changed
        self._asked = 0
        self._running = False

    def ask(self, wish: Wish | None) -> None:
        """Ask for curves; None: for none."""
        self._asked += 1
        self._next = None if wish is None else (self._asked, wish)
        if self._next is None:
            self._show([])
        elif not self._running:
            self._begin(*self._next)

    def _begin(self, number: int, wish: Wish) -> None:
        self._running = True
        run_beside(
            lambda: read_curves(self._database, wish),
            self._post,
            lambda curves: self._done(number, wish, curves),
            lambda message: self._done(number, wish, []),
        )

    def _done(self, number: int, wish: Wish, curves: list[Curve]) -> None:
        self._running = False
        if self._next is not None:
            if self._next[1] == wish:
                self._show(curves)
            if self._next[0] != number:
                self._begin(*self._next)

    def _show(self, curves: list[Curve]) -> None:
        self.curves = curves
        self._ready()


def read_curves(database: Path, wish: Wish) -> list[Curve]:
    """Read what is stored; raises FormatError if the session's file is damaged."""
    known, found = signals(), []
    with closing(Store(database)) as store:
        for name in wish.names:
            values = read_values(store, wish.person, owner(name), name, wish.first, wish.stop)
            found.append(curve_of(known[name], values, wish.first, wish.width))
    return found
