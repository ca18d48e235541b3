# SPDX-License-Identifier: GPL-3.0-or-later
"""Telling whoever listens that something has changed, without Qt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, ParamSpec

P = ParamSpec("P")


class Notice(Generic[P]):
    """Something that others can wait for: `notice.connect(listener)`, `notice(...)`.

    Listeners run in the caller's thread, in the order in which they were connected.
    """

    def __init__(self) -> None:
        self._listeners: list[Callable[P, object]] = []

    def connect(self, listener: Callable[P, object]) -> None:
        """Call the listener at every notice."""
        self._listeners.append(listener)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Tell all listeners."""
        for listener in self._listeners:
            listener(*args, **kwargs)


class Voice(Notice[[str, bool, str]]):
    """Sentences for the person, whether each is about trouble, and which concern it is about.

    Trouble stays until something else is said of the same concern; an empty sentence says that
    all is well with it.
    """

    def __call__(self, text: str, trouble: bool, about: str = "") -> None:
        """Say a sentence."""
        super().__call__(text, trouble, about)
