# SPDX-License-Identifier: GPL-3.0-or-later
"""Work beside the window of which only the latest wish counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from facetrack.errors import FacetrackError
from facetrack_app.services.posting import Post, run_beside

W = TypeVar("W")
T = TypeVar("T")


class Latest(Generic[W, T]):
    """Fulfils one wish at a time; of those that come meanwhile, the last."""

    def __init__(
        self,
        prepare: Callable[[W], Callable[[], T]],
        post: Post,
        done: Callable[[T], None],
        failed: Callable[[str], None],
    ) -> None:
        self._prepare, self._post, self._take, self._failed = prepare, post, done, failed
        self._next: tuple[int, W] | None = None  # numbered: the same may have changed
        self._asked = 0
        self._running = False

    def ask(self, wish: W | None) -> None:
        """Ask anew; None: for nothing."""
        self._asked += 1
        self._next = None if wish is None else (self._asked, wish)
        if self._next is not None and not self._running:
            self._begin(*self._next)

    def _begin(self, number: int, wish: W) -> None:
        try:
            work = self._prepare(wish)
        except FacetrackError as error:
            self._running = False
            self._failed(str(error))
            return
        self._running = True
        run_beside(
            work,
            self._post,
            lambda result: self._done(number, wish, lambda: self._take(result)),
            lambda message: self._done(number, wish, lambda: self._failed(message)),
        )

    def _done(self, number: int, wish: W, show: Callable[[], None]) -> None:
        self._running = False
        if self._next is not None:
            if self._next[1] == wish:
                show()
            if self._next[0] != number:
                self._begin(*self._next)
